import asyncio
import socket
import sys
import time
from contextlib import closing
from statistics import median
from typing import Any

import pytest
from tests.receiver import dead_url
from tests.testing.scripts import LEFT, run

from mailgun_emulator.core.settings import Settings
from mailgun_emulator.testing import CannotStart, Emulator, EmulatorError, NoEmulator
from mailgun_emulator.testing.options import EmulatorOptions


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="open files are read from /proc")
def test_nothing_is_left_when_it_has_stopped() -> None:
    program = f"""{LEFT}
from mailgun_emulator.testing import Emulator

def use():
    with Emulator() as emulator, emulator.account() as mailgun:
        receiver = mailgun.webhooks.receiver()
        mailgun.send()
        receiver.wait("delivered")
        emulator.default.webhooks.receiver(events=())
        try:
            mailgun.wait_for_message(to="nobody@example.com", timeout=0.01)
        except AssertionError:
            pass
        mailgun.snapshot()
        mailgun.restore()

use()
before = left()
for _ in range(3):
    use()
assert left() == before, (left(), before)
print(before[1])
"""
    assert run(program) == "['MainThread']\n"


def test_one_that_is_forgotten_stops_by_itself() -> None:
    program = f"""{LEFT}
from mailgun_emulator.testing import Emulator
Emulator().start().default.webhooks.receiver()
print(left()[1])
"""
    assert run(program) == "['MainThread']\n"


def test_one_that_runs_at_the_end_stops_with_the_interpreter() -> None:
    program = """
from mailgun_emulator.testing import Emulator
emulator = Emulator().start()
receiver = emulator.account().webhooks.receiver()
emulator.default.send()
print(emulator.default.messages[0].subject)
"""
    assert run(program) == "Hello\n"


def test_it_leaves_the_process_as_it_was() -> None:
    program = """
import gc, logging, signal
from mailgun_emulator.testing import Emulator

def state():
    names = ("uvicorn", "uvicorn.error", "uvicorn.access", "mailgun_emulator")
    loggers = [logging.getLogger(name) for name in names]
    told = [(each.level, each.handlers, each.filters, each.propagate) for each in [*loggers, logging.getLogger()]]
    signals = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    return told, signals, gc.get_threshold(), gc.get_freeze_count()

before = state()
with Emulator() as emulator:
    emulator.default.send()
    assert state() == before
assert state() == before
"""
    assert run(program) == ""


def test_starting_and_stopping_take_no_time_to_speak_of() -> None:
    with Emulator() as first:
        first.health()
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        with Emulator() as emulator:
            emulator.health()
        taken.append(time.perf_counter() - begun)
    assert median(taken) < 0.5


def test_any_number_run_side_by_side() -> None:
    with Emulator() as one, Emulator(api_key="key-2", domain="two.example.com", signing_key="sign-2") as two:
        one.default.send(subject="Of one")
        two.default.send(subject="Of two")
        assert [each.subject for each in one.default.messages] == ["Of one"]
        assert [each.subject for each in two.default.messages] == ["Of two"]
        assert (two.api_key, two.domain, two.signing_key) == ("key-2", "two.example.com", "sign-2")
        assert one.api_key == "key-emulator"
        assert one.smtp_port != two.smtp_port


def test_it_can_be_started_again() -> None:
    emulator = Emulator(seed=1)
    with emulator:
        first = emulator.account_id
        emulator.default.send()
    with emulator:
        assert emulator.account_id == first
        assert emulator.default.messages == []


def test_before_the_start_and_after_the_end_it_says_so() -> None:
    emulator = Emulator()
    for _ in range(2):
        with pytest.raises(EmulatorError, match="The emulator is not running"):
            str(emulator.url)
        with emulator:
            assert emulator.url.startswith("http://127.0.0.1:")
            with pytest.raises(EmulatorError, match="runs already"):
                emulator.start()
        emulator.stop()
    assert repr(emulator) == "<Emulator, not running>"


def test_a_port_that_is_taken_is_told_where_it_was_asked_for() -> None:
    with Emulator() as emulator:
        port = int(emulator.url.rpartition(":")[2])
        with pytest.raises(CannotStart) as refused:
            Emulator(port=port).start()
        assert str(refused.value) == (
            f"The emulator can't listen on 127.0.0.1:{port}: Address already in use. "
            "Leave out `port` for a free one, and `host` for 127.0.0.1."
        )
        with pytest.raises(CannotStart, match="for SMTP: Address already in use"):
            Emulator(smtp_port=emulator.smtp_port).start()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="open files are read from /proc")
def test_nothing_is_left_of_a_start_that_failed() -> None:
    program = f"""{LEFT}
from mailgun_emulator.testing import CannotStart, Emulator

def fail(**settings):
    try:
        Emulator(**settings).start()
    except CannotStart:
        return
    raise AssertionError(settings)

with Emulator() as emulator:
    port, smtp_port = int(emulator.url.rpartition(":")[2]), emulator.smtp_port
    fail(port=port)
    before = left()
    fail(port=port)
    fail(smtp_port=smtp_port)
    fail(database="/nowhere/x.db")
    fail(host="192.0.2.1")
    fail(fixture="/nowhere/x.yaml")
    assert left() == before, (left(), before)
"""
    run(program)


@pytest.mark.parametrize(
    ("settings", "kind", "said"),
    [
        ({"prot": 1}, TypeError, "There is no setting 'prot'; did you mean 'port'?"),
        ({"port": "many"}, ValueError, "port can't be 'many': Input should be a valid integer"),
        (
            {"domain": "no domain"},
            ValueError,
            "domain can't be 'no domain': 'no domain' is not a domain name",
        ),
        ({"smtp_port": -1}, ValueError, "smtp_port can't be -1: Input should be greater than or equal to 0"),
    ],
)
def test_a_wrong_setting_is_told_in_its_own_words(
    settings: dict[str, Any], kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind) as refused:
        Emulator(**settings)
    assert str(refused.value).startswith(said)


