"""Servers as processes of their own, on a CPU of their own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.benchmarks import wire

ROOT = Path(__file__).parents[2]
_CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU, LOAD_CPU = _CPUS[0], _CPUS[-1]
_TICKS = os.sysconf("SC_CLK_TCK")


def run(module: str, *arguments: str) -> str:
    """What a program prints that runs where servers run."""
    with pinned_to(SERVER_CPU):
        done = subprocess.run(
            [sys.executable, "-m", module, *arguments],
            stdout=subprocess.PIPE,
            env=_environment(),
            cwd=tempfile.gettempdir(),
            text=True,
            check=True,
        )
    return done.stdout


@contextmanager
def pinned_to(cpu: int) -> Iterator[None]:
    """Processes started meanwhile stay there."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _environment() -> dict[str, str]:
    """Byte-code is kept, as it is wherever the emulator is installed; nothing set outside is felt inside."""
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in unwanted and not name.startswith("MAILGUN_EMULATOR_")
    }
    return {**kept, "PYTHONPATH": str(ROOT)}


class Server:
    """Listens from the start on; `begun` is when its process was made, as `time.perf_counter` tells it."""

    def __init__(
        self, name: str, module: str, *arguments: str, database: Path | None = None, cpu: int = SERVER_CPU
    ) -> None:
        self.name = name
        self.database = database
        self.begun = time.perf_counter()
        with pinned_to(cpu):
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=subprocess.PIPE,
                env=_environment(),
                cwd=tempfile.gettempdir(),
                text=True,
            )
        assert self._process.stdout is not None
        first_line = self._process.stdout.readline().split()
        if not first_line:
            self.kill()
            raise wire.WrongAnswer(f"{name} does not start")
        self.url = first_line[-1]

    def ask(self, method: str, path: str, body: bytes = b"") -> bytes:
        return wire.ask(self.url, wire.request(method, path, body))

    def cpu(self) -> float:
        """Seconds of CPU used so far, all threads; to a hundredth."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def cpu_of_main_thread(self) -> float:
        """Seconds too, but to the microsecond; only right while the server waits for something to do."""
        time.sleep(0.005)
        return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[0]) / 1e9

    def memory(self) -> float:
        """MB in RAM."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def kill(self) -> None:
        """At once, in the middle of whatever it does."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.communicate(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill()


def floor(cpu: int = SERVER_CPU) -> Server:
    return Server("floor", "tests.benchmarks.floor", cpu=cpu)


def hello() -> Server:
    return Server("hello", "tests.benchmarks.hello")


def naive(database: Path) -> Server:
    return Server("naive", "tests.benchmarks.naive", str(database), database=database)


def emulator(database: Path | None = None, *domains: str) -> Server:
    """In memory, as by default, unless a file is named."""
    arguments = ["serve", "--port", "0"]
    if database is not None:
        arguments += ["--database", str(database)]
    for domain in domains:
        arguments += ["--domain", domain]
    return Server("emulator", "mailgun_emulator", *arguments, database=database)
