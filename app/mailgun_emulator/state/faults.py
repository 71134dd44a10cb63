"""Faults: what goes wrong with requests, messages and webhooks because a test asked for it; an account's own."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import Index, bindparam, delete, func, insert, update
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.statements import Query, Statement, columns
from mailgun_emulator.state.transaction import Tx

OF_CALLS = {"method", "path", "operation"}
"""What only requests to the API have."""
SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0}


class FaultNotFound(NotFound):
    """Only `/_emulator` knows faults, so the words are our own."""

    def __init__(self, fault_id: str) -> None:
        super().__init__(f"There is no fault {fault_id}; GET /_emulator/faults lists those there are.")


class FaultRow(SQLModel, table=True):
    """`wanted` says what it is for, `does` what goes wrong; both are JSON as `/_emulator/faults` has it.

    So many were `seen` that its globs fit; `hits` of them it was applied to, `times` at most. A quota was `used` so
    far in a window that ends at `until`, by the account's clock.
    """

    __tablename__: ClassVar[Any] = "fault"
    __table_args__ = (Index("fault_order", "account_id", "position"),)
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    position: int
    wanted: str
    does: str
    times: int | None = None
    seen: int = 0
    hits: int = 0
    used: int = 0
    until: float = 0.0


class Kept(NamedTuple):
    id: str
    wanted: str
    does: str
    times: int | None
    seen: int
    hits: int
    used: int
    until: float


class Fault(NamedTuple):
    """As it is kept, read."""

    id: str
    wanted: dict[str, Any]
    does: dict[str, Any]
    times: int | None
    seen: int
    hits: int
    used: int
    until: float

    @property
    def quota(self) -> "Quota | None":
        """Of requests or of messages, if it is one."""
        asked = self.does.get("quota")
        if asked is None:
            return None
        what = "messages" if "messages" in asked else "requests"
        return Quota(self.id, what, asked[what], SECONDS[asked["per"]], self.used, self.until)


class Quota(NamedTuple):
    """`limit` of `what` in a window of so many `seconds`; the first of them opens it.

    `used` are those in the window that ends at `until`.
    """

    id: str
    what: str
    limit: int
    seconds: float
    used: int
    until: float

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)

    def at(self, now: float) -> "Quota":
        """As it stands then; a window that is over, or that a clock set back left behind, counts no more."""
        if self.until - self.seconds <= now < self.until:
            return self
        return self._replace(used=0, until=now + self.seconds)


class Call(NamedTuple):
    """A request to the API: what faults look at. `operations` are the names that its operation goes by."""

    method: str
    path: str
    operations: tuple[str, ...]
    domain: str
    sends: bool


class Met(NamedTuple):
    """`fault` is what goes wrong, if anything does; `quotas` are those that count it."""

    fault: Fault | None
    quotas: list[Quota]


class _Last(NamedTuple):
    position: int


class _Name(NamedTuple):
    name: str


_OF_ACCOUNT = col(FaultRow.account_id) == bindparam("account_id")
_ONE = (_OF_ACCOUNT, col(FaultRow.id) == bindparam("id"))
_FIELDS = columns(FaultRow, Kept._fields)
_LIST = Query(select(*_FIELDS).where(_OF_ACCOUNT).order_by(col(FaultRow.position)), Kept)
_FIND = Query(select(*_FIELDS).where(*_ONE), Kept)
_LAST = Query(select(func.coalesce(func.max(FaultRow.position), 0)).where(_OF_ACCOUNT), _Last)
_DOMAIN = Query(select(Domain.name).where(col(Domain.id) == bindparam("id")), _Name)
_INSERT = Statement(insert(FaultRow).values({name: bindparam(name) for name in FaultRow.model_fields}))
_COUNT = Statement(
    update(FaultRow)
    .where(*_ONE)
    .values(seen=col(FaultRow.seen) + 1, hits=col(FaultRow.hits) + bindparam("more"))
)
_USE = Statement(update(FaultRow).where(*_ONE).values(used=bindparam("used"), until=bindparam("until")))
_DELETE = Statement(delete(FaultRow).where(*_ONE))
_CLEAR = Statement(delete(FaultRow).where(_OF_ACCOUNT))


def create(tx: Tx, wanted: dict[str, Any], does: dict[str, Any], times: int | None = None) -> Fault:
    """It comes after those there are."""
    last = _LAST.find(tx, account_id=tx.account_id)
    fault = Fault(tx.ids.object_id(), wanted, does, times, 0, 0, 0, 0.0)
    texts = {"wanted": orjson.dumps(wanted).decode(), "does": orjson.dumps(does).decode()}
    position = last.position + 1 if last else 1
    _INSERT.run(tx, account_id=tx.account_id, position=position, **{**fault._asdict(), **texts})
    tx.read_marks()
    return fault


def get(tx: Tx, fault_id: str) -> Fault:
    kept = _FIND.find(tx, account_id=tx.account_id, id=fault_id)
    if kept is None:
        raise FaultNotFound(fault_id)
    return _read(kept)


def list_faults(tx: Tx) -> list[Fault]:
    return [_read(kept) for kept in _LIST.list(tx, account_id=tx.account_id)]


def delete_fault(tx: Tx, fault_id: str) -> None:
    if _DELETE.run(tx, account_id=tx.account_id, id=fault_id).rowcount == 0:
        raise FaultNotFound(fault_id)
    tx.read_marks()


def clear(tx: Tx) -> None:
    _CLEAR.run(tx, account_id=tx.account_id)
    tx.read_marks()


def meet_call(tx: Tx, call: Call) -> Met:
    """The first fault whose turn it is; it is counted, and so are those before it that only fit."""
    quotas: list[Quota] = []
    for fault in list_faults(tx):
        if not _fits_call(fault, call):
            continue
        quota = fault.quota
        if quota is not None:
            quotas.append(quota)
        if quota is not None and quota.what == "messages":
            continue  # they are counted when it is known how many they are: see `use`
        if _takes_turn(tx, fault) if quota is None else not use(tx, quota, 1):
            return Met(fault, quotas)
    return Met(None, quotas)


def meet_submission(tx: Tx, domain: str) -> Fault | None:
    """As `meet_call`, for what is sent by SMTP, where there is no request."""
    for fault in list_faults(tx):
        fits = (
            "reason" in fault.does
            and not OF_CALLS & fault.wanted.keys()
            and _glob(fault.wanted, "domain", domain)
        )
        if fits and _takes_turn(tx, fault):
            return fault
    return None


def meet_post(tx: Tx, url: str, domain_id: str | None) -> Fault | None:
    """As `meet_call`, for what is posted to the outside."""
    found = _DOMAIN.find(tx, id=domain_id)
    domain = found.name if found else ""
    for fault in list_faults(tx):
        wanted = fault.wanted
        fits = "webhook" in wanted and _glob(wanted, "webhook", url) and _glob(wanted, "domain", domain)
        if fits and _takes_turn(tx, fault):
            return fault
    return None


def message_quotas(tx: Tx, domain: str) -> Iterator[Quota]:
    """Those that count the recipients of what this domain sends."""
    for fault in list_faults(tx):
        quota = fault.quota
        if quota is not None and quota.what == "messages" and _glob(fault.wanted, "domain", domain):
            yield quota


def use(tx: Tx, quota: Quota, number: int) -> bool:
    """So many more; False, and nothing is used, if they don't all fit."""
    now = quota.at(tx.now)
    fits = number <= now.remaining
    _count(tx, quota.id, hit=not fits)
    if fits:
        _USE.run(tx, account_id=tx.account_id, id=quota.id, used=now.used + number, until=now.until)
    return fits


