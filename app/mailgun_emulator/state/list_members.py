"""Members of mailing lists (facts/sending.md, 9)."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import Boolean, String, bindparam, delete, func, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlmodel import Field, SQLModel, col

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import json_text
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.state import mailing_lists
from mailgun_emulator.state.mailing_lists import PAST_ALL, ListDetails
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx

_FLAGS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}


class MemberNotFound(NotFound):
    def __init__(self, address: str, listed: ListDetails) -> None:
        super().__init__(f"Member {address} of mailing list {listed.spelled} not found")


class MemberExists(BadRequest):
    def __init__(self, address: str) -> None:
        super().__init__(f"Address already exists '{address}'")


class InvalidVars(BadRequest):
    """Mailgun's own text is not known."""

    message = "'vars' parameter is not a valid JSON"


class InvalidSubscribed(BadRequest):
    """Mailgun's own text is not known."""

    message = "'subscribed' parameter is not yes or no"


class NotAMember(BadRequest):
    """Mailgun's own text is not known."""

    message = "Members are addresses or objects with an address"


class ListMember(SQLModel, table=True):
    """`address` in lower case is the key, `spelled` as it was given; `vars` is a JSON object."""

    __tablename__: ClassVar[Any] = "list_member"
    __table_args__ = ({"sqlite_with_rowid": False},)
    mailing_list_id: str = Field(foreign_key="mailing_list.id", ondelete="CASCADE", primary_key=True)
    address: str = Field(primary_key=True)
    spelled: str
    name: str = ""
    vars: str = "{}"
    subscribed: bool = True


class Member(NamedTuple):
    address: str
    spelled: str
    name: str
    vars: str
    subscribed: bool

    @property
    def recipient(self) -> Address:
        return Address(self.name, self.spelled)


class Given(NamedTuple):
    """What is said of a member; None leaves a known one as it is, and gives a new one the default."""

    spelled: str
    name: str | None = None
    vars: str | None = None
    subscribed: bool | None = None

    @property
    def address(self) -> str:
        return self.spelled.lower()


class _Total(NamedTuple):
    members: int


class _Address(NamedTuple):
    address: str


_OF_LIST = col(ListMember.mailing_list_id) == bindparam("list")
_ONE = (_OF_LIST, col(ListMember.address) == bindparam("address"))
_MEMBER = select(*columns(ListMember, Member._fields))
_FIND = Query(_MEMBER.where(*_ONE), Member)
_MATCHING = (
    _OF_LIST,
    func.coalesce(bindparam("only"), col(ListMember.address)) == col(ListMember.address),
    func.coalesce(bindparam("subscribed", type_=Boolean), col(ListMember.subscribed))
    == col(ListMember.subscribed),
)
_BETWEEN = (
    _MEMBER.where(
        *_MATCHING,
        col(ListMember.address) > bindparam("after"),
        col(ListMember.address) < bindparam("before"),
    )
    .limit(bindparam("limit"))
    .offset(bindparam("skip"))
)
_FORWARDS = Query(_BETWEEN.order_by(col(ListMember.address)), Member)
_BACKWARDS = Query(_BETWEEN.order_by(col(ListMember.address).desc()), Member)
_TOTAL = Query(select(func.count()).select_from(ListMember).where(*_MATCHING), _Total)

_KNOWN = Query(
    select(col(ListMember.address)).where(
        _OF_LIST,
        col(ListMember.address).in_(
            select(literal_column("value")).select_from(func.json_each(bindparam("addresses")))
        ),
    ),
    _Address,
)

_NAME, _VARS = bindparam("name", type_=String), bindparam("vars", type_=String)
_SUBSCRIBED = bindparam("subscribed", type_=Boolean)
_ADDED = insert(ListMember).values(
    mailing_list_id=bindparam("list"),
    address=bindparam("address"),
    spelled=bindparam("spelled"),
    name=func.coalesce(_NAME, ""),
    vars=func.coalesce(_VARS, "{}"),
    subscribed=func.coalesce(_SUBSCRIBED, True),
)
_KEY = ("mailing_list_id", "address")
_PUT = Statement(
    _ADDED.on_conflict_do_update(
        index_elements=_KEY,
        set_={
            "spelled": _ADDED.excluded.spelled,
            "name": func.coalesce(_NAME, col(ListMember.name)),
            "vars": func.coalesce(_VARS, col(ListMember.vars)),
            "subscribed": func.coalesce(_SUBSCRIBED, col(ListMember.subscribed)),
        },
    )
)
_ADD = Statement(_ADDED.on_conflict_do_nothing(index_elements=_KEY))
_RENAME = Statement(
    update(ListMember).where(*_ONE).values(address=bindparam("new_address"), spelled=bindparam("new_spelled"))
)
_UNSUBSCRIBE = Statement(update(ListMember).where(*_ONE).values(subscribed=False))
_DELETE = Statement(delete(ListMember).where(*_ONE))


