"""A server of its own for each worker, reached through a real port; every answer is held against the contract."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import pytest

from tests import called, plain
from tests.receiver import Receiver, receiving

pytest_plugins = ["pytester"]

CHECKER = Path(__file__).parents[2] / "shared" / "tools" / "contract.py"


RECORDED_OTHERWISE = (
    (
        r"GET /v3/\S+/events 200: .*\.message\.scheduled-for: \d+ is not of type 'string'",
        "facts/sending.md, 3.2",
    ),
    (
        r"GET /v3/\S+/events 200: .*\.user-variables: 'Could not load user-variables\. .*",
        "facts/sending.md, 1.5",
    ),
    (r"GET /v3/domains/\S+/tag/countries 404: .*", "the document knows no refusal of it"),
    (
        r"PUT /v3/domains/\S+/tracking/click 200: .*\.click\.active: 'htmlonly' is not of type 'boolean'",
        "Java's client reads nothing else; PHP's does, too",
    ),
    (
        r"GET /v3/\S+/events 200: .*\.template\.is-text: (True|False) is not of type 'string'",
        "a boolean in the document's Logs, which tell the same events",
    ),
    (
        r"GET /v1/thresholds/hits 200: .*\.metric: '(email_preview_success_count|seed_test_count)' is not one of .*",
        "hits of limits: the document's own examples have their figures",
    ),
)
"""What the published document denies and real clients rely on, besides what its list of deviations says."""


class Account(NamedTuple):
    """An account that only one test knows; `domain` is verified."""

    id: str
    name: str
    api_key: str
    signing_key: str
    domain: str


@cache
def contract() -> Any:
    """Mailgun's published contract, where it is at hand."""
    if not CHECKER.exists():
        return None
    spec = importlib.util.spec_from_file_location("contract", CHECKER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["contract"] = module
    spec.loader.exec_module(module)
    return module.Contract.load()


def violations_of(request: Any, path: str, response: Any) -> list[str]:
    """How an answer breaks the contract."""
    called.note(request.method, path, response.status_code)
    if contract() is None:
        return []
    # On the wire a wrong key is answered in plain text, whatever the document says (facts/account.md, 0.5).
    if (response.status_code, response.content) == (401, b"Forbidden"):
        return []
    # A stored message as MIME is another answer of the same operation (facts/sending.md, 1.13).
    if request.headers.get("Accept") == "message/rfc2822":
        return []
    kind = response.headers.get("Content-Type", "")
    found = contract().check(request.method, path, response.status_code, kind, response.content)
    known = [re.compile(pattern, re.DOTALL) for pattern, _ in RECORDED_OTHERWISE]
    return [each for each in found if not any(pattern.fullmatch(each) for pattern in known)]


class Client(httpx2.Client):
    """Fails the test whose answer breaks the contract."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"verify": False, "timeout": plain.SECONDS, **options})

    def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        response = super().send(request, **options)
        response.read()
        violations = violations_of(request, request.url.raw_path.decode(), response)
        assert not violations, "\n".join(violations)
        return response

    def drain(self) -> None:
        """Wait until all that is due is done."""
        assert self.post("/_emulator/drain").status_code == 200


class Server(NamedTuple):
    url: str
    process: "subprocess.Popen[str]"


@contextmanager
def serving(*arguments: str) -> Iterator[Server]:
    """A server of one's own, on free ports."""
    ports = ("--port", "0", "--smtp-port", "0")
    command = [sys.executable, "-m", "mailgun_emulator", "serve", *ports, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Server(process.stdout.readline().split()[-1], process)
        finally:
            process.terminate()
            process.stdout.read()


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    with serving() as server:
        yield server.url


@pytest.fixture
def account(server_url: str) -> Account:
    return Account(**plain.post(f"{server_url}/_emulator/accounts").json())


@pytest.fixture
def client(server_url: str, account: Account) -> Iterator[Client]:
    """Speaks for the test's account."""
    with Client(base_url=server_url, auth=("api", account.api_key)) as client:
        yield client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A real HTTP server to post to."""
    with receiving() as server:
        yield server


_told: set[tuple[str, str, bool]] = set()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker's tests called."""
    _told.update(tuple(each) for each in getattr(node, "workeroutput", {}).get("called", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Of all tests together: each operation of the reference was answered well by one, and refused by another."""
    config = session.config
    if hasattr(config, "workeroutput"):
        config.workeroutput["called"] = called.told()
        return
    is_whole = not config.option.keyword and config.args == config.getini("testpaths")
    if is_whole and _told and session.exitstatus == 0 and (missing := called.missing(_told)):
        print("", *missing, sep="\n")  # noqa: T201 - there is no other way to say why the run fails
        session.exitstatus = 1
