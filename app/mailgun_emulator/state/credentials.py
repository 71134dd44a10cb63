"""SMTP credentials of a domain (facts/account.md, 4)."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel


class SmtpCredential(SQLModel, table=True):
    __tablename__: ClassVar[Any] = "smtp_credential"
    login: str = Field(primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    password: str
    system: bool = False
    created_at: float