def test_it_can_be_told_what_the_command_can() -> None:
    assert list(EmulatorOptions.__annotations__) == list(Settings.model_fields)


def test_the_environment_of_the_command_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.setenv(f"MAILGUN_EMULATOR_{name.upper()}", "nonsense")
    with Emulator(smtp_port=None) as emulator:
        assert emulator.api_key == "key-emulator"
        assert emulator.smtp_port is None


def test_one_that_runs_elsewhere_is_attached_to(server_url: str) -> None:
    with Emulator.connect(f"{server_url}/") as emulator:
        assert (emulator.url, emulator.api_key) == (server_url, "key-emulator")
        kept = emulator.account("kept")
        kept.send()
        assert emulator.smtp_port
        with pytest.raises(EmulatorError, match="runs already"):
            emulator.start()
    with Emulator.connect(server_url) as again, pytest.raises(EmulatorError, match="There is no account"):
        again._running.request("GET", f"/_emulator/accounts/{kept.id}")


def test_where_there_is_none_connecting_fails_at_once_or_after_a_while() -> None:
    with dead_url() as url:
        for wait in (0, 0.2):
            begun = time.monotonic()
            with pytest.raises(NoEmulator, match="Nothing answers at"):
                Emulator.connect(url, wait=wait)
            assert wait <= time.monotonic() - begun < wait + 5


def test_accounts_see_each_other_no_more_than_at_mailgun(server_url: str) -> None:
    with Emulator.connect(server_url) as emulator, emulator.account("a") as one, emulator.account("b") as two:
        one.send()
        assert (len(one.messages), len(two.messages)) == (1, 0)
        assert (one.name, two.name) == ("a", "b")
        with emulator.account("child", parent=one) as child:
            known = {each.id: each.parent for each in emulator.accounts()}
            assert known[child.id] == one.id
    with pytest.raises(EmulatorError, match="There is no account"), Emulator.connect(server_url) as emulator:
        emulator._running.request("GET", f"/_emulator/accounts/{one.id}")


def test_all_is_forgotten_by_a_reset() -> None:
    with Emulator() as emulator:
        gone = emulator.account()
        emulator.default.send()
        emulator.reset()
        assert [each.id for each in emulator.accounts()] == [emulator.account_id]
        assert emulator.default.messages == []
        gone.close()


def test_all_accounts_go_back_to_a_snapshot() -> None:
    with Emulator() as emulator, emulator.account() as mailgun:
        mailgun.send(subject="Before")
        emulator.drain()
        emulator.snapshot("start")
        mailgun.send(subject="After")
        emulator.default.send()
        emulator.restore("start")
        assert [each.subject for each in mailgun.messages] == ["Before"]
        assert emulator.default.messages == []


def test_all_accounts_are_kept_as_files() -> None:
    with Emulator() as emulator, Emulator() as other:
        mailgun = emulator.account("The shop")
        mailgun.send(subject="Before")
        emulator.snapshot("all")
        mailgun.snapshot("one")
        assert [each["name"] for each in emulator.snapshots.list()] == ["all", "one"]
        other.snapshots.upload("all", emulator.snapshots.download("all"))
        other.restore("all")
        assert [each.id for each in other.accounts()] == [each.id for each in emulator.accounts()]
        other.reset()
        other.load(emulator.export())
        assert [each.name for each in other.accounts()][1:] == ["The shop"]


def test_what_happens_to_all_accounts_is_told_as_it_happens() -> None:
    with Emulator() as emulator, closing(emulator.stream("message")) as stream:
        assert next(stream).kind == "listening"
        accounts = [emulator.account(), emulator.account()]
        for each in accounts:
            each.send()
        assert [next(stream).data["account"] for _ in accounts] == [each.id for each in accounts]


def test_the_requests_of_all_accounts_are_told() -> None:
    with Emulator(strict=True) as emulator, emulator.account() as mailgun:
        mailgun.send()
        with pytest.raises(EmulatorError, match="401"):
            emulator._running.request("GET", "/v3/domains", headers={"Authorization": "Basic eA=="})
        assert [(each.method, each.status) for each in emulator.requests()] == [("POST", 200), ("GET", 401)]
        assert [each.status for each in emulator.requests(failed=True)] == [401]
        assert [each.status for each in mailgun.requests()] == [200]


def test_it_serves_tests_that_are_coroutines() -> None:
    async def story() -> list[str]:
        with Emulator() as emulator:
            sent = await asyncio.to_thread(emulator.default.send)
            found = await emulator.default.aio.wait_for_message(to="ann@example.com")
            assert found == sent
            return [event.event for event in await emulator.default.aio.events()]

    assert asyncio.run(story()) == ["accepted", "delivered"]


def test_answers_under_way_do_not_hold_up_the_end() -> None:
    with Emulator() as emulator:
        host, port = emulator.url.removeprefix("http://").split(":")
        with (
            socket.create_connection((host, int(port))) as poll,
            socket.create_connection((host, int(port))) as stream,
        ):
            poll.sendall(b"GET /_emulator/messages/wait?timeout=60 HTTP/1.1\r\nHost: x\r\n\r\n")
            stream.sendall(b"GET /_emulator/events/stream HTTP/1.1\r\nHost: x\r\n\r\n")
            while b"listening" not in stream.recv(4096):
                pass
            begun = time.monotonic()
            emulator.stop()
            assert time.monotonic() - begun < 3
            while stream.recv(4096):
                pass
            assert poll.recv(4096).startswith(b"HTTP/1.1 503 ")
