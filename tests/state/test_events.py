import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from typing import Any

import orjson
import pytest

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.expressions.event_filter import MalformedFilter
from mailgun_emulator.state import accounts, domains, event_log, events
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.event_conditions import SizeNotANumber
from mailgun_emulator.state.event_log import EVER, Page, Place, Search
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.transaction import Tx

NOW = 1_800_000_000.0
DOMAIN = "mg.example.com"
OTHER = "other.example.com"


class Log:
    """A domain's events, each a second after the one before."""

    def __init__(self, tx: Tx, name: str = DOMAIN) -> None:
        self.tx = tx
        self.id = domains.find(tx, name).id  # type: ignore[union-attr]  # there is one
        self._numbers = count()

    def add(
        self,
        type_: EventType = EventType.DELIVERED,
        *,
        recipient: str = "bob@gmail.com",
        message_id: str = "1@mg.example.com",
        tags: tuple[str, ...] = (),
        at: float | None = None,
        **told: Any,
    ) -> str:
        """The event's key."""
        number = next(self._numbers)
        self.tx.now = NOW + number if at is None else at
        key = f"event{number}"
        payload = {"event": type_, "id": key, "timestamp": self.tx.now, **told}
        events.add(
            self.tx,
            domain_id=self.id,
            type=type_,
            key=key,
            recipient=recipient,
            message_id=message_id,
            payload=orjson.dumps(payload).decode(),
            tags=list(tags),
        )
        return key

    def read(self, search: Search, place: Place | None = None) -> Page:
        return event_log.read(self.tx, self.id, search, place or search.first)

    def find(self, **filters: str | list[str]) -> list[str]:
        """The keys of those that match, oldest first. A name's underscore stands for a hyphen or nothing."""
        given = {
            name.rstrip("_").replace("_", "-"): [texts] if isinstance(texts, str) else texts
            for name, texts in filters.items()
        }
        return keys(self.read(Search(0, EVER, given, 300)))


def keys(page: Page) -> list[str]:
    return [orjson.loads(payload)["id"] for payload in page.payloads]


def in_log(check: Callable[[Log], None]) -> None:
    async def run() -> None:
        clock = Clock()
        clock.freeze(NOW)
        with closing(Database(Settings(database=":memory:", seed=1), clock)) as database:
            async with database.begin() as tx:
                account_id = accounts.create(tx, domain_names=(DOMAIN, OTHER)).id
            async with database.begin(account_id) as tx:
                check(Log(tx))

    asyncio.run(run())


def walk(log: Log, search: Search, limit: int = 100) -> Iterator[Page]:
    """All pages, the empty one at the end included."""
    place = search.first
    for _ in range(limit):
        page = log.read(search, place)
        yield page
        if not page.payloads:
            return
        place = page.next


@pytest.mark.parametrize("same_instant", [False, True])
@pytest.mark.parametrize("ascending", [False, True])
def test_pages_follow_one_another_and_lead_back(ascending: bool, same_instant: bool) -> None:
    def check(log: Log) -> None:
        made = [log.add(at=NOW if same_instant else None) for _ in range(25)]
        expected = made if ascending else made[::-1]
        search = Search(NOW, NOW + 100, {}, 10) if ascending else Search(NOW + 100, NOW, {}, 10)
        pages = list(walk(log, search))
        assert [keys(page) for page in pages] == [expected[:10], expected[10:20], expected[20:], []]
        back = log.read(search, pages[3].previous)
        assert keys(back) == expected[15:]
        back = log.read(search, back.previous)
        assert keys(back) == expected[5:15]
        assert keys(log.read(search, back.next)) == expected[15:]
        assert keys(log.read(search, log.read(search, back.previous).previous)) == []
        before = log.read(search, pages[0].previous)
        assert keys(before) == []
        assert keys(log.read(search, before.next)) == expected[:10]
        assert keys(log.read(search, before.previous)) == []
        assert keys(log.read(search, search.last)) == expected[15:]
        assert keys(log.read(search, log.read(search, search.last).next)) == []

    in_log(check)


@pytest.mark.parametrize("search", [Search(0, EVER, {}, 10), Search(NOW, 0, {}, 10)])
def test_where_nothing_is_all_ways_lead_to_nothing(search: Search) -> None:
    def check(log: Log) -> None:
        for place in (search.first, search.last):
            page = log.read(search, place)
            assert page.payloads == []
            assert log.read(search, page.next).payloads == []
            assert log.read(search, page.previous).payloads == []

    in_log(check)


def test_an_open_range_shows_what_comes_later() -> None:
    def check(log: Log) -> None:
        search = Search(NOW, EVER, {}, 10)
        waiting = log.read(search)
        assert waiting.payloads == []
        assert waiting.next == search.first
        first = log.add()
        page = log.read(search, waiting.next)
        assert keys(page) == [first]
        waiting = log.read(search, page.next)
        assert waiting.payloads == []
        assert waiting.next == page.next
        later = [log.add(), log.add()]
        assert keys(log.read(search, waiting.next)) == later
        assert keys(log.read(search, search.last)) == [first, *later]

    in_log(check)


