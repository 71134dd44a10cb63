from pathlib import Path
from typing import Any

import orjson
from tests.cli.conftest import Call
from tests.conftest import Account, Client


def newest(client: Client) -> dict[str, Any]:
    summary = client.get("/_emulator/messages").json()["items"][0]
    message: dict[str, Any] = client.get(f"/_emulator/messages/{summary['id']}").json()
    return message


def test_what_comes_in_is_the_text_and_the_id_is_told(call: Call, client: Client, account: Account) -> None:
    sent = orjson.loads(
        call("send", "--to", "ann@example.com", "--subject", "Hi", given="Hello Ann\n").stdout
    )
    assert sent["message"] == "Queued. Thank you."
    message = newest(client)
    assert message["message_id"] == sent["id"].strip("<>")
    assert (message["from"], message["subject"]) == (f"Me <me@{account.domain}>", "Hi")
    assert message["text"].strip() == "Hello Ann"


def test_all_that_a_message_has_can_be_said(
    call: Call, client: Client, account: Account, tmp_path: Path
) -> None:
    (tmp_path / "order.txt").write_text("17 apples")
    (tmp_path / "page.html").write_text("<p>Hello</p>")
    call(
        "send", "--from", f"shop@{account.domain}", "--to", "ann@example.com", "--cc", "bob@example.com",
        "--bcc", "carl@example.com", "--subject", "Order", "--text", "Hello", "--html", "@page.html",
        "--tag", "a", "--tag", "b", "--variables", "order=17", "--variables", '{"paid": true}',
        "--attachment", "order.txt", "--option", "testmode=yes", "--header", "X-Order=17",
    )  # fmt: skip
    items = client.get("/_emulator/messages").json()["items"]
    (message,) = [client.get(f"/_emulator/messages/{item['id']}").json() for item in items]
    assert (message["from"], message["to"], message["cc"]) == (
        f"shop@{account.domain}",
        ["ann@example.com"],
        ["bob@example.com"],
    )
    assert set(message["recipients"]) == {"ann@example.com", "bob@example.com", "carl@example.com"}
    assert (message["text"].strip(), message["html"].strip()) == ("Hello", "<p>Hello</p>")
    assert (message["tags"], message["test_mode"]) == (["a", "b"], True)
    assert message["variables"] == {"order": "17", "paid": "true"}
    assert [(each["filename"], each["content_type"]) for each in message["attachments"]] == [
        ("order.txt", "text/plain")
    ]
    assert ["X-Order", "17"] in message["headers"]


def test_a_template_is_filled_in(call: Call, client: Client, account: Account) -> None:
    template = {"name": "welcome", "template": "Hello {{name}}"}
    client.post(f"/v3/{account.domain}/templates", data=template)
    call("send", "--to", "ann@example.com", "--template", "welcome", "--variables", "name=Ann")
    assert "Hello Ann" in newest(client)["html"]


def test_it_waits_until_each_recipient_has_it(call: Call) -> None:
    to = ("--to", "ann@example.com", "--to", "bob@example.com", "--text", "x", "--wait")
    sent = orjson.loads(call("send", *to).stdout)
    assert [(each["event"], each["recipient"]) for each in sent["events"]] == [
        ("delivered", "ann@example.com"),
        ("delivered", "bob@example.com"),
    ]


def test_who_never_has_it_makes_it_fail(call: Call) -> None:
    to = ("--to", "ann@example.com", "--to", "bounce@example.com", "--text", "x")
    told = call("send", *to, "--wait", "--no-json", exits=1).stdout.splitlines()
    assert told[0].startswith("Queued. Thank you. <")
    assert told[1].endswith("delivered ann@example.com")
    assert "failed bounce@example.com permanent, bounce: 550" in told[2]


def test_what_can_t_be_sent_is_refused(call: Call) -> None:
    refused = call(
        "send", "--to", "ann@example.com", "--text", "x", "--option", "deliverytime=perhaps", exits=1
    )
    assert (refused.stdout, refused.stderr.count("\n")) == ("", 1)
    assert "perhaps is not an RFC-2822 compliant date" in refused.stderr
    for wrong, said in (
        (("--text", "x"), "at least one --to"),
        (("--to", "a@x.com", "--text", "@absent.txt"), "absent.txt"),
        (("--to", "a@x.com", "--text", "x", "--attachment", "absent.pdf"), "absent.pdf"),
        (("--to", "a@x.com", "--text", "x", "--variables", "{"), "--variables"),
    ):
        assert said in call("send", *wrong, exits=2).stderr