def read(given: Mapping[str, Any] | str) -> Given:
    """As forms, JSON and CSV give a member: an address, or an object. Raise `BadRequest` for what is neither."""
    if isinstance(given, str):
        given = {"address": given}
    if not isinstance(given, Mapping):
        raise NotAMember(hint=f"{str(given)[:100]!a} is neither.")
    told = mailing_lists.read_address(_text(given, "address") or "")
    name = _text(given, "name")
    return Given(
        spelled=told.email,
        name=told.name or None if name is None else name,
        vars=_vars(given.get("vars")),
        subscribed=_flag(given.get("subscribed")),
    )


def _text(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    return None if value is None else str(value).strip()


def _vars(value: Any) -> str | None:
    """An object, or its JSON text."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = json_text.read(value)
        except ValueError:
            raise InvalidVars(hint=f"{value[:100]!a} is no JSON.") from None
    if not isinstance(value, dict):
        raise InvalidVars(hint="`vars` has to be an object.")
    return orjson.dumps(value).decode()


def _flag(value: Any) -> bool | None:
    if value is None or value == "" or isinstance(value, bool):
        return None if value == "" else value
    known = _FLAGS.get(str(value).strip().lower())
    if known is None:
        raise InvalidSubscribed(hint=f"{str(value)[:100]!a} is neither.")
    return known


def find(tx: Tx, listed: ListDetails, address: str) -> Member | None:
    tx.settle()
    return _FIND.find(tx, list=listed.id, address=address.lower())


def get(tx: Tx, listed: ListDetails, address: str) -> Member:
    found = find(tx, listed, address)
    if found is None:
        raise MemberNotFound(address, listed)
    return found


def list_page(
    tx: Tx,
    listed: ListDetails,
    *,
    only: str | None = None,
    subscribed: bool | None = None,
    after: str = "",
    before: str = "",
    skip: int = 0,
    limit: int = 100,
    backwards: bool = False,
) -> list[Member]:
    """By address, from behind `after` up to `before`; `backwards`: the last ones, last first."""
    tx.settle()
    return (_BACKWARDS if backwards else _FORWARDS).list(
        tx,
        list=listed.id,
        only=only.lower() if only else None,
        subscribed=subscribed,
        after=after.lower(),
        before=before.lower() or PAST_ALL,
        skip=skip,
        limit=limit,
    )


def count(tx: Tx, listed: ListDetails, *, only: str | None = None, subscribed: bool | None = None) -> int:
    tx.settle()
    found = _TOTAL.find(tx, list=listed.id, only=only.lower() if only else None, subscribed=subscribed)
    return found.members if found else 0


def known_among(tx: Tx, listed: ListDetails, emails: list[str]) -> set[str]:
    """Those of the addresses, in lower case, that are members."""
    tx.settle()
    asked = orjson.dumps([email.lower() for email in emails]).decode()
    return {found.address for found in _KNOWN.list(tx, list=listed.id, addresses=asked)}


def put_many(tx: Tx, listed: ListDetails, members: Iterable[Given], *, upsert: bool) -> None:
    """All in one go. Known ones are changed if `upsert`, else left as they are."""
    statement = _PUT if upsert else _ADD
    for member in members:
        statement.later(tx, list=listed.id, address=member.address, **member._asdict())


def create(tx: Tx, listed: ListDetails, member: Given, *, upsert: bool) -> Member:
    if not upsert and find(tx, listed, member.address) is not None:
        raise MemberExists(member.spelled)
    put_many(tx, listed, [member], upsert=upsert)
    return get(tx, listed, member.address)


def change(tx: Tx, listed: ListDetails, known: Member, member: Given) -> Member:
    """Set what is given, the address as well."""
    if member.address != known.address and find(tx, listed, member.address) is not None:
        raise MemberExists(member.spelled)
    _RENAME.run(
        tx,
        list=listed.id,
        address=known.address,
        new_address=member.address,
        new_spelled=member.spelled,
    )
    return create(tx, listed, member, upsert=True)


def delete_member(tx: Tx, listed: ListDetails, address: str) -> Member:
    """Return who is gone."""
    member = get(tx, listed, address)
    _DELETE.run(tx, list=listed.id, address=member.address)
    return member


def unsubscribe(tx: Tx, list_address: str, member: str) -> bool:
    """The list's mail no longer goes there; all other mail does. False: there is no such list or member."""
    listed = mailing_lists.find(tx, list_address)
    if listed is None:
        return False
    return _UNSUBSCRIBE.run(tx, list=listed.id, address=member.lower()).rowcount == 1
