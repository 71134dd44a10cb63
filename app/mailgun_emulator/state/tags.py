"""Tags that messages were sent with (facts/sending.md, 7.2)."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel


class Tag(SQLModel, table=True):
    """`key` is the name in lower case. Times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "tag"
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    key: str = Field(primary_key=True)
    name: str
    description: str = ""
    first_seen: float
    last_seen: float
