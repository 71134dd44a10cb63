"""Mailing lists: addresses of the account that stand for many (facts/sending.md, 9)."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import UniqueConstraint, bindparam, delete, func, insert, literal_column, select, update
from sqlmodel import Field, SQLModel, col

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import addresses
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx

PAST_ALL = "\U0010ffff"
"""Comes after every address."""


class AccessLevel(StrEnum):
    """Who may post: authenticated senders, members, or anybody."""

    READONLY = "readonly"
    MEMBERS = "members"
    EVERYONE = "everyone"


class ReplyPreference(StrEnum):
    """Where replies to what was posted go."""

    LIST = "list"
    SENDER = "sender"


class MailingListNotFound(NotFound):
    """The bulk uploads put the address in quotes."""

    def __init__(self, address: str, *, quoted: bool = False) -> None:
        named = f"'{address}'" if quoted else address
        super().__init__(f"Mailing list {named} not found")


class DuplicateList(BadRequest):
    message = "Duplicate object"


class InvalidAccessLevel(BadRequest):
    def __init__(self, value: str) -> None:
        super().__init__(
            f"Invalid access level '{value}'. It can be any of: 'readonly', 'members', 'everyone'."
        )


class InvalidReplyPreference(BadRequest):
    def __init__(self, value: str) -> None:
        super().__init__(f"Invalid reply preference '{value}'. It can be any of: 'sender', 'list'")


class MissingAddress(BadRequest):
    """Mailgun's own text is not known."""

    message = "'address' parameter is missing"


class InvalidAddress(BadRequest):
    """Mailgun's own text is not known; this is how it words it for messages."""

    message = "'address' parameter is not a valid address. please check documentation"


class MailingList(SQLModel, table=True):
    """`address` in lower case is the key, `spelled` as it was given; `list_id` is empty as long as nobody set it."""

    __tablename__: ClassVar[Any] = "mailing_list"
    __table_args__ = (UniqueConstraint("account_id", "address"),)
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    address: str
    spelled: str
    name: str = ""
    description: str = ""
    access_level: str = AccessLevel.READONLY
    reply_preference: str = ReplyPreference.LIST
    list_id: str = ""
    created_at: float


class ListDetails(NamedTuple):
    """A list and how many members it has, whether subscribed or not."""

    id: str
    address: str
    spelled: str
    name: str
    description: str
    access_level: str
    reply_preference: str
    list_id: str
    created_at: float
    members_count: int

    @property
    def header_id(self) -> str:
        """What `List-Id` says (RFC 2919): the address with a dot, unless it was set."""
        return self.list_id or self.address.replace("@", ".")

    @property
    def takes_replies(self) -> bool:
        """Those to a read-only list go to the sender, whatever its preference."""
        return self.reply_preference == ReplyPreference.LIST and self.access_level != AccessLevel.READONLY

    @property
    def for_events(self) -> dict[str, str]:
        """How events of its members tell of it (facts/sending.md, 9)."""
        return {"address": self.spelled, "list-id": self.header_id, "sid": self.id}


class _Id(NamedTuple):
    id: str


class _Total(NamedTuple):
    lists: int


_OF_ACCOUNT = col(MailingList.account_id) == bindparam("account_id")
_MEMBERS: Any = literal_column(
    "(SELECT count(*) FROM list_member WHERE list_member.mailing_list_id = mailing_list.id)"
)
_DETAILS = select(*columns(MailingList, ListDetails._fields[:-1]), _MEMBERS).where(_OF_ACCOUNT)
_BY_ADDRESS = Query(_DETAILS.where(col(MailingList.address) == bindparam("address")), ListDetails)
_BY_ID = Query(_DETAILS.where(col(MailingList.id) == bindparam("id")), ListDetails)
_AMONG = Query(
    _DETAILS.where(
        col(MailingList.address).in_(
            select(literal_column("value")).select_from(func.json_each(bindparam("addresses")))
        )
    ),
    ListDetails,
)
_MATCHING = (
    func.coalesce(bindparam("address"), col(MailingList.address)) == col(MailingList.address),
    col(MailingList.address) > bindparam("after"),
    col(MailingList.address) < bindparam("before"),
)
_BETWEEN = _DETAILS.where(*_MATCHING).limit(bindparam("limit")).offset(bindparam("skip"))
_FORWARDS = Query(_BETWEEN.order_by(col(MailingList.address)), ListDetails)
_BACKWARDS = Query(_BETWEEN.order_by(col(MailingList.address).desc()), ListDetails)
_TOTAL = Query(
    select(func.count()).select_from(MailingList).where(_OF_ACCOUNT, _MATCHING[0]),
    _Total,
)
_ANY = Query(select(col(MailingList.id)).where(_OF_ACCOUNT).limit(1), _Id)
_INSERT = Statement(insert(MailingList))
_UPDATED = [name for name in MailingList.model_fields if name not in ("id", "account_id", "created_at")]
_UPDATE = Statement(
    update(MailingList)
    .where(col(MailingList.id) == bindparam("list"))
    .values({name: bindparam(name) for name in _UPDATED})
)
_DELETE = Statement(delete(MailingList).where(col(MailingList.id) == bindparam("id")))


