"""The emulator in a thread of a test's process, measured from within; prints milliseconds as JSON."""

import json
import sys
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import uvicorn

from mailgun_emulator.testing import Emulator, HttpClient, Mailgun
from tests.benchmarks.figures import in_turn
from tests.benchmarks.hello import app

STARTS = 3
REPEATED = 40


def milliseconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return 1000 * (time.perf_counter() - begun)


def start_hello() -> float:
    """As anybody would start it in a thread, to its first answer."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)

    def start() -> None:
        thread.start()
        while not server.started:
            time.sleep(0.0005)
        http = HttpClient(f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}")
        http.request("GET", "/")
        http.close()

    taken = milliseconds(start)
    server.should_exit = True
    thread.join()
    return taken


def start_emulator(then: Callable[[Emulator], object]) -> float:
    emulator = Emulator()

    def start() -> None:
        emulator.start()
        then(emulator)

    try:
        return milliseconds(start)
    finally:
        emulator.stop()


def stop_emulator() -> float:
    emulator = Emulator().start()
    emulator.health()
    return milliseconds(emulator.stop)


class Waiter:
    """Waits for one message after another in a thread of its own."""

    def __init__(self, mailgun: Mailgun) -> None:
        self._mailgun = mailgun
        self._asked: SimpleQueue[str | None] = SimpleQueue()
        self._came: SimpleQueue[object] = SimpleQueue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def send(self, number: int) -> float:
        """Until it is told that the message is there, while it waited for it."""
        subject = f"Number {number}"
        self._asked.put(subject)
        time.sleep(0.02)  # so that it is waiting by then
        return milliseconds(lambda: (post(self._mailgun, subject), self._came.get()))

    def stop(self) -> None:
        self._asked.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (subject := self._asked.get()) is not None:
            self._came.put(self._mailgun.wait_for_message(subject=subject))


def post(mailgun: Mailgun, subject: str) -> str:
    fields = [("from", "a@x.com"), ("to", "b@x.com"), ("subject", subject), ("text", "It works.")]
    answer: dict[str, str] = mailgun.client.call("POST", f"/v3/{mailgun.domain}/messages", fields)
    return answer["id"]


def post_and_get(mailgun: Mailgun, number: int) -> float:
    return milliseconds(lambda: mailgun.message(post(mailgun, f"Plain {number}")).text)


def accounts(emulator: Emulator) -> dict[str, list[float]]:
    made: list[Mailgun] = []
    with emulator.account() as mailgun:
        waiter = Waiter(mailgun)
        numbers = iter(range(10**6))
        takes: dict[str, Callable[[], float]] = {
            "health": lambda: milliseconds(emulator.health),
            "account": lambda: milliseconds(lambda: made.append(emulator.account())),
            "delete": lambda: milliseconds(lambda: made.pop().close()) if made else 0.0,
            "wait": lambda: waiter.send(next(numbers)),
            "get": lambda: post_and_get(mailgun, next(numbers)),
        }
        in_turn(2, takes)
        taken = in_turn(REPEATED, takes)
        waiter.stop()
    taken["delete"] = [each for each in taken["delete"] if each]
    return taken


def measure(rounds: int) -> dict[str, list[float]]:
    takes: dict[str, Callable[[], float]] = {
        "hello": start_hello,
        "answer": lambda: start_emulator(Emulator.health),
        "message": lambda: start_emulator(lambda emulator: emulator.default.send()),
        "stop": stop_emulator,
    }
    in_turn(1, takes)
    taken: dict[str, Any] = in_turn(rounds * STARTS, takes)
    with Emulator() as emulator:
        return {**taken, **accounts(emulator)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(int(sys.argv[1]))))
