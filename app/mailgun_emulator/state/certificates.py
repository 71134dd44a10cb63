"""TLS certificates of tracking hosts (facts/account.md, 2.3)."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel


class Certificate(SQLModel, table=True):
    """No `pem` yet: the key pair is being made. Times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "certificate"
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    host: str = Field(primary_key=True)
    pem: str | None = None
    private_pem: str | None = None
    expires_at: float | None = None
    processing: bool = True
    created_at: float