def read_address(text: str) -> Address:
    """Of `Developers <devs@example.com>`, too. Raise `MissingAddress` or `InvalidAddress`."""
    if not text.strip():
        raise MissingAddress
    try:
        return addresses.parse(text)
    except addresses.NotAnAddress:
        raise InvalidAddress(hint=f"{text[:100]!a} is no e-mail address.") from None


def _access_level(value: str) -> str:
    if value not in set(AccessLevel):
        raise InvalidAccessLevel(value)
    return value


def _reply_preference(value: str) -> str:
    if value not in set(ReplyPreference):
        raise InvalidReplyPreference(value)
    return value


def find(tx: Tx, address: str) -> ListDetails | None:
    tx.settle()
    return _BY_ADDRESS.find(tx, account_id=tx.account_id, address=address.lower())


def find_by_id(tx: Tx, id: str) -> ListDetails | None:  # noqa: A002 - the column's own name
    tx.settle()
    return _BY_ID.find(tx, account_id=tx.account_id, id=id)


def get(tx: Tx, address: str, *, quoted: bool = False) -> ListDetails:
    found = find(tx, address)
    if found is None:
        raise MailingListNotFound(address, quoted=quoted)
    return found


def list_among(tx: Tx, recipients: Iterable[Address]) -> dict[str, ListDetails]:
    """Those that are lists of the account, by the address in lower case; mostly none."""
    if _ANY.recall(tx, account_id=tx.account_id) is None:
        return {}
    asked = orjson.dumps([each.email.lower() for each in recipients]).decode()
    return {found.address: found for found in _AMONG.list(tx, account_id=tx.account_id, addresses=asked)}


def list_page(
    tx: Tx,
    *,
    address: str | None = None,
    after: str = "",
    before: str = "",
    skip: int = 0,
    limit: int = 100,
    backwards: bool = False,
) -> list[ListDetails]:
    """By address, from behind `after` up to `before`; `backwards`: the last ones, last first."""
    tx.settle()
    return (_BACKWARDS if backwards else _FORWARDS).list(
        tx,
        account_id=tx.account_id,
        address=address.lower() if address else None,
        after=after.lower(),
        before=before.lower() or PAST_ALL,
        skip=skip,
        limit=limit,
    )


def count(tx: Tx, address: str | None = None) -> int:
    found = _TOTAL.find(tx, account_id=tx.account_id, address=address.lower() if address else None)
    return found.lists if found else 0


def create(
    tx: Tx,
    address: str,
    *,
    name: str | None = None,
    description: str = "",
    access_level: str = "",
    reply_preference: str = "",
) -> ListDetails:
    """What is empty has its default; a name may also stand before the address."""
    given = read_address(address)
    made = MailingList(
        id=tx.ids.object_id(),
        account_id=tx.account_id,
        address=given.email.lower(),
        spelled=given.email,
        name=given.name if name is None else name,
        description=description,
        access_level=_access_level(access_level or AccessLevel.READONLY),
        reply_preference=_reply_preference(reply_preference or ReplyPreference.LIST),
        created_at=tx.now,
    )
    if find(tx, made.address) is not None:
        raise DuplicateList(hint=f"There is a list {made.address} already.")
    _INSERT.run(tx, **made.model_dump())
    return get(tx, made.address)


def change(tx: Tx, listed: ListDetails, **given: str) -> ListDetails:
    """Set what is given: address, name, description, access_level, reply_preference, list_id."""
    row = {name: getattr(listed, name) for name in _UPDATED} | given
    if "address" in given:
        address = read_address(given["address"]).email
        row["address"], row["spelled"] = address.lower(), address
        twin = find(tx, address)
        if twin is not None and twin.id != listed.id:
            raise DuplicateList(hint=f"There is a list {address} already.")
    _access_level(row["access_level"])
    _reply_preference(row["reply_preference"])
    _UPDATE.run(tx, list=listed.id, **row)
    return get(tx, row["address"])


def delete_list(tx: Tx, listed: ListDetails) -> None:
    """With its members; what was posted to it and not yet handed on goes to nobody."""
    tx.settle()
    _DELETE.run(tx, id=listed.id)
