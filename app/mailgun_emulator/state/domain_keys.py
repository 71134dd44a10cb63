"""DKIM keys (facts/account.md, 3)."""

from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel


class DomainKey(SQLModel, table=True):
    """`private_pem` is PKCS#1; `public` is what the DNS record carries after `p=`."""

    __tablename__: ClassVar[Any] = "domain_key"
    __table_args__ = (UniqueConstraint("domain_id", "selector"),)
    id: int = Field(default=None, primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE")
    selector: str
    bits: int
    private_pem: str
    public: str
    active: bool = False
    verified: bool = False
    automatic: bool = False
    created_at: float
