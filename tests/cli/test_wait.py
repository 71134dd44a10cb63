import subprocess
from pathlib import Path

import orjson
import pytest
from tests.cli.conftest import COMMAND, Call, environment
from tests.conftest import Account, Client, serving
from tests.receiver import Receiver


def send(client: Client, account: Account, to: str = "ann@example.com") -> None:
    fields = {"from": f"a@{account.domain}", "to": to, "subject": "Your code", "text": "Your code is 123456"}
    assert client.post(f"/v3/{account.domain}/messages", data=fields).status_code == 200
    client.drain()


def test_a_message_that_comes_later_is_told(
    variables: dict[str, str], client: Client, account: Account
) -> None:
    command = [*COMMAND, "wait", "--to", "ann@example.com", "--subject", "code", "--timeout", "40"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as waiting:
        send(client, account)
        told, _ = waiting.communicate(timeout=50)
    assert waiting.returncode == 0
    (message,) = orjson.loads(told)["items"]
    assert message["codes"] == ["123456"]


def test_events_are_waited_for(call: Call, client: Client, account: Account) -> None:
    send(client, account)
    told = call("wait", "--event", "delivered", "--to", "ann@example.com", "--no-json")
    assert told.stdout.endswith("delivered ann@example.com\n")


def test_posts_to_webhooks_are_waited_for(
    call: Call, client: Client, account: Account, receiver: Receiver
) -> None:
    hook = {"id": "delivered", "url": receiver.url("/hook")}
    client.post(f"/v3/domains/{account.domain}/webhooks", data=hook)
    send(client, account)
    told = call("wait", "--webhook", "--event", "delivered", "--webhook-url", "*/hook").stdout
    assert orjson.loads(told)["items"][0]["status"] == 200


def test_when_the_time_is_over_it_tells_what_was_there(call: Call, client: Client, account: Account) -> None:
    send(client, account)
    late = call("wait", "--to", "bob@example.com", "--timeout", "0.1", exits=1)
    assert [each["recipients"] for each in orjson.loads(late.stdout)["there"]] == [["ann@example.com"]]
    assert late.stderr.startswith("mailgun-emulator: No message to bob@example.com came within 0.1 s.")
    late = call("wait", "--event", "opened", "--timeout", "0.1", "--no-json", exits=1)
    assert late.stdout == ""
    assert "delivered ann@example.com" in late.stderr
    assert "event: 'delivered' instead of 'opened'" in late.stderr


def test_what_does_not_fit_together_is_refused(call: Call) -> None:
    refused = call("wait", "--event", "delivered", "--subject", "x", exits=2)
    assert refused.stderr.startswith("mailgun-emulator: --subject is not for events; what is: --event, --to,")
    assert (
        "one --event" in call("wait", "--webhook", "--event", "opened", "--event", "clicked", exits=2).stderr
    )
    assert "'opend'" not in call("wait", "--event", "opend", exits=1).stdout


def test_a_server_that_stops_ends_a_wait() -> None:
    with serving() as server:
        variables = environment(MAILGUN_EMULATOR_URL=server.url)
        command = [*COMMAND, "wait", "--to", "ann@example.com", "--timeout", "60"]
        with (
            subprocess.Popen(
                [*COMMAND, "inbox", "--follow"], stderr=subprocess.PIPE, text=True, env=variables
            ) as other,
            subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=variables) as waiting,
        ):
            assert other.stderr is not None
            assert "waiting for messages" in other.stderr.readline()
            server.process.terminate()
            told, _ = other.communicate(timeout=50)[1], waiting.communicate(timeout=50)
    assert (other.returncode, waiting.returncode) == (2, 2)
    assert told == f"mailgun-emulator: {server.url} has ended\n"


def test_what_somebody_wrote_tells_the_terminal_nothing(call: Call, client: Client, account: Account) -> None:
    fields = {"from": "a@x.com", "to": "ann@example.com", "subject": "Red \x1b[31m", "text": "x"}
    client.post(f"/v3/{account.domain}/messages", data=fields)
    told = call("wait", "--to", "bob@example.com", "--timeout", "0", "--no-json", exits=1)
    assert "The nearest is 'Red \N{REPLACEMENT CHARACTER}[31m' to ann" in told.stderr


def test_an_output_that_takes_nothing_is_told_in_one_line(variables: dict[str, str]) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    with full.open("w") as output:
        command = [*COMMAND, "inbox"]
        ended = subprocess.run(
            command, stdout=output, stderr=subprocess.PIPE, text=True, env=variables, check=False
        )
    assert ended.returncode == 2
    assert ended.stderr == "mailgun-emulator: the output can't be written: No space left on device\n"
