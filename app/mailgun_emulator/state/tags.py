"""Tags that messages were sent with (facts/sending.md, 7.2)."""

from typing import Any, ClassVar

from sqlalchemy import bindparam
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, SQLModel

from mailgun_emulator.state.database import Statement, Tx


class Tag(SQLModel, table=True):
    """`key` is the name in lower case, `name` the case of its first use. Times: seconds since 1970."""

    __tablename__: ClassVar[Any] = "tag"
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE", primary_key=True)
    key: str = Field(primary_key=True)
    name: str
    description: str = ""
    first_seen: float
    last_seen: float


_SEE = Statement(
    insert(Tag)
    .values(
        domain_id=bindparam("domain_id"),
        key=bindparam("key"),
        name=bindparam("name"),
        description="",
        first_seen=bindparam("now"),
        last_seen=bindparam("now"),
    )
    .on_conflict_do_update(index_elements=["domain_id", "key"], set_={"last_seen": bindparam("now")})
)


def see(tx: Tx, domain_id: str, names: list[str]) -> None:
    """A message with these tags was accepted."""
    for name in names:
        _SEE.run(tx, domain_id=domain_id, key=name.lower(), name=name, now=tx.now)