def test_a_range_includes_both_its_ends() -> None:
    def check(log: Log) -> None:
        made = [log.add() for _ in range(5)]
        assert keys(log.read(Search(NOW + 1, NOW + 3, {}, 10))) == made[1:4]
        assert keys(log.read(Search(NOW + 3, NOW + 1, {}, 10))) == made[3:0:-1]

    in_log(check)


def test_domains_do_not_see_each_others_events() -> None:
    def check(log: Log) -> None:
        other = Log(log.tx, OTHER)
        log.add(tags=("t",))
        assert other.find() == []
        for field, text in (
            ("message_id", "1@mg.example.com"),
            ("recipient", "bob@gmail.com"),
            ("tags", "t"),
        ):
            assert len(log.find(**{field: text})) == 1
            assert other.find(**{field: text}) == []

    in_log(check)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("delivered", "d"),
        ("DELIVERED", "d"),
        ("deliver", ""),
        ("accepted OR failed", "af"),
        ("NOT delivered", "afo"),
        ("NOT (delivered OR failed)", "ao"),
        ("delivered failed", ""),
        ("accepted OR delivered OR failed OR opened", "adfo"),
        ("", "adfo"),
        ("nothing", ""),
        ("NOT nothing", "adfo"),
    ],
)
def test_events_are_found_by_their_type(text: str, found: str) -> None:
    def check(log: Log) -> None:
        types = (EventType.ACCEPTED, EventType.DELIVERED, EventType.FAILED, EventType.OPENED)
        made = {log.add(each): each[0] for each in types}
        assert "".join(made[key] for key in log.find(event=text)) == found

    in_log(check)


def told(subject: str, **more: Any) -> dict[str, Any]:
    return {"message": {"headers": {"subject": subject, **more}}}


FIRST: dict[str, Any] = {
    "recipient": "Bob@Gmail.com",
    "message_id": "ONE@mg.example.com",
    "tags": ("News", "two words"),
    "severity": "permanent",
    "mailing-list": {"address": "dev@mg.example.com"},
    "message": {
        "headers": {
            "from": "Ann <ann@mg.example.com>",
            "to": "bob@gmail.com",
            "subject": "100% off_today Größe",
        },
        "size": 1000,
        "attachments": [{"filename": "Invoice.pdf"}, {"filename": "cat.png"}],
        "recipients": ["bob@gmail.com", "carl@x.com"],
    },
}
SECOND: dict[str, Any] = {
    "recipient": "carl@x.com",
    "message_id": "two@mg.example.com",
    "message": {"headers": {"from": "eve@y.com", "to": "carl@x.com", "subject": "Hello again"}, "size": 3000},
}
THIRD: dict[str, Any] = {"recipient": "", "message_id": "three@mg.example.com"}


@pytest.mark.parametrize(
    ("field", "text", "found"),
    [
        ("recipient", "bob@gmail.com", "1"),
        ("recipient", "BOB", "1"),
        ("recipient", "ob@gmail.com", ""),
        ("recipient", "@gmail", "1"),
        ("recipient", "bob@gmail.com OR carl@x.com", "12"),
        ("recipient", "NOT bob", "23"),
        ("recipient", "b_b", ""),
        ("message-id", "one@mg.example.com", "1"),
        ("message-id", "<One@mg.example.com>", "1"),
        ("message-id", "one", ""),
        ("message-id", "one@mg.example.com OR two@mg.example.com", "12"),
        ("message-id", "NOT one@mg.example.com", "23"),
        ("tags", "news", "1"),
        ("tags", "new", ""),
        ("tags", '"two words"', "1"),
        ("tags", 'news "two words"', "1"),
        ("tags", "news OR other", "1"),
        ("tags", "NOT news", "23"),
        ("severity", "Permanent", "1"),
        ("severity", "perm", ""),
        ("severity", "NOT permanent", "23"),
        ("list", "dev@mg.example.com", "1"),
        ("list", "NOT dev", "23"),
        ("attachment", "invoice", "1"),
        ("attachment", "invoice cat.png", "1"),
        ("attachment", "dog", ""),
        ("attachment", "NOT invoice", "23"),
        ("recipients", "carl", "1"),
        ("from", "ann", "1"),
        ("from", "Ann <ann@mg.example.com>", "1"),
        ("from", "NOT ann", "23"),
        ("to", "carl@x.com OR bob", "12"),
        ("subject", "again HELLO", "2"),
        ("subject", '"again hello"', ""),
        ("subject", '"hello again"', "2"),
        ("subject", "100%", "1"),
        ("subject", "%", "1"),
        ("subject", "off_today", "1"),
        ("subject", "o_f", ""),
        ("subject", "\\", ""),
        ("subject", "GRÖSSE OR GRÖẞE OR größe", "1"),
        ("subject", "'; DROP TABLE event; --", ""),
        ("size", "1000", "1"),
        ("size", ">1000", "2"),
        ("size", ">999 <1001", "1"),
        ("size", "<5000", "12"),
        ("size", "NOT >2000", "13"),
        ("nonsense", "x", "123"),
    ],
)
def test_events_are_found_by_what_they_tell(field: str, text: str, found: str) -> None:
    def check(log: Log) -> None:
        numbers = {log.add(**event): str(number) for number, event in enumerate((FIRST, SECOND, THIRD), 1)}
        search = Search(0, EVER, {field: [text]}, 10)
        assert "".join(numbers[key] for key in keys(log.read(search))) == found
        against = Search(EVER, 0, {field: [text]}, 10)
        assert "".join(numbers[key] for key in keys(log.read(against))) == found[::-1]

    in_log(check)


