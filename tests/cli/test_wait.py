import subprocess

import orjson
from tests.cli.conftest import COMMAND, Call
from tests.conftest import Account, Client
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
