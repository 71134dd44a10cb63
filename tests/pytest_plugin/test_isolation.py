"""Two hundred tests at once."""

import pytest
from tests.conftest import serving
from tests.pytest_plugin.test_plugin import run

from mailgun_emulator.testing import Emulator

SUITE = """
    import threading
    import pytest

    ids = set()

    @pytest.mark.mailgun(env=True)
    @pytest.mark.parametrize("number", range(200))
    def test_it(mailgun, number, record_property):
        import os
        assert os.environ["MAILGUN_API_KEY"] == mailgun.api_key
        assert mailgun.messages == []
        assert mailgun.id not in ids
        ids.add(mailgun.id)
        subject = f"Of test {number}"
        sending = threading.Thread(target=mailgun.send, args=("ann@example.com", subject))
        sending.start()
        assert mailgun.wait_for_message(to="ann@example.com").subject == subject
        sending.join()
        if number % 3 == 0:
            mailgun.reset()
            assert mailgun.messages == mailgun.events() == []
            mailgun.send(subject=subject)
        if number % 3 == 1:
            mailgun.clock.advance(days=2)
        if number % 5 == 0:
            mailgun.bounce(mailgun.send(subject=subject))
        else:
            mailgun.assert_delivered(to="ann@example.com")
        assert {each.subject for each in mailgun.messages} == {subject}
"""


@pytest.mark.timeout(300)
def test_all_share_one_server(pytester: pytest.Pytester) -> None:
    with serving() as server, Emulator.connect(server.url) as emulator:
        emulator.default.send(subject="Of nobody")
        result = run(pytester, SUITE, "-n", "4", "--mailgun-url", emulator.url)
        result.assert_outcomes(passed=200)
        assert [each.id for each in emulator.accounts()] == [emulator.account_id]
        assert [each.subject for each in emulator.default.messages] == ["Of nobody"]


@pytest.mark.timeout(300)
def test_each_worker_has_its_own(pytester: pytest.Pytester) -> None:
    run(pytester, SUITE.replace("range(200)", "range(40)"), "-n", "4").assert_outcomes(passed=40)
