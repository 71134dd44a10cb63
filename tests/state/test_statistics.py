import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

import orjson

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.mail import dates, periods
from mailgun_emulator.mail.periods import DAY, HOUR, Resolution
from mailgun_emulator.pipeline.record import record
from mailgun_emulator.pipeline.tally import metric_of
from mailgun_emulator.state import accounts, domains, statistics
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.predicates import Predicate
from mailgun_emulator.state.statistics import By, Question
from mailgun_emulator.state.transaction import Tx

START = dates.parse("Wed, 30 Dec 2026 22:10:00 UTC")
STEPS = (0.0, 50 * 60, 2 * HOUR, DAY, 20 * DAY, 15 * DAY, 40 * DAY)
"""From one round of events to the next: over the ends of hours, days, months and a year."""
ENVELOPE = {"sending-ip": "127.0.0.1", "transport": "smtp"}
STATUS = {"attempt-no": 1, "code": 550, "enhanced-code": "5.1.1", "message": "5.1.1 No such user"}
CLIENT = {"client-info": {"device-type": "mobile", "bot": "apple"}, "geolocation": {"country": "US"}}
HARD = {"severity": "permanent", "reason": "bounce", "delivery-status": {**STATUS, "bounce-type": "hard"}}
KINDS: tuple[tuple[EventType, dict[str, Any]], ...] = (
    (EventType.ACCEPTED, {}),
    (EventType.ACCEPTED, {"flags": {"is-authenticated": False}}),
    (EventType.DELIVERED, {"envelope": ENVELOPE, "delivery-status": {"attempt-no": 1}}),
    (EventType.DELIVERED, {"envelope": ENVELOPE, "delivery-status": {"attempt-no": 3}}),
    (EventType.DELIVERED, {"envelope": ENVELOPE, "i-delivery-optimizer": "sto"}),
    (EventType.DELIVERED, {"envelope": {"transport": "http"}}),
    (EventType.FAILED, {"severity": "temporary", "reason": "generic", "delivery-status": {"code": 421}}),
    (EventType.FAILED, HARD),
    (EventType.FAILED, {"severity": "permanent", "reason": "generic", "flags": {"is-delayed-bounce": True}}),
    (
        EventType.FAILED,
        {"severity": "permanent", "reason": "suppress-bounce", "delivery-status": {"code": 605}},
    ),
    (EventType.OPENED, CLIENT),
    (EventType.CLICKED, {**CLIENT, "url": "https://x.com/"}),
    (EventType.COMPLAINED, {}),
    (EventType.STORED, {}),
)
BESIDES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "delivered+retried": lambda event: event.get("delivery-status", {}).get("attempt-no", 1) > 1,
    "delivered+optimized": lambda event: "i-delivery-optimizer" in event,
    "failed+hard": lambda event: event.get("delivery-status", {}).get("bounce-type") == "hard",
    "failed+rule.permanent.a206": lambda event: event.get("delivery-status", {}).get("code") == 550,
    "failed+rule.temporary.a211": lambda event: event.get("delivery-status", {}).get("code") == 421,
}
"""What is counted besides of some events."""
EVENTS = tuple(kind.value for kind in EventType)


def message(domain_id: str, domain_name: str, tags: list[str], number: int) -> SentMessage:
    known: dict[str, Any] = {
        "domain_id": domain_id,
        "domain_name": domain_name,
        "tags": orjson.dumps(tags).decode(),
        "variables": "{}",
        "message_id": f"{number}@{domain_name}",
    }
    return SentMessage._make(known.get(name) for name in SentMessage._fields)


async def make_events(database: Database, clock: Clock) -> tuple[str, dict[str, str]]:
    """Some of each kind for two domains of an account, each with other tags, in every round; and for another's."""
    async with database.begin() as tx:
        account_id = accounts.create(tx, domain_names=("one.example.com", "two.example.com")).id
        stranger = accounts.create(tx, domain_names=("other.example.com",)).id
        tx.account_id = account_id
        ids = {name: domains.get(tx, name).id for name in ("one.example.com", "two.example.com")}
        tx.account_id = stranger
        ids["other.example.com"] = domains.get(tx, "other.example.com").id
    for number, step in enumerate(STEPS):
        clock.advance(step)
        async with database.begin(account_id) as tx:
            for place, (name, domain_id) in enumerate(ids.items()):
                tags = [[], ["News"], ["news", "Sale", "NEWS"]][(number + place) % 3]
                about = message(domain_id, name, tags, number)
                for again, (kind, fields) in enumerate(KINDS):
                    for _ in range(1 + (number + again) % 3):
                        record(tx, kind, about, "bob@gmail.com", fields)
    return account_id, ids


def recount(
    tx: Tx, domain_ids: list[str], resolution: Resolution, tag: str | None = None
) -> dict[int, dict[str, int]]:
    """The events themselves, counted from their JSON."""
    found: dict[int, Counter[str]] = defaultdict(Counter)
    known: set[tuple[str, ...]] = set()
    for domain_id, payload in tx.execute("SELECT domain_id, payload FROM event ORDER BY id", {}):
        event = orjson.loads(payload)
        of_recipient = (domain_id, event["event"], str(event["timestamp"]))
        first = of_recipient not in known
        known.add(of_recipient)
        if domain_id in domain_ids and (tag is None or tag in {each.lower() for each in event["tags"] or ()}):
            at = periods.floor(event["timestamp"], resolution)
            found[at][metric_of(EventType(event["event"]), event)] += 1
            for metric, holds in BESIDES.items():
                if metric.startswith(event["event"]) and holds(event):
                    found[at][metric] += 1
            if event["event"] in ("opened", "clicked") and first:
                found[at][f"{event['event']}+unique"] += 1
    return {at: dict(counter) for at, counter in found.items()}


