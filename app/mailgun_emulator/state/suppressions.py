"""The four lists of a domain: bounces, complaints, unsubscribes, allowlist (facts/sending.md, 6)."""

from enum import StrEnum
from typing import Any, ClassVar

from sqlmodel import Field, SQLModel


class Kind(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    ALLOW = "allow"


class Suppression(SQLModel, table=True):
    """`address` in lower case is the key, `spelled` as it was given.

    Bounces have `code` and `error`, unsubscribes `tags` (JSON), the allowlist `reason`, and `is_domain` where its
    entry is a whole domain. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "suppression"
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    address: str = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    spelled: str
    code: str = "550"
    error: str = ""
    tags: str = '["*"]'
    reason: str = ""
    is_domain: bool = False
    created_at: float
