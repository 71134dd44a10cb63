"""Reading: one domain, pages of events and statistics, with few events stored and with many."""

from collections.abc import Iterator
from functools import partial
from statistics import median
from urllib.parse import urlsplit

import orjson

from tests.benchmarks import filling, servers, wire
from tests.benchmarks.figures import Figure, Plan, in_turn
from tests.benchmarks.load import load
from tests.benchmarks.servers import Server

FEW = 10_000
PAGE = 300
DEPTH = 300
MOST_DOMAIN = 4.0
MOST_PAGE = 1.5
MOST_DEPTH = 1.3
MOST_STATISTICS = 2.0

DOMAIN_PATH = f"/v4/domains/{wire.DOMAIN}"
EVENTS_PATH = f"/v3/{wire.DOMAIN}/events?limit={PAGE}"
STATISTICS_PATH = f"/v3/{wire.DOMAIN}/stats/total?event=accepted&event=delivered&duration=30d"


def cpu_of_get(server: Server, path: str, seconds: float, connections: int = 1) -> float:
    """µs a request."""
    before = server.cpu()
    done = load(server.url, [wire.request("GET", path)], connections=connections, seconds=seconds)
    return 1e6 * (server.cpu() - before) / done.answers


def measure(plan: Plan) -> Iterator[Figure]:
    yield from measure_domain(plan)
    few, many = plan.directory / "few.db", plan.directory / "many.db"
    filled = [
        filling.fill(database, filling.prepare(database), events)
        for database, events in ((few, FEW), (many, plan.events))
    ]
    with servers.emulator(few, *filling.DOMAINS) as small, servers.emulator(many, *filling.DOMAINS) as large:
        for server, messages in zip((small, large), filled, strict=True):
            check_statistics(server, messages[0] + 1)
        yield from measure_events(plan, small, large)


def measure_domain(plan: Plan) -> Iterator[Figure]:
    with servers.floor() as floor, servers.emulator() as emulator:
        floor.ask("PUT", DOMAIN_PATH, emulator.ask("GET", DOMAIN_PATH))
        taken = in_turn(
            plan.rounds,
            {
                (server.name, connections): partial(
                    cpu_of_get, server, DOMAIN_PATH, plan.seconds, connections
                )
                for connections in (1, 32)
                for server in (floor, emulator)
            },
        )
    for connections, goal in ((1, MOST_DOMAIN), (32, None)):
        ours, least = (median(taken[name, connections]) for name in ("emulator", "floor"))
        what = (
            f"GET /v4/domains/{{name}}, {connections} connection{'s' if connections > 1 else ''}, CPU : floor"
        )
        yield Figure(what, ours / least, "×", goal, f"{ours:.0f} : {least:.0f} µs")


def check_statistics(server: Server, messages: int) -> None:
    """That the events that were filled in are counted, or the figures would mean nothing."""
    days = orjson.loads(server.ask("GET", STATISTICS_PATH))["stats"]
    for event in ("accepted", "delivered"):
        counted = sum(day[event]["total"] for day in days)
        if counted != messages:
            raise wire.WrongAnswer(f"statistics tell {counted} {event}, stored are {messages}")


def walk(server: Server, pages: int) -> str:
    """Follow `next` to that page; its path. Each page must be full."""
    path = EVENTS_PATH
    for number in range(1, pages + 1):
        page = orjson.loads(server.ask("GET", path))
        if len(page["items"]) != PAGE:
            raise wire.WrongAnswer(f"page {number} has {len(page['items'])} events")
        if number < pages:
            following = urlsplit(page["paging"]["next"])
            path = f"{following.path}?{following.query}" if following.query else following.path
    return path


def measure_events(plan: Plan, small: Server, large: Server) -> Iterator[Figure]:
    walk(small, 5)
    deep = walk(large, DEPTH)
    takes = {
        "page of few": (small, EVENTS_PATH),
        "page of many": (large, EVENTS_PATH),
        "deep page": (large, deep),
        "statistics of few": (small, STATISTICS_PATH),
        "statistics of many": (large, STATISTICS_PATH),
    }
    taken = in_turn(
        plan.rounds,
        {name: partial(cpu_of_get, server, path, plan.seconds) for name, (server, path) in takes.items()},
    )
    cpu = {name: median(values) for name, values in taken.items()}

    def figure(what: str, ours: str, base: str, goal: float) -> Figure:
        return Figure(what, cpu[ours] / cpu[base], "×", goal, f"CPU {cpu[ours]:.0f} : {cpu[base]:.0f} µs")

    size = f"{plan.events:,}"
    yield figure(f"page of {PAGE} events of {size} : of {FEW:,}", "page of many", "page of few", MOST_PAGE)
    yield figure(f"its page {DEPTH} : its first", "deep page", "page of many", MOST_DEPTH)
    what = f"stats/total, 30 days, {size} events : {FEW:,}"
    yield figure(what, "statistics of many", "statistics of few", MOST_STATISTICS)
