"""Dedicated IPs that are new and send more from stage to stage (facts/account.md, 5.4).

How long a stage lasts is not published: it is over once all is sent that it allows, which takes forty hours at the
least, and after two days in any case, so that a plan takes a month at the most.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlmodel import Field, SQLModel

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail.periods import HOUR
from mailgun_emulator.state import account_ips, rows
from mailgun_emulator.state.transaction import Tx

STAGE_SECONDS = 48 * HOUR
STAGES = (
    *(1_000, 2_000, 4_000, 8_000, 15_000),
    *(25_000, 40_000, 60_000, 85_000, 120_000),
    *(160_000, 210_000, 270_000, 340_000, 420_000),
)
"""How much each stage allows: four as in the published examples, and as many as there."""
PART_IN_AN_HOUR = 40
"""A fortieth of it in an hour, as in the published example."""
_KEY = {"account_id", "ip"}
_OWN_OR_PARENTS = "account_id IN (:own, :parent)"


class WarmupNotFound(NotFound):
    message = "no warmup in progress for this IP"


class WarmupExists(BadRequest):
    message = "warmup is already in progress for this IP"


class Stage(NamedTuple):
    """One that is over. `first_sent_at` is 0 if nothing was sent in it."""

    first_sent_at: float
    completed_at: float
    limit: int


class IpWarmup(SQLModel, table=True):
    """`stage` counts from 0; `start_volume` is what the IP had sent when it began, `sent` what it has since.

    `sent_in_hour` counts from `hour_started_at`; an hour begins with the stage. `first_sent_at` is 0 as long as nothing
    was sent in the stage. `history` is a JSON list of `Stage`. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "ip_warmup"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    ip: str = Field(primary_key=True)
    started_at: float
    updated_at: float
    stage: int = 0
    stage_started_at: float
    start_volume: int = 0
    sent: int = 0
    first_sent_at: float = 0.0
    hour_started_at: float
    sent_in_hour: int = 0
    history: str = "[]"

    @property
    def is_over(self) -> bool:
        return self.stage >= len(STAGES)

    @property
    def limit(self) -> int:
        return STAGES[self.stage]

    @property
    def hourly_limit(self) -> int:
        return self.limit // PART_IN_AN_HOUR

    @property
    def throttle(self) -> int:
        """How much the IP may send until the hour is over."""
        return max(min(self.hourly_limit - self.sent_in_hour, self.limit - self.sent), 0)

    @property
    def stages(self) -> list[Stage]:
        """Those that are over."""
        return [Stage(*each) for each in orjson.loads(self.history)]

    def go_on(self, now: float) -> None:
        """To the stage and the hour that it is in by now."""
        while not self.is_over and now >= self.stage_started_at + STAGE_SECONDS:
            self._next_stage(self.stage_started_at + STAGE_SECONDS)
        if self.is_over:
            return
        hours = max(now - self.stage_started_at, 0) // HOUR
        if self.stage_started_at + hours * HOUR != self.hour_started_at:
            self.hour_started_at, self.sent_in_hour = self.stage_started_at + hours * HOUR, 0

    def count(self, now: float) -> None:
        self.first_sent_at = self.first_sent_at or now
        self.sent, self.sent_in_hour, self.updated_at = self.sent + 1, self.sent_in_hour + 1, now
        if self.sent >= self.limit:
            self._next_stage(now)

    def _next_stage(self, at: float) -> None:
        done = (self.first_sent_at, at, self.limit)
        self.history = orjson.dumps([*orjson.loads(self.history), done]).decode()
        self.stage, self.stage_started_at, self.updated_at = self.stage + 1, at, at
        self.start_volume, self.sent, self.first_sent_at = self.start_volume + self.sent, 0, 0.0
        self.hour_started_at, self.sent_in_hour = at, 0


def list_all(tx: Tx) -> list[IpWarmup]:
    """Those in progress, as they are by now, in the order of their IPs."""
    return _read(tx, "account_id = :own", {"own": tx.account_id})


