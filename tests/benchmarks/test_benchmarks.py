import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("CPU time is read from /proc", allow_module_level=True)

from tests.benchmarks import durable, filling, reading, servers, webhooks, wire
from tests.benchmarks.load import load
from tests.benchmarks.servers import Server


def test_the_floor_answers_each_request_of_a_load() -> None:
    with servers.floor() as floor:
        assert load(floor.url, wire.messages(), connections=4, most=50).answers == 50


@pytest.mark.parametrize("start", [servers.naive, servers.emulator])
def test_each_message_that_is_answered_is_recorded(start: Callable[[Path], Server], tmp_path: Path) -> None:
    database = tmp_path / "messages.db"
    with start(database) as server:
        sent = load(server.url, wire.messages(), connections=4, most=50, keep=True)
        durable.wait_until_delivered(database, 50)
        server.kill()
    assert durable.missing(database, sent.bodies) == 0


def test_a_refusal_under_load_is_no_answer() -> None:
    with servers.hello() as hello, pytest.raises(wire.WrongAnswer, match="404"):
        load(hello.url, wire.messages(), most=1)


def test_events_filled_in_are_counted_and_paged_as_the_emulators_own(tmp_path: Path) -> None:
    database = tmp_path / "filled.db"
    messages = filling.fill(database, filling.prepare(database), 1400)
    with servers.emulator(database, *filling.DOMAINS) as server:
        reading.check_statistics(server, messages[0] + 1)
        reading.walk(server, 2)


def test_what_is_told_to_webhooks_is_posted_by_the_bare_loop_too(tmp_path: Path) -> None:
    database, bodies = tmp_path / "webhooks.db", tmp_path / "bodies"
    with servers.floor(servers.LOAD_CPU) as receiver, servers.emulator(database) as server:
        webhooks.hook(server, f"{receiver.url}/hook")
        assert webhooks.send(server, 20).seconds > 0
        assert webhooks.write_bodies(database, bodies) == 40
        assert webhooks.post(f"{receiver.url}/hook", bodies, 40).seconds > 0
