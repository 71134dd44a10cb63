import signal
import subprocess
from typing import Any

import orjson
import pytest
from tests.cli.conftest import COMMAND, Call
from tests.conftest import Account, Client


def send(client: Client, account: Account, to: str, **fields: Any) -> str:
    message = {
        "from": f"shop@{account.domain}",
        "to": to,
        "subject": "Order 17",
        "text": "17 apples",
        **fields,
    }
    files = [("attachment", ("bill.txt", b"17 coins", "text/plain"))] if fields.get("subject") else None
    answer = client.post(f"/v3/{account.domain}/messages", data=message, files=files)
    assert answer.status_code == 200, answer.text
    client.drain()
    return str(answer.json()["id"])


@pytest.fixture
def two_sent(client: Client, account: Account) -> tuple[str, str]:
    html = '<p>Hello</p><a href="https://example.com/confirm">Confirm</a>'
    first = send(client, account, "ann@example.com")
    return first, send(client, account, "bob@example.com", subject="Bill", html=html, **{"o:tag": "bill"})


def test_messages_are_listed_as_the_server_tells_them(
    call: Call, client: Client, two_sent: tuple[str, str]
) -> None:
    assert orjson.loads(call("inbox").stdout) == client.get("/_emulator/messages").json()
    assert orjson.loads(call("inbox", "list").stdout)["total"] == 2
    for options in (("--to", "bob@example.com"), ("--has-attachment",), ("-q", "tag:bill apples")):
        found = orjson.loads(call("inbox", *options).stdout)["items"]
        assert [each["subject"] for each in found] == ["Bill"]


def test_messages_are_listed_for_people(call: Call, client: Client, two_sent: tuple[str, str]) -> None:
    newest = client.get("/_emulator/messages").json()["items"][0]
    lines = call("inbox", "--no-json", "--limit", "1").stdout.splitlines()
    assert lines[0].startswith("Bill  2")
    assert lines[1] == f"  bob@example.com from {newest['from']}  #bill  1 attachment  {newest['id']}"
    assert lines[2:] == ["and 1 more"]
    assert call("inbox", "--no-json", "--to", "nobody@x.com").stdout == "No messages.\n"


def test_a_message_is_shown_by_its_id_or_as_the_newest(
    call: Call, client: Client, two_sent: tuple[str, str]
) -> None:
    assert orjson.loads(call("inbox", "show", two_sent[0]).stdout)["subject"] == "Order 17"
    told = call("inbox", "show", "--no-json").stdout
    for each in (
        "Subject:",
        "Bill",
        "17 apples",
        "https://example.com/confirm",
        "bill.txt",
        "delivered bob@",
    ):
        assert each in told


def test_a_part_of_a_message_is_all_that_is_printed(
    call: Call, client: Client, two_sent: tuple[str, str]
) -> None:
    newest = client.get("/_emulator/messages").json()["items"][0]["id"]
    raw = client.get(f"/_emulator/messages/{newest}/raw").text
    assert call("inbox", "show", "--raw").stdout == raw.replace("\r\n", "\n")
    assert call("inbox", "show", "--html").stdout.startswith("<p>Hello</p>")
    assert call("inbox", "show", newest, "--text").stdout.strip() == "17 apples"
    assert "Subject: Bill\n" in call("inbox", "show", "--headers").stdout
    assert call("inbox", "show", "--attachment", "0").stdout == "17 coins"
    assert "name one of" in call("inbox", "show", "--raw", "--html", exits=2).stderr


def test_what_is_not_there_is_said(call: Call) -> None:
    assert call("inbox", "show", exits=1).stderr == "mailgun-emulator: there are no messages\n"
    refused = call("inbox", "show", "absent", exits=1)
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    assert call("inbox", "show", "absent", "--raw", exits=1).stdout == ""


def test_what_somebody_wrote_tells_the_terminal_nothing(call: Call, client: Client, account: Account) -> None:
    send(client, account, "ann@example.com", text="red \x1b[31m alert", html="")
    assert "\x1b" not in call("inbox", "show", "--no-json").stdout


def test_messages_are_deleted_by_id_by_what_they_are_or_all(
    call: Call, client: Client, account: Account, two_sent: tuple[str, str]
) -> None:
    send(client, account, "carl@example.com")
    call("inbox", "delete", two_sent[0])
    assert call("inbox", "delete", "--to", "bob@example.com", "--no-json").stdout == "1 message deleted\n"
    assert client.get("/_emulator/messages").json()["total"] == 1
    for wrong in ((), ("--all", "--to", "x"), (two_sent[1], "--all")):
        assert "say what to delete" in call("inbox", "delete", *wrong, exits=2).stderr
    assert "--to stands before delete" in call("inbox", "--to", "x", "delete", "--all", exits=2).stderr
    assert client.get("/_emulator/messages").json()["total"] == 1
    call("inbox", "delete", "--all")
    assert client.get("/_emulator/messages").json()["total"] == 0
    call("inbox", "delete", two_sent[0], exits=1)


def test_messages_are_told_as_they_come(variables: dict[str, str], client: Client, account: Account) -> None:
    command = [*COMMAND, "inbox", "--follow", "--subject", "Bill"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=variables
    ) as following:
        try:
            assert following.stdout is not None
            assert following.stderr is not None
            assert following.stderr.readline() == "mailgun-emulator: waiting for messages; Ctrl-C ends it\n"
            send(client, account, "ann@example.com")
            send(client, account, "bob@example.com", subject="Bill")
            assert orjson.loads(following.stdout.readline())["recipients"] == ["bob@example.com"]
            following.send_signal(signal.SIGINT)
            rest, said = following.communicate(timeout=20)
        finally:
            following.kill()
    assert (following.returncode, rest, said) == (0, "", "")
