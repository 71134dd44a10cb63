import pytest
from tests.conftest import serving
from tests.receiver import dead_url

from mailgun_emulator import __version__
from mailgun_emulator.testing import Emulator

CALM = ("-p", "no:randomly", "-p", "no:cacheprovider", "-W", "error")


# pytester takes back what a test imports, which not all libraries bear: the emulators here are other processes.


def run(pytester: pytest.Pytester, test: str, *options: str) -> pytest.RunResult:
    """A suite of its own, in a process of its own."""
    pytester.makepyfile(test_it=test)
    return pytester.runpytest_subprocess(*CALM, *options)


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "MAILGUN_EMULATOR_URL",
        "PYTEST_ADDOPTS",
        "PYTEST_XDIST_WORKER",
        "MAILGUN_API_URL",
        "MAILGUN_API_KEY",
    ):
        monkeypatch.delenv(name, raising=False)


def test_each_test_has_an_account_of_its_own(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        seen = set()

        def test_one(mailgun, mailgun_server):
            mailgun.send()
            assert len(mailgun.messages) == 1
            seen.add(mailgun.id)
            assert mailgun.url == mailgun_server.url

        def test_two(mailgun, mailgun_server):
            assert mailgun.messages == []
            assert mailgun.id not in seen
            known = [account.id for account in mailgun_server.accounts()]
            assert known == [mailgun_server.account_id, mailgun.id], "that of the test before is gone"

        def test_its_name_is_the_tests(mailgun):
            assert mailgun.name == "test_it.py::test_its_name_is_the_tests"
        """,
    )
    result.assert_outcomes(passed=3)


def test_the_environment_is_set_for_a_test_that_is_marked(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import os
        import pytest

        NAMES = ("MAILGUN_API_URL", "MAILGUN_API_KEY", "MAILGUN_DOMAIN", "MAILGUN_WEBHOOK_SIGNING_KEY")

        @pytest.fixture
        def app():
            return {name: os.environ[name] for name in NAMES}

        @pytest.mark.mailgun(env=True)
        def test_marked(app, mailgun):
            assert app == mailgun.env

        @pytest.mark.mailgun(env=True)
        def test_marked_alone(app):
            assert app["MAILGUN_API_URL"].startswith("http://127.0.0.1:")

        def test_not_marked(mailgun):
            assert not any(name in os.environ for name in NAMES)

        @pytest.mark.mailgun(env=True)
        class TestAll:
            def test_in_a_class(self, app):
                pass

            @pytest.mark.mailgun(env=False)
            def test_the_nearest_mark_counts(self):
                assert "MAILGUN_API_KEY" not in os.environ
        """,
    )
    result.assert_outcomes(passed=5)


def test_the_environment_is_set_for_all_by_option_or_configuration(pytester: pytest.Pytester) -> None:
    test = """
        import os

        def test_set(mailgun):
            assert os.environ["MAILGUN_DOMAIN"] == mailgun.domain

        def test_not_without_the_fixture():
            assert "MAILGUN_DOMAIN" not in os.environ
        """
    run(pytester, test, "--mailgun-env").assert_outcomes(passed=2)
    pytester.makeini("[pytest]\nmailgun_env = true")
    run(pytester, test).assert_outcomes(passed=2)


