"""Rules that say what becomes of deliveries: an account's own, in their order, the first that fits."""

from fnmatch import fnmatchcase
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import Index, bindparam, column, delete, exists, func, insert, table, update
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx


class RuleNotFound(NotFound):
    """Only `/_emulator` knows rules, so the words are our own."""

    def __init__(self, rule_id: str) -> None:
        super().__init__(
            f"There is no outcome rule {rule_id}; GET /_emulator/outcomes lists those there are."
        )


class OutcomeRule(SQLModel, table=True):
    """`wanted` says which deliveries it is for, `outcome` what becomes of them; both are JSON.

    `wanted` has globs (`recipient`, `recipient_domain`, `domain`, `sender`, `tag`, `subject`) and says which of the
    deliveries that fit them (`nth`, `every`, `probability`). `outcome` is what `pipeline.outcomes.outcome_of` reads.
    So many deliveries were `seen` that the globs fit; `hits` of them it was applied to, `times` at most.
    """

    __tablename__: ClassVar[Any] = "outcome_rule"
    __table_args__ = (Index("outcome_rule_order", "account_id", "position"),)
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    position: int
    wanted: str
    outcome: str
    times: int | None = None
    seen: int = 0
    hits: int = 0


class Rule(NamedTuple):
    id: str
    wanted: str
    outcome: str
    times: int | None
    seen: int
    hits: int


class Delivery(NamedTuple):
    """What rules look at: `senders` are the addresses of envelope and `From`."""

    recipient: str
    domain: str
    senders: tuple[str, ...]
    tags: tuple[str, ...]
    subject: str

    def values(self, name: str) -> tuple[str, ...]:
        match name:
            case "recipient":
                return (self.recipient,)
            case "recipient_domain":
                return (self.recipient.rpartition("@")[2],)
            case "domain":
                return (self.domain,)
            case "sender":
                return self.senders
            case "tag":
                return self.tags
            case _:
                return (self.subject,)


class _Any(NamedTuple):
    rules: int
    listed: int


class _Last(NamedTuple):
    position: int


GLOBS = ("recipient", "recipient_domain", "domain", "sender", "tag", "subject")

_OF_ACCOUNT = col(OutcomeRule.account_id) == bindparam("account_id")
_ONE = (_OF_ACCOUNT, col(OutcomeRule.id) == bindparam("id"))
_FIELDS = columns(OutcomeRule, Rule._fields)
_LISTED = table("blocklisting", column("account_id"), column("delisted_at"))
"""`state.blocklistings`, which few need: what stands there has its mail refused."""
_ANY = Query(
    select(
        exists().where(_OF_ACCOUNT),
        exists().where(_LISTED.c.account_id == bindparam("account_id"), _LISTED.c.delisted_at.is_(None)),
    ),
    _Any,
)
_LIST = Query(select(*_FIELDS).where(_OF_ACCOUNT).order_by(col(OutcomeRule.position)), Rule)
_FIND = Query(select(*_FIELDS).where(*_ONE), Rule)
_LAST = Query(select(func.coalesce(func.max(OutcomeRule.position), 0)).where(_OF_ACCOUNT), _Last)
_INSERT = Statement(insert(OutcomeRule).values({name: bindparam(name) for name in OutcomeRule.model_fields}))
_REPLACE = Statement(
    update(OutcomeRule)
    .where(*_ONE)
    .values(
        wanted=bindparam("wanted"), outcome=bindparam("outcome"), times=bindparam("times"), seen=0, hits=0
    )
)
_COUNT = Statement(
    update(OutcomeRule)
    .where(*_ONE)
    .values(seen=col(OutcomeRule.seen) + 1, hits=col(OutcomeRule.hits) + bindparam("more"))
)
_DELETE = Statement(delete(OutcomeRule).where(*_ONE))
_CLEAR = Statement(delete(OutcomeRule).where(_OF_ACCOUNT))


def create(tx: Tx, wanted: dict[str, Any], outcome: dict[str, Any], times: int | None = None) -> Rule:
    """It comes after those there are."""
    last = _LAST.find(tx, account_id=tx.account_id)
    rule = Rule(tx.ids.object_id(), _json(wanted), _json(outcome), times, 0, 0)
    position = last.position + 1 if last else 1
    _INSERT.run(tx, account_id=tx.account_id, position=position, **rule._asdict())
    return rule


def find(tx: Tx, rule_id: str) -> Rule | None:
    return _FIND.find(tx, account_id=tx.account_id, id=rule_id)


def get(tx: Tx, rule_id: str) -> Rule:
    rule = find(tx, rule_id)
    if rule is None:
        raise RuleNotFound(rule_id)
    return rule


def list_rules(tx: Tx) -> list[Rule]:
    return _LIST.list(tx, account_id=tx.account_id)


def put(tx: Tx, rule_id: str, wanted: dict[str, Any], outcome: dict[str, Any], times: int | None) -> Rule:
    """Replace it where it stands; it counts from the start."""
    get(tx, rule_id)
    _REPLACE.run(
        tx,
        account_id=tx.account_id,
        id=rule_id,
        wanted=_json(wanted),
        outcome=_json(outcome),
        times=times,
    )
    return get(tx, rule_id)


def delete_rule(tx: Tx, rule_id: str) -> None:
    """What it has begun goes on as if it had never been there."""
    if _DELETE.run(tx, account_id=tx.account_id, id=rule_id).rowcount == 0:
        raise RuleNotFound(rule_id)


def clear(tx: Tx) -> None:
    _CLEAR.run(tx, account_id=tx.account_id)


def exist(tx: Tx) -> bool:
    """Whether the account has any, or anything on a blocklist: asked of every delivery, so it is remembered."""
    found = _ANY.recall(tx, account_id=tx.account_id)
    return found is not None and any(found)


def is_listed(tx: Tx) -> bool:
    """Whether anything of the account stands on a blocklist."""
    found = _ANY.recall(tx, account_id=tx.account_id)
    return found is not None and bool(found.listed)


def choose(tx: Tx, delivery: Delivery) -> Rule | None:
    """The first that fits, whose turn it is; it is counted, and so are those before it that only fit."""
    for rule in list_rules(tx):
        wanted = orjson.loads(rule.wanted)
        if not fits(wanted, delivery):
            continue
        applies = _is_its_turn(tx, rule, wanted)
        _COUNT.run(tx, account_id=tx.account_id, id=rule.id, more=int(applies))
        if applies:
            return rule
    return None


def fits(wanted: dict[str, Any], delivery: Delivery) -> bool:
    """Whether all its globs do, whatever the case."""
    return all(
        any(fnmatchcase(value.lower(), wanted[name].lower()) for value in delivery.values(name))
        for name in GLOBS
        if name in wanted
    )


def _is_its_turn(tx: Tx, rule: Rule, wanted: dict[str, Any]) -> bool:
    number = rule.seen + 1
    if rule.times is not None and rule.hits >= rule.times:
        return False
    if number != wanted.get("nth", number) or number % wanted.get("every", 1):
        return False
    return "probability" not in wanted or tx.ids.fraction() < wanted["probability"]


def _json(value: dict[str, Any]) -> str:
    return orjson.dumps(value).decode()
