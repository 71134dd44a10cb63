"""Fixtures for pytest: one server for all tests, and an account of its own for each that asks for one."""

import os
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mailgun_emulator.testing import Emulator, Mailgun

URL_VARIABLE = "MAILGUN_EMULATOR_URL"
SECONDS_TO_ANSWER = 2.0
MARKER = (
    "mailgun(env=False, strict=False, name=None, load=()): give the test an account of Mailgun's emulator, as the "
    "fixture `mailgun` does. env: set MAILGUN_API_URL, MAILGUN_API_KEY, MAILGUN_DOMAIN and "
    "MAILGUN_WEBHOOK_SIGNING_KEY for it. strict: of a server that refuses what Mailgun refuses. load: fixture files, "
    "relative to the test's own."
)
KNOWN = ("env", "strict", "name", "load")
ACCOUNT = pytest.StashKey["Mailgun"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mailgun", "Mailgun's emulator")
    group.addoption(
        "--mailgun-url",
        metavar="URL",
        help="Use the emulator that runs there, instead of one in this process "
        f"(else {URL_VARIABLE}, else `mailgun_url` in the configuration).",
    )
    group.addoption(
        "--mailgun-env",
        action="store_true",
        help="Set MAILGUN_API_URL, MAILGUN_API_KEY, MAILGUN_DOMAIN and MAILGUN_WEBHOOK_SIGNING_KEY for each test "
        "that uses the fixture `mailgun` (or `mailgun_env` in the configuration).",
    )
    parser.addini("mailgun_url", "As --mailgun-url.")
    parser.addini("mailgun_env", "As --mailgun-env.", type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


def pytest_report_header(config: pytest.Config) -> str | None:
    url = url_of(config)
    return f"mailgun: {url}" if url else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that is marked need not name the fixture. It comes first, so that others find the environment set."""
    names = getattr(item, "fixturenames", None)
    if names is not None and item.get_closest_marker("mailgun"):
        names[:] = ["mailgun", *(name for name in names if name != "mailgun")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test that failed has sent, and what was refused."""
    report = yield
    account = item.stash.get(ACCOUNT, None)
    if report.failed and report.when != "teardown" and account is not None:
        from mailgun_emulator.testing.reporting import report_on

        report.sections.append(("mailgun", report_on(account)))
    return report


@pytest.fixture(scope="session")
def mailgun_server(pytestconfig: pytest.Config) -> "Iterator[Emulator]":
    """The emulator for all tests: in this process, or the one that --mailgun-url names."""
    from mailgun_emulator.testing import Emulator, EmulatorError

    url = url_of(pytestconfig)
    try:
        server = Emulator.connect(url, wait=SECONDS_TO_ANSWER) if url else Emulator().start()
    except (EmulatorError, ValueError) as error:
        pytest.fail(f"{error}", pytrace=False)
    with server:
        yield server


@pytest.fixture(scope="session")
def _mailgun_strict_server(pytestconfig: pytest.Config) -> "Iterator[Emulator]":
    from mailgun_emulator.testing import Emulator

    url = url_of(pytestconfig)
    if url:
        pytest.fail(
            f"mark.mailgun(strict=True) needs a server of its own: the one at {url} is as it is.", False
        )
    with Emulator(strict=True) as server:
        yield server


@pytest.fixture
def mailgun(request: pytest.FixtureRequest) -> "Iterator[Mailgun]":
    """An account of Mailgun's emulator that only this test knows: `mailgun.url`, `.api_key`, `.domain`, `.messages`,
    `.wait_for_message(to=…)`, `.assert_sent(subject=…)`, `.clock.advance(hours=8)` …
    """
    asked = asked_of(request.node)
    server: Emulator = request.getfixturevalue(
        "_mailgun_strict_server" if asked.get("strict") else "mailgun_server"
    )
    with ExitStack() as stack:
        account = stack.enter_context(server.account(asked.get("name") or request.node.nodeid))
        for file in asked.get("load", ()):
            account.load(found(request, file))
        if asked.get("env", wants_environment(request.config)):
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            for name, value in account.env.items():
                patch.setenv(name, value)
        request.node.stash[ACCOUNT] = account
        yield account
        del request.node.stash[ACCOUNT]


def url_of(config: pytest.Config) -> str:
    """Empty for none."""
    given: str | None = config.getoption("--mailgun-url")
    return given or os.environ.get(URL_VARIABLE) or str(config.getini("mailgun_url"))


def wants_environment(config: pytest.Config) -> bool:
    return bool(config.getoption("--mailgun-env") or config.getini("mailgun_env"))


def asked_of(item: pytest.Item) -> dict[str, Any]:
    """What its markers say; the nearest counts."""
    asked: dict[str, Any] = {}
    for marker in item.iter_markers("mailgun"):
        unknown = [*map(repr, marker.args), *(name for name in marker.kwargs if name not in KNOWN)]
        if unknown:
            pytest.fail(
                f"mark.mailgun takes {', '.join(f'{name}=' for name in KNOWN)}, not {unknown[0]}.", False
            )
        asked = {**marker.kwargs, **asked}
    if isinstance(asked.get("load"), str | os.PathLike):
        asked["load"] = [asked["load"]]
    return asked


def found(request: pytest.FixtureRequest, file: "str | os.PathLike[str]") -> str:
    """Beside the test, or where pytest has its root."""
    places = dict.fromkeys([request.path.parent / file, request.config.rootpath / file])
    for place in places:
        if place.is_file():
            return str(place)
    missing = " nor ".join(map(str, places))
    pytest.fail(f"mark.mailgun(load=…) names {str(file)!r}, and there is no {missing}.", pytrace=False)