def test_counts_are_those_of_the_events() -> None:
    async def check() -> None:
        clock = Clock()
        clock.freeze(START)
        database = Database(Settings(database=":memory:"), clock)
        account_id, ids = await make_events(database, clock)
        own = [ids["one.example.com"], ids["two.example.com"]]
        async with database.begin(account_id) as tx:
            for resolution in Resolution:
                period = periods.period(START, tx.now, resolution)
                by_events = recount(tx, own, resolution)
                assert set(by_events) <= set(period.buckets())
                assert statistics.counts(tx, EVENTS, period) == by_events
                for domain_id in own:
                    where = {"domain_id": domain_id}
                    by_events = recount(tx, [domain_id], resolution)
                    assert statistics.counts(tx, EVENTS, period, where=where) == by_events
                    for tag in ("news", "sale"):
                        by_events = recount(tx, [domain_id], resolution, tag)
                        assert statistics.counts(tx, EVENTS, period, where={**where, "tag": tag}) == by_events

    asyncio.run(check())


def test_the_parts_of_a_group_add_up_to_the_total() -> None:
    async def check() -> None:
        clock = Clock()
        clock.freeze(START)
        database = Database(Settings(database=":memory:"), clock)
        account_id, _ = await make_events(database, clock)
        async with database.begin(account_id) as tx:
            period = periods.period(START, tx.now, Resolution.DAY)
            total = statistics.counts(tx, EVENTS, period, by=By.TOTAL)[""]
            assert total["accepted.outgoing"] > 0
            for by in (By.TIME, By.DOMAIN, By.SUBACCOUNT, By.PROVIDER, By.COUNTRY, By.DEVICE):
                summed: Counter[str] = Counter()
                for part in statistics.counts(tx, EVENTS, period, by=by).values():
                    summed.update(part)
                assert dict(summed) == total, by
            by_ip = statistics.counts(tx, ["delivered"], period, by=By.IP)
            assert by_ip["127.0.0.1"]["delivered.smtp"] == total["delivered.smtp"]
            opened = statistics.counts(tx, ["opened"], period, by=By.DEVICE, where={By.COUNTRY: "us"})
            assert opened == {"mobile": {name: total[name] for name in ("opened", "opened+unique")}}

    asyncio.run(check())


def test_only_the_events_that_are_asked_for_and_the_period_are_counted() -> None:
    async def check() -> None:
        clock = Clock()
        clock.freeze(START)
        database = Database(Settings(database=":memory:"), clock)
        async with database.begin() as tx:
            tx.account_id = accounts.create(tx, domain_names=("one.example.com",)).id
            domain_id = domains.get(tx, "one.example.com").id
            statistics.count(tx, domain_id, "accepted.outgoing", [])
            statistics.count(tx, domain_id, "clicked", [], country="US", device="mobile")
            statistics.count(tx, domain_id, "clicked+unique", [], country="US", device="mobile")
            today = periods.period(tx.now, tx.now, Resolution.DAY)
            assert statistics.counts(tx, ["clicked"], today) == {
                today.start: {"clicked": 1, "clicked+unique": 1}
            }
            assert statistics.counts(tx, ["accepted"], today, where={By.COUNTRY: "us"}) == {}
            assert statistics.counts(tx, ["clicked"], today, by=By.DEVICE, where={By.COUNTRY: "us"}) == {
                "mobile": {"clicked": 1, "clicked+unique": 1}
            }
            yesterday = periods.period(tx.now - DAY, tx.now - DAY, Resolution.DAY)
            assert statistics.counts(tx, EVENTS, yesterday) == {}

    asyncio.run(check())


def test_metrics_are_told_apart_by_any_dimension_and_filtered() -> None:
    async def check() -> None:
        clock = Clock()
        clock.freeze(START)
        database = Database(Settings(database=":memory:"), clock)
        account_id, _ = await make_events(database, clock)
        async with database.begin(account_id) as tx:
            period = periods.period(START, tx.now, Resolution.MONTH)
            total = statistics.counts(tx, EVENTS, period, by=By.TOTAL)[""]
            for name in statistics.DIMENSIONS:
                if name != "tag":
                    summed: Counter[str] = Counter()
                    for part in statistics.measure(tx, (name,), Question(period)).values():
                        summed.update(part)
                    assert dict(summed) == total, name
            for wanted in (("news",), ("news", "sale")):
                parts: Counter[str] = Counter()
                for comparator in ("=", "!="):
                    asked = Question(period, predicates=(Predicate("tag", comparator, wanted),))
                    parts.update(statistics.measure(tx, (), asked)[()])
                assert dict(parts) == total
            opened = statistics.measure(tx, ("bot", "country"), Question(period, frozenset(["opened"])))
            assert opened == {("apple", "US"): {name: total[name] for name in ("opened", "opened+unique")}}

    asyncio.run(check())