def test_all_filters_must_hold() -> None:
    def check(log: Log) -> None:
        first = log.add(EventType.ACCEPTED, tags=("a", "b"), **told("Hello Ann"))
        second = log.add(EventType.DELIVERED, tags=("a",), **told("Hello Bob"))
        assert log.find(subject=["hello", "ann"]) == [first]
        assert log.find(tags="a", event="delivered") == [second]
        assert log.find(tags="a", event="NOT delivered", subject="hello") == [first]
        assert log.find(tags="a b") == [first]
        assert log.find(message_id="1@mg.example.com", recipient="bob@gmail.com", tags="a") == [first, second]
        assert log.find(message_id="1@mg.example.com", event="opened") == []
        assert log.find(recipient="bob@gmail.com", event="accepted OR opened") == [first]

    in_log(check)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"event": ["delivered OR opened"]},
        {"event": ["NOT clicked"]},
        {"recipient": ["bob@gmail.com"]},
        {"message-id": ["1@mg.example.com"]},
        {"tags": ["even OR odd"]},
        {"tags": ["all"]},
        {"tags": ["all"], "event": ["delivered OR opened"]},
        {"subject": ["hello"]},
    ],
)
@pytest.mark.parametrize("ascending", [False, True])
def test_filtered_pages_hold_each_event_once(filters: dict[str, list[str]], ascending: bool) -> None:
    def check(log: Log) -> None:
        made = [
            log.add(
                (EventType.DELIVERED, EventType.OPENED)[number % 2],
                tags=("all", ("even", "odd")[number // 2 % 2]),
                at=NOW + number // 3,
                **told("Hello"),
            )
            for number in range(40)
        ]
        log.add(EventType.CLICKED, recipient="x@y.com", message_id="2@mg.example.com", **told("Bye"))
        search = Search(NOW, NOW + 30, filters, 7) if ascending else Search(NOW + 30, NOW, filters, 7)
        found = [key for page in walk(log, search) for key in keys(page)]
        assert found == (made if ascending else made[::-1])

    in_log(check)


@pytest.mark.parametrize("texts", [["a (b"], ["x " * 600], ["x"] * 600])
def test_malformed_and_endless_filters_are_refused(texts: list[str]) -> None:
    def check(log: Log) -> None:
        with pytest.raises(MalformedFilter):
            log.find(subject=texts)

    in_log(check)


@pytest.mark.parametrize(
    "text",
    [
        "(a NOT (b OR NOT " * 6 + "c" + "))" * 6,
        "(a OR (b " * 12 + "c" + "))" * 12,
        "x OR " * 490 + "x",
        "x" * 10_000,
    ],
)
def test_the_longest_and_deepest_filters_are_understood(text: str) -> None:
    def check(log: Log) -> None:
        log.add(**told("Hello"))
        for field in ("subject", "attachment", "tags", "recipient"):
            log.find(**{field: text})

    in_log(check)


def test_a_size_is_a_number() -> None:
    def check(log: Log) -> None:
        with pytest.raises(SizeNotANumber, match="'big' is not a size"):
            log.find(size="big")

    in_log(check)


def test_every_one_of_ten_thousand_events_is_met_on_the_way() -> None:
    def check(log: Log) -> None:
        made = [log.add(at=NOW + number // 4) for number in range(10_000)]
        search = Search(NOW + 10_000, NOW, {}, 300)
        pages = list(walk(log, search))
        assert len(pages) == 35
        assert [key for page in pages for key in keys(page)] == made[::-1]

    in_log(check)


def test_events_are_forgotten_when_their_time_is_over() -> None:
    def check(log: Log) -> None:
        for _ in range(3):
            log.add(tags=("t",))
        log.tx.settle()
        log.tx.now = NOW + 1 + log.tx.settings.event_retention * 86400
        assert events.expire(log.tx, log.id, 10) == 1
        assert log.find() == log.find(tags="t") == ["event1", "event2"]

    in_log(check)
