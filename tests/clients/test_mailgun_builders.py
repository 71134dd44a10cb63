"""Messages made by the builders of Mailgun's Python package, and its check of webhooks' signatures."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from mailgun.builders import MailgunMessageBuilder, MailgunTemplateBuilder
from mailgun.client import Client as Mailgun
from mailgun.ext.pydantic.models import SendMessageSchema
from mailgun.security import SecurityGuard
from tests.clients import mailgun_package
from tests.clients.mailgun_package import Kind
from tests.conftest import Account, Client
from tests.receiver import Receiver

NOT_SENT = {"build", "check_deliverability", "set_idempotency_safe"}
OTHER_BUILDER = {"set_copy_requests": "account templates, which the reference lacks"}


class Remembering(MailgunMessageBuilder):
    """Knows which of its methods were called."""

    def __init__(self, sender: str) -> None:
        super().__init__(sender)
        self.called: set[str] = set()

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name != "called":
            self.called.add(name)
        return super().__getattribute__(name)


def built(domain: str, folder: Path, kind: Kind) -> Remembering:
    """A message with all that a builder can give it, but no template."""
    for name in ("notes.txt", "logo.png", "big.bin"):
        (folder / name).write_bytes(name.encode() * 1000)
    message = Remembering(f"Ann <ann@{domain}>")
    message.add_recipient("bob@x.com").add_recipient("cat@x.com").add_recipient("dan@x.com", "cc")
    message.set_subject("Hi %recipient.name%").set_text("Hi").set_html('<img src="cid:logo">')
    message.set_amp_html("<!doctype html><html amp4email></html>")
    message.add_custom_variable("order", {"id": 7}).add_custom_header("X-Kind", "built")
    message.add_option("tag", value="built").add_option("tracking", value=False)
    message.attach_file(folder / "notes.txt", safe_base_dir=folder)
    # With the sync client the package's own streams fail: requests reads them without a size.
    big = message.attach_stream if kind == "async" else message.attach_file
    big(folder / "big.bin", safe_base_dir=folder)
    message.attach_inline(folder / "logo.png", cid="logo", safe_base_dir=folder)
    message.set_recipient_variables({"bob@x.com": {"name": "Bob"}, "cat@x.com": {"name": "Cat"}})
    return message


def from_template(domain: str) -> Remembering:
    message = Remembering(f"ann@{domain}")
    message.add_recipient("eve@x.com").set_subject("Hi").set_template("welcome").set_template_version("v2")
    message.set_template_text(enable=True).set_template_variables({"name": "Eve"})
    return message


async def post(kind: Kind, url: str, account: Account, *messages: MailgunMessageBuilder) -> None:
    async with mailgun_package.speaking(kind, url, account.api_key) as spoken:
        for message in messages:
            data, files = message.build()
            sent = await spoken.messages.create(data=data, files=files, domain=account.domain)
            assert sent.json()["message"] == "Queued. Thank you.", sent.text


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_what_builders_build_is_sent(
    kind: Kind, server_url: str, account: Account, client: Client, tmp_path: Path
) -> None:
    template = {"name": "welcome", "template": "<b>Hi {{name}}</b>", "tag": "v2"}
    client.post(f"/v3/{account.domain}/templates", data=template)
    whole, short = built(account.domain, tmp_path, kind), from_template(account.domain)
    asyncio.run(post(kind, server_url, account, whole, short))
    client.drain()
    asked = {"event": "delivered", "ascending": "yes"}
    events = client.get(f"/v3/{account.domain}/events", params=asked).json()["items"]
    stored = {event["recipient"]: client.get(event["storage"]["url"]).json() for event in events}
    assert stored["bob@x.com"]["subject"] == "Hi Bob"
    assert stored["eve@x.com"]["body-html"] == "<b>Hi Eve</b>"
    sent = {item["name"]: item["size"] for item in stored["cat@x.com"]["attachments"]}
    assert sent == {"notes.txt": 9000, "big.bin": 7000, "logo": 8000}
    assert stored["cat@x.com"]["content-id-map"].keys() == {"<logo>"}
    event = next(each for each in events if each["recipient"] == "cat@x.com")
    assert (event["tags"], event["user-variables"]) == (["built"], {"order": '{"id":7}'})
    offered = mailgun_package.methods(MailgunMessageBuilder) - NOT_SENT - {"attach_stream"}
    assert not offered - whole.called - short.called, "offered by the package, not used here"


def test_templates_are_built_in_a_story() -> None:
    told = (Path(__file__).parent / "package_stories.py").read_text()
    offered = mailgun_package.methods(MailgunTemplateBuilder) - OTHER_BUILDER.keys()
    assert not {name for name in offered if f".{name}(" not in told}


def test_a_message_by_its_schema(server_url: str, account: Account, client: Client) -> None:
    asked = {
        "from": f"ann@{account.domain}",
        "to": ["bob@x.com"],
        "text": "Hi",
        "custom_params": {"o:tag": "schema", "v:order": "7"},
    }
    data = SendMessageSchema.model_validate(asked).to_mailgun_payload()
    with Mailgun(auth=("api", account.api_key), api_url=server_url) as mailgun:
        assert mailgun.messages.create(data=data, domain=account.domain).status_code == 200
    client.drain()
    event = client.get(f"/v3/{account.domain}/events").json()["items"][0]
    assert (event["tags"], event["user-variables"]) == (["schema"], {"order": "7"})


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_refusals_reach_the_package(kind: Kind, server_url: str, account: Account, closed_key: str) -> None:
    async def refused(key: str, **data: str) -> tuple[int, str]:
        async with mailgun_package.speaking(kind, server_url, key) as spoken:
            answer = await spoken.messages.create(data=data, domain=account.domain)
            return answer.status_code, answer.text

    assert asyncio.run(refused(closed_key, to="bob@x.com")) == (401, "Forbidden")
    status, text = asyncio.run(refused(account.api_key, to="nobody", **{"from": "a@x.com", "text": "x"}))
    assert (status, "to parameter is not a valid address" in text) == (400, True)


def test_signatures_are_verified_by_the_package(client: Client, account: Account, receiver: Receiver) -> None:
    client.post(f"/v3/domains/{account.domain}/webhooks", data={"id": "delivered", "url": receiver.url("/")})
    message = {"from": f"ann@{account.domain}", "to": "bob@x.com", "text": "x"}
    client.post(f"/v3/{account.domain}/messages", data=message)
    client.drain()
    [posted] = receiver.wait_for(1)
    signature = posted.json()["signature"]
    assert SecurityGuard.verify_webhook(account.signing_key, **signature)
    assert not SecurityGuard.verify_webhook("another key", **signature)
