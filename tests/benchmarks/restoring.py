"""Snapshots: going back with many messages stored, next to SQLite alone; and what tests do all the time, next to
another answer.
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import NamedTuple

from tests.benchmarks import servers, wire
from tests.benchmarks.figures import Figure, Plan, in_turn, medians
from tests.benchmarks.load import load
from tests.benchmarks.servers import Server

MESSAGES = 10_000
FEW = 10
MOST_TO_RESET = 3.0
MOST_OF_ALL = 4.0
MOST_OF_ACCOUNT = 2.5
AT_ONCE = 20
MOST_FOR = {
    "a new account": 6.0,
    "an account deleted": 6.0,
    f"a snapshot of an account with {FEW} messages": 8.0,
    f"its restore, with {FEW} messages": 16.0,
}
"""Times the CPU of the simplest answer."""
SNAPSHOTS = "/_emulator/snapshots"


class Cost(NamedTuple):
    """Milliseconds of CPU."""

    cpu: float


def measure(plan: Plan) -> Iterator[Figure]:
    with servers.emulator() as server:
        yield from _small(plan, server)
        load(server.url, wire.messages(), connections=4, most=MESSAGES)
        server.ask("POST", "/_emulator/drain")
        default = json.loads(server.ask("GET", "/_emulator/accounts"))["items"][0]["id"]
        own = f"?account={default}"
        whole, account = _keep(server), _keep(server, own)

        def restore_full() -> Cost:
            return _cost(partial(_ask_anew, server, f"{SNAPSHOTS}/all/restore"), server.cpu)

        def reset_full() -> Cost:
            restore_full()
            return _cost(partial(server.ask, "POST", "/_emulator/reset"), server.cpu_of_main_thread)

        def reset_empty() -> Cost:
            server.ask("POST", "/_emulator/reset")
            return _cost(partial(server.ask, "POST", "/_emulator/reset"), server.cpu_of_main_thread)

        with closing(_opened(whole)) as all_rows, closing(_opened(account)) as its_rows:
            takes: dict[str, Callable[[], Cost]] = {
                "reset full": reset_full,
                "reset empty": reset_empty,
                "all": restore_full,
                "all by SQLite": partial(_own_cost, partial(_copy, whole, all_rows)),
                "account": partial(_restore_account, server, own),
                "account by SQLite": partial(_own_cost, partial(_replace, account, its_rows)),
            }
            taken = {name: medians(costs).cpu for name, costs in in_turn(plan.rounds, takes).items()}
    stored = f"with {MESSAGES:,} messages stored"
    yield _ratio(f"reset {stored} : with none", taken["reset full"], taken["reset empty"], MOST_TO_RESET)
    yield _ratio(f"restore of all {stored} : by SQLite", taken["all"], taken["all by SQLite"], MOST_OF_ALL)
    yield _ratio(
        f"restore of an account {stored} : by SQLite",
        taken["account"],
        taken["account by SQLite"],
        MOST_OF_ACCOUNT,
    )


def _ratio(what: str, ours: float, floor: float, goal: float) -> Figure:
    return Figure(what, ours / max(floor, 0.01), "×", goal, f"CPU {ours:.2f} : {floor:.2f} ms")


def _keep(server: Server, query: str = "") -> bytes:
    """A snapshot, made and downloaded by one who has no key."""
    name = "own" if query else "all"
    _ask_anew(server, f"{SNAPSHOTS}{query}", json.dumps({"name": name}).encode())
    return wire.ask(server.url, _without_key("GET", f"{SNAPSHOTS}/{name}{query}"))


def _ask_anew(server: Server, path: str, body: bytes = b"") -> bytes:
    return wire.ask(server.url, _without_key("POST", path, body))


def _without_key(method: str, path: str, body: bytes = b"") -> bytes:
    """What names no account is about everything."""
    lines = wire.request(method, path, body).split(b"\r\n")
    return b"\r\n".join(line for line in lines if not line.startswith(b"Authorization:"))


def _restore_account(server: Server, own: str) -> Cost:
    return _cost(partial(_ask_anew, server, f"{SNAPSHOTS}/own/restore{own}"), server.cpu)


def _cost(act: Callable[[], object], meter: Callable[[], float]) -> Cost:
    """By a meter of all threads where some of it is done in others."""
    before = meter()
    act()
    return Cost(1000 * (meter() - before))


def _own_cost(act: Callable[[], object]) -> Cost:
    begun = time.thread_time()
    act()
    return Cost(1000 * (time.thread_time() - begun))


def _opened(content: bytes) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.deserialize(content)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def _copy(content: bytes, live: sqlite3.Connection) -> None:
    with closing(_opened(content)) as kept:
        kept.backup(live)


def _replace(content: bytes, live: sqlite3.Connection) -> None:
    """All rows of the tables go and come again, with nothing in between but SQLite."""
    with closing(_opened(content)) as kept:
        names = [name for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        live.execute("BEGIN")
        live.execute("DELETE FROM account")
        live.execute("DELETE FROM start")
        for name in names:
            rows = kept.execute(f"SELECT * FROM {name}")  # noqa: S608 - our own names
            places = ", ".join("?" for _ in rows.description)
            live.executemany(f"INSERT INTO {name} VALUES ({places})", rows)  # noqa: S608 - our own names
        live.execute("COMMIT")


def _small(plan: Plan, server: Server) -> Iterator[Figure]:
    """What a suite does for each of its tests."""
    made: list[str] = []

    def create() -> None:
        made.append(json.loads(server.ask("POST", "/_emulator/accounts"))["id"])

    load(server.url, wire.messages(), most=FEW)
    acts: dict[str, Callable[[], object]] = {
        "health": partial(server.ask, "GET", "/_emulator/health"),
        "a new account": create,
        "an account deleted": lambda: server.ask("DELETE", f"/_emulator/accounts/{made.pop()}"),
        f"a snapshot of an account with {FEW} messages": partial(
            server.ask, "POST", SNAPSHOTS, b'{"name": "few"}'
        ),
        f"its restore, with {FEW} messages": partial(server.ask, "POST", f"{SNAPSHOTS}/few/restore"),
    }
    takes = {name: partial(_cost_of_many, act, server) for name, act in acts.items()}
    costs: dict[str, list[Cost]] = {name: [] for name in takes}
    for _ in range(plan.rounds + 1):  # always in this order: what is deleted has to be made before
        for name, take in takes.items():
            costs[name].append(take())
    taken = {name: medians(each[1:]).cpu for name, each in costs.items()}
    for name, most in MOST_FOR.items():
        yield _ratio(f"{name} : simplest answer", taken[name], taken["health"], most)


def _cost_of_many(act: Callable[[], object], server: Server) -> Cost:
    before = server.cpu_of_main_thread()
    for _ in range(AT_ONCE):
        act()
    return Cost(1000 * (server.cpu_of_main_thread() - before) / AT_ONCE)