def list_quotas(tx: Tx, ids: Iterable[str]) -> list[Quota]:
    """Of the faults of these ids those that are still there, as they stand now."""
    found = (_FIND.find(tx, account_id=tx.account_id, id=each) for each in ids)
    quotas = (_read(kept).quota for kept in found if kept is not None)
    return [quota.at(tx.now) for quota in quotas if quota is not None]


def _read(kept: Kept) -> Fault:
    read = {"wanted": orjson.loads(kept.wanted), "does": orjson.loads(kept.does)}
    return Fault(**{**kept._asdict(), **read})


def _count(tx: Tx, fault_id: str, *, hit: bool) -> None:
    _COUNT.run(tx, account_id=tx.account_id, id=fault_id, more=int(hit))


def _fits_call(fault: Fault, call: Call) -> bool:
    wanted = fault.wanted
    if "webhook" in wanted or ("reason" in fault.does and not call.sends):
        return False
    if fault.does.get("quota", {}).get("messages") is not None and not call.sends:
        return False
    return (
        wanted.get("method", call.method).upper() == call.method
        and _glob(wanted, "path", call.path)
        and _glob(wanted, "domain", call.domain)
        and any(_glob(wanted, "operation", name) for name in call.operations or ("",))
    )


def _glob(wanted: dict[str, Any], name: str, value: str) -> bool:
    """Whatever the case. What there is not fits no glob."""
    return name not in wanted or (value != "" and fnmatchcase(value.lower(), wanted[name].lower()))


def _takes_turn(tx: Tx, fault: Fault) -> bool:
    applies = _is_its_turn(tx, fault)
    _count(tx, fault.id, hit=applies)
    return applies


def _is_its_turn(tx: Tx, fault: Fault) -> bool:
    """`nth` alone is once; with `times` it goes on from there."""
    number, nth = fault.seen + 1, fault.wanted.get("nth")
    times = 1 if fault.times is None and nth is not None else fault.times
    if times is not None and fault.hits >= times:
        return False
    if number < (nth or 1) or number % fault.wanted.get("every", 1):
        return False
    return "probability" not in fault.wanted or tx.ids.fraction() < fault.wanted["probability"]