def list_ips(tx: Tx) -> set[str]:
    """IPs on warm-up which the account has itself or from its parent."""
    return set(list_usable(tx))


def is_on_warmup(tx: Tx, ip: str) -> bool:
    return ip in list_ips(tx)


def peek(tx: Tx) -> set[str]:
    """IPs with a plan, be it over, which the account has itself or from its parent."""
    found = tx.read(f"SELECT ip FROM ip_warmup WHERE {_OWN_OR_PARENTS}", _owners(tx))  # noqa: S608 - a constant
    return {ip for (ip,) in found}


def list_usable(tx: Tx) -> dict[str, IpWarmup]:
    """Those in progress, by the IPs, which the account has itself or from its parent."""
    return {each.ip: each for each in _read(tx, _OWN_OR_PARENTS, _owners(tx))}


def get(tx: Tx, ip: str) -> IpWarmup:
    """Refuse an IP that isn't the account's own before one that is not on warm-up."""
    account_ips.get_dedicated(tx, ip)
    found = _read(tx, "account_id = :own AND ip = :ip", {"own": tx.account_id, "ip": ip})
    if not found:
        raise WarmupNotFound
    return found[0]


def count(tx: Tx, warmup: IpWarmup) -> None:
    """One message more was sent."""
    warmup.count(tx.now_of(warmup.account_id))
    if warmup.is_over:
        _forget(tx, warmup)
    else:
        rows.update(tx, IpWarmup, _key(warmup), warmup.model_dump(exclude=_KEY))


def _owners(tx: Tx) -> dict[str, str | None]:
    return {"own": tx.account_id, "parent": tx.parent_id}


def _read(tx: Tx, where: str, parameters: Mapping[str, Any]) -> list[IpWarmup]:
    """What is over is forgotten. Each message asks, so no session is begun."""
    names = tuple(IpWarmup.model_fields)
    sql = f"SELECT {', '.join(names)} FROM ip_warmup WHERE {where} ORDER BY ip"  # noqa: S608 - names of columns
    going_on: list[IpWarmup] = []
    for found in tx.read(sql, dict(parameters)).fetchall():
        warmup = IpWarmup(**dict(zip(names, found, strict=True)))
        warmup.go_on(tx.now_of(warmup.account_id))
        if warmup.is_over:
            _forget(tx, warmup)
        else:
            going_on.append(warmup)
    return going_on


def create(tx: Tx, ip: str) -> None:
    if not account_ips.get_dedicated(tx, ip).enabled:
        raise account_ips.DisabledIp(ip)
    if is_on_warmup(tx, ip):
        raise WarmupExists
    times = ("started_at", "updated_at", "stage_started_at", "hour_started_at")
    begun: dict[str, Any] = dict.fromkeys(times, tx.now)
    tx.add(IpWarmup(account_id=tx.account_id, ip=ip, start_volume=_sent_by(tx, ip), **begun))


def delete(tx: Tx, ip: str) -> None:
    _forget(tx, get(tx, ip))


def _forget(tx: Tx, warmup: IpWarmup) -> None:
    rows.delete(tx, IpWarmup, _key(warmup))


def _key(warmup: IpWarmup) -> dict[str, Any]:
    return warmup.model_dump(include=_KEY)


def _sent_by(tx: Tx, ip: str) -> int:
    """What it has sent so far, for the account and its subaccounts."""
    tx.settle()
    (sent,) = tx.read(
        "SELECT coalesce(sum(count), 0) FROM domain JOIN dimension_count ON domain_id = domain.id "
        "WHERE domain.account_id IN (SELECT id FROM account WHERE id = :account_id OR parent_id = :account_id) "
        "AND ip = :ip AND (metric LIKE 'delivered.%' OR metric LIKE 'failed.%')",
        {"account_id": tx.account_id, "ip": ip},
    ).fetchone()
    return int(sent)