def test_a_unittest_has_one_too(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import os
        import unittest
        import pytest

        class Test(unittest.TestCase):
            @pytest.mark.mailgun(env=True)
            def test_it(self):
                self.assertIn("MAILGUN_API_KEY", os.environ)
        """,
    )
    result.assert_outcomes(passed=1)


def test_a_strict_server_is_asked_for_by_a_mark(pytester: pytest.Pytester, server_url: str) -> None:
    test = """
        import pytest

        @pytest.mark.mailgun(strict=True)
        def test_strict(mailgun):
            with pytest.raises(Exception, match="401"):
                mailgun.send(domain="unknown.example.com")

        def test_lenient(mailgun):
            mailgun.send(domain="unknown.example.com")
        """
    run(pytester, test).assert_outcomes(passed=2)
    result = run(pytester, test, "--mailgun-url", server_url)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*mark.mailgun(strict=True) needs a server of its own: the one at http:* is as it is.*"]
    )


def test_files_are_loaded_before_the_test(pytester: pytest.Pytester, server_url: str) -> None:
    with Emulator.connect(server_url) as emulator, emulator.account() as mailgun:
        mailgun.client.call(
            "POST",
            f"/v3/{mailgun.domain}/templates",
            [("name", "hi"), ("template", "Hi {{name}}"), ("description", "")],
        )
        pytester.path.joinpath("shop.yaml").write_text(mailgun.export())
        domain = mailgun.domain
    test = f"""
        import pytest

        @pytest.mark.mailgun(load=["shop.yaml"])
        def test_list(mailgun):
            told = mailgun.render_template("hi", domain={domain!r}, variables={{"name": "Ann"}})
            assert told["html"] == "Hi Ann"

        @pytest.mark.mailgun(load="shop.yaml", name="The shop")
        def test_one(mailgun):
            assert mailgun.name == "The shop"

        @pytest.mark.mailgun(load="none.yaml")
        def test_none(mailgun):
            pass
        """
    result = run(pytester, test)
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["mark.mailgun(load=*) names 'none.yaml', and there is no */none.yaml."])


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        ("enviroment=True", "mark.mailgun takes env=, strict=, name=, load=, not enviroment."),
        ("True", "mark.mailgun takes env=, strict=, name=, load=, not True."),
    ],
)
def test_a_mark_that_makes_no_sense_is_refused(pytester: pytest.Pytester, mark: str, said: str) -> None:
    result = run(pytester, f"import pytest\n@pytest.mark.mailgun({mark})\ndef test_it(): pass")
    result.assert_outcomes(errors=1)
    assert said in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_the_mark_and_the_fixtures_are_described(pytester: pytest.Pytester) -> None:
    assert "@pytest.mark.mailgun(env=False" in pytester.runpytest_subprocess(*CALM, "--markers").stdout.str()
    shown = pytester.runpytest_subprocess(*CALM, "--fixtures").stdout.str()
    assert "mailgun_server [session scope]" in shown
    assert "An account of Mailgun's emulator that only this test knows" in shown
    assert "--mailgun-url=URL" in pytester.runpytest_subprocess(*CALM, "--help").stdout.str()
    run(
        pytester, "import pytest\n@pytest.mark.mailgun\ndef test_it(mailgun): pass", "--strict-markers"
    ).assert_outcomes(passed=1)


@pytest.mark.parametrize("way", ["option", "variable", "configuration"])
def test_a_server_that_runs_elsewhere_is_used(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    with serving() as server, Emulator.connect(server.url) as emulator:
        before = emulator.account("Before all")
        if way == "variable":
            monkeypatch.setenv("MAILGUN_EMULATOR_URL", emulator.url)
        if way == "configuration":
            pytester.makeini(f"[pytest]\nmailgun_url = {emulator.url}")
        result = run(
            pytester,
            f"""
            def test_it(mailgun, mailgun_server):
                assert mailgun.url == {emulator.url!r}
                mailgun.send()
                mailgun.assert_delivered(to="ann@example.com")
            """,
            *(["--mailgun-url", emulator.url] if way == "option" else []),
        )
        result.assert_outcomes(passed=1)
        result.stdout.fnmatch_lines([f"mailgun: {emulator.url}"])
        assert [each.id for each in emulator.accounts()] == [emulator.account_id, before.id]


def test_where_no_server_answers_it_is_told_in_one_line(pytester: pytest.Pytester) -> None:
    with dead_url() as url:
        result = run(pytester, "def test_it(mailgun): pass", "--mailgun-url", url)
    result.assert_outcomes(errors=1)
    said = f"Nothing answers at {url.rstrip('/')}: Connection refused. Start an emulator there with"
    assert said in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    result = run(pytester, "def test_it(mailgun): pass", "--mailgun-url", "localhost")
    result.stdout.fnmatch_lines(
        ["*'localhost' is no URL of an emulator; http://127.0.0.1:8025 would be one.*"]
    )


def test_tests_that_are_coroutines_use_it(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        """
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_it(mailgun):
            import asyncio
            waiting = asyncio.create_task(mailgun.aio.wait_for_message(subject="Hello"))
            await asyncio.to_thread(mailgun.send)
            assert (await waiting).to == ["ann@example.com"]
        """,
    )
    result.assert_outcomes(passed=1)


def test_nothing_is_left_of_a_session(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        import gc, os, threading

        def left():
            gc.collect()
            return len(os.listdir("/proc/self/fd")), [each.name for each in threading.enumerate()]

        def pytest_sessionstart(session):
            session.config.before = left()

        def pytest_sessionfinish(session):
            session.config.after = left()

        def pytest_terminal_summary(terminalreporter, config):
            terminalreporter.write_line(f"before {config.before} after {config.after}")
        """
    )
    result = run(
        pytester,
        """
        import pytest

        @pytest.mark.parametrize("number", range(3))
        def test_it(mailgun, number):
            receiver = mailgun.webhooks.receiver()
            mailgun.send()
            receiver.wait("delivered")
        """,
        "-s",
    )
    result.assert_outcomes(passed=3)
    (line,) = [each for each in result.outlines if each.startswith("before ")]
    before, _, after = line.removeprefix("before ").partition(" after ")
    assert before == after


HEAVY = (
    "fastapi",
    "starlette",
    "uvicorn",
    "aiohttp",
    "sqlmodel",
    "sqlalchemy",
    "pydantic",
    "orjson",
    "yaml",
    "typer",
)
OURS = ("mailgun_emulator", "mailgun_emulator.pytest_plugin")


def test_nothing_heavy_is_imported_until_it_is_used(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        f"""
        import sys

        def test_it():
            assert [name for name in {HEAVY} if name in sys.modules] == []
            assert sorted(name for name in sys.modules if name.startswith("mailgun_emulator")) == list({OURS})
        """,
        "-p",
        "no:anyio",
    )
    result.assert_outcomes(passed=1)


def test_the_plugin_costs_some_milliseconds_at_most(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        program="""
        import subprocess, sys
        told = subprocess.run(
            [sys.executable, "-X", "importtime", "-c", "import pytest; import mailgun_emulator.pytest_plugin"],
            capture_output=True, text=True, check=True,
        ).stderr.splitlines()
        ours = [line.split("|") for line in told if line.split("|")[2].strip().startswith("mailgun_emulator")]
        print(sum(int(own.removeprefix("import time:")) for own, _, _ in ours) / 1000)
        print([name.strip() for _, _, name in ours])
        """
    )
    told = [pytester.runpython(pytester.path / "program.py").outlines for _ in range(3)]
    assert {each[1] for each in told} == {str(list(OURS))}
    assert min(float(each[0]) for each in told) < 10
    assert __version__
