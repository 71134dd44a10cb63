"""Each start of a server on this database; seeded ids differ from one to the next."""

from typing import Any, ClassVar

from sqlmodel import Field, SQLModel


class Start(SQLModel, table=True):
    """`at` in seconds since 1970."""

    __tablename__: ClassVar[Any] = "start"
    id: int = Field(default=None, primary_key=True)
    at: float
