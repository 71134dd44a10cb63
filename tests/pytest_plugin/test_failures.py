"""What is read when a test fails."""

import re
from collections.abc import Callable

import pytest
from tests.pytest_plugin.test_plugin import run as run_here

Run = Callable[..., pytest.RunResult]
IDS = re.compile(r"BA[\w-]{32}")


@pytest.fixture
def run(pytester: pytest.Pytester, server_url: str) -> Run:
    """With a server that is there already, which is the quicker way."""
    return lambda test, *options: run_here(pytester, test, "--mailgun-url", server_url, *options)


def section(result: pytest.RunResult) -> str:
    """What stands under the heading `mailgun`."""
    lines = result.outlines
    (begin,) = [number for number, line in enumerate(lines) if re.fullmatch("-+ mailgun -+", line)]
    end = next(number for number in range(begin + 1, len(lines)) if re.match(r"[=_-]{10}", lines[number]))
    return IDS.sub("ID", "\n".join(lines[begin + 1 : end]))


def test_a_failure_shows_the_line_of_the_test_and_what_was_sent(run: Run) -> None:
    result = run(
        """
        def test_it(mailgun):
            mailgun.clock.freeze("2026-01-01T00:00:00Z")
            mailgun.send("bounce@example.com", "Welcom", fields={"o:tag": "shop"})
            try:
                mailgun.send("nobody")
            except Exception:
                pass
            mailgun.assert_sent(subject="Welcome")
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>       mailgun.assert_sent(subject="Welcome")',
            "E       AssertionError: No message with subject='Welcome' was sent.",
            "E         subject: 'Welcom' instead of 'Welcome'",
            "test_it.py:8: AssertionError",
        ]
    )
    assert "watched.py" not in result.stdout.str()
    first, _, rest = section(result).partition("\n")
    assert re.fullmatch(r"account [0-9a-f]{24}, domain ([0-9a-f]{8}\.example\.com)", first)
    domain = first.partition("domain ")[2]
    assert rest == (
        "\n"
        "1 message:\n"
        "  to                  subject   tags  at                   id\n"
        "  bounce@example.com  'Welcom'  shop  2026-01-01 00:00:00  ID\n"
        "\n"
        "2 events:\n"
        "  at                   event     recipient\n"
        "  2026-01-01 00:00:00  accepted  bounce@example.com\n"
        "  2026-01-01 00:00:00  failed    bounce@example.com  permanent 550 bounce: "
        "5.1.1 The email account that you tried to reach does not exist\n"
        "\n"
        "1 failed request:\n"
        f"  POST /v3/{domain}/messages: 400 to parameter is not a valid address. please check documentation"
    )


def test_a_failure_that_has_sent_nothing_says_so(run: Run) -> None:
    result = run("def test_it(mailgun): assert 0")
    assert section(result).partition("\n\n")[2] == "no messages\n\nNo request came with this account's key."


def test_a_test_that_passes_or_has_no_account_says_nothing(run: Run) -> None:
    result = run("def test_it(mailgun): pass\ndef test_other(): assert 0", "-rA")
    assert not [line for line in result.outlines if re.fullmatch("-+ mailgun -+", line)]


def test_a_failure_of_another_fixture_is_told_with_it(run: Run) -> None:
    result = run(
        """
        import pytest

        @pytest.fixture
        def app(mailgun):
            mailgun.send()
            raise OSError("no app")

        def test_it(app):
            pass
        """,
    )
    result.assert_outcomes(errors=1)
    assert "1 message:" in section(result)


def test_a_server_that_has_gone_does_not_hide_the_failure(pytester: pytest.Pytester) -> None:
    result = run_here(
        pytester,
        """
        def test_it(mailgun, mailgun_server):
            mailgun_server.stop()
            assert 1 == 2
        """,
    )
    result.assert_outcomes(failed=1)
    assert "assert 1 == 2" in result.stdout.str()
    assert section(result).startswith("Nothing answers at http://127.0.0.1:")


def test_many_are_cut_to_the_last_ones(run: Run) -> None:
    result = run(
        """
        def test_it(mailgun):
            for number in range(12):
                mailgun.send(subject=f"Number {number:02}")
            mailgun.drain()
            assert 0
        """,
    )
    told = section(result)
    assert "the last 10 of 12 messages:" in told
    assert "'Number 01'" not in told
    assert "'Number 11'" in told
    assert "the last 20 events:" in told


def test_failures_of_coroutines_show_the_line_of_the_test(run: Run) -> None:
    result = run(
        """
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.mark.anyio
        async def test_it(mailgun):
            await mailgun.aio.wait_for_message(subject="x", timeout=0.01)
        """,
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            '>       await mailgun.aio.wait_for_message(subject="x", timeout=0.01)',
            "E       AssertionError: No message with subject='x' came within 0.01 s.",
            "test_it.py:9: AssertionError",
        ]
    )
    assert "threads.py" not in result.stdout.str()


def test_what_the_emulator_refuses_is_shown_at_the_line_of_the_test(run: Run) -> None:
    result = run(
        """
        import asyncio

        def test_refused(mailgun):
            mailgun.restore("none")

        def test_impossible(mailgun):
            mailgun.open(mailgun.send("bounce@example.com"))

        def test_refused_while_a_loop_runs(mailgun):
            async def story():
                await mailgun.aio.restore("none")
            asyncio.run(story())
        """,
    )
    result.assert_outcomes(failed=3)
    result.stdout.fnmatch_lines(
        [
            '>       mailgun.restore("none")',
            "E       mailgun_emulator.*EmulatorError: There is no snapshot none;*",
            "test_it.py:4: EmulatorError",
            "test_it.py:7: EmulatorError",
            '>       await mailgun.aio.restore("none")',
            "test_it.py:11: EmulatorError",
        ]
    )
    assert "http_client.py" not in result.stdout.str()
    assert "account_client.py" not in result.stdout.str()
