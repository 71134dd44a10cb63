"""Messages made from templates, from storing one to what each recipient reads."""

import json
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from typing import Any

import httpx2
import pytest
from mailgun.client import Client as Mailgun
from tests.conftest import Account, Client
from tests.sink import connected


class Story:
    def __init__(self, client: Client, account: Account) -> None:
        self.client = client
        self.domain = account.domain

    def store(self, name: str, template: str, **fields: Any) -> None:
        headers = json.dumps(fields.pop("headers", {}))
        data = {"name": name, "template": template, "headers": headers, **fields}
        assert self.client.post(f"/v3/{self.domain}/templates", data=data).status_code == 200

    def send(self, **fields: Any) -> Any:
        data = {"to": "bob@x.com", **fields}
        response = self.client.post(f"/v3/{self.domain}/messages", data=data)
        assert response.status_code == 200, response.text
        self.client.drain()
        return response.json()

    def events(self, kind: str) -> list[dict[str, Any]]:
        found = self.client.get(f"/v3/{self.domain}/events", params={"event": kind, "ascending": "yes"})
        return list(found.json()["items"])

    def read(self, recipient: str = "bob@x.com") -> dict[str, Any]:
        """What was accepted for that recipient last."""
        accepted = [each for each in self.events("accepted") if each["recipient"] == recipient]
        return dict(self.client.get(accepted[-1]["storage"]["url"]).json())

    def body(self, event: dict[str, Any]) -> str:
        return str(self.client.get(event["storage"]["url"]).json()["body-html"]).strip()


@pytest.fixture
def story(client: Client, account: Account) -> Story:
    return Story(client, account)


def test_a_message_is_made_from_the_active_version(story: Story) -> None:
    story.store("Welcome", "<p>Hi {{name}}, {{city.name}}</p>")
    sent = story.send(
        **{
            "from": "ann@x.com",
            "subject": "Hello",
            "template": "WELCOME",
            "v:name": "weak",
            "v:city": '{"name": "Rome"}',
            "t:variables": '{"name": "Bob & Co"}',
        }
    )
    assert sent["message"] == "Queued. Thank you."
    message = story.read()
    assert message["body-html"].strip() == "<p>Hi Bob &amp; Co, Rome</p>"
    assert message["Content-Type"].startswith("text/html")
    assert message["X-Mailgun-Template-Name"] == "welcome"
    assert json.loads(message["X-Mailgun-Variables"]) == {"name": "weak", "city": '{"name": "Rome"}'}
    info = {"name": "welcome", "version": "initial", "is-text": False}
    for kind in ("accepted", "delivered"):
        event = story.events(kind)[0]
        assert event["template"] == info
        assert event["user-variables"] == {"name": "weak", "city": '{"name": "Rome"}'}


def test_a_version_and_a_text_part_are_asked_for(story: Story) -> None:
    story.store("w", "<p>old</p>", tag="v1")
    url = f"/v3/{story.domain}/templates/w/versions"
    new = {"tag": "v2", "template": "<h1>New</h1><p>for {{name}}</p>"}
    story.client.post(url, data=new)
    about = {"from": "a@x.com", "template": "w", "t:variables": '{"name": "Bob"}'}
    story.send(**about)
    assert story.read()["body-html"].strip() == "<p>old</p>"
    story.send(**about, **{"t:version": "V2", "t:text": "yes"})
    message = story.read()
    assert message["body-html"].strip() == "<h1>New</h1><p>for Bob</p>"
    assert message["body-plain"].split() == ["New", "for", "Bob"]
    assert story.events("delivered")[-1]["template"] == {"name": "w", "version": "v2", "is-text": True}
    story.client.put(f"{url}/v2", data={"active": "yes"})
    story.send(**about, text="my own")
    message = story.read()
    assert message["body-html"].strip() == "<h1>New</h1><p>for Bob</p>"
    assert message["body-plain"].strip() == "my own"


def test_variables_keep_their_kinds(story: Story) -> None:
    story.store("w", "{{#if paid}}paid{{else}}unpaid{{/if}} {{#each items}}[{{this}}]{{/each}} {{n}}")
    header = '{"paid": false, "items": ["a", "b"], "n": 3}'
    story.send(**{"from": "a@x.com", "template": "w", "h:X-Mailgun-Variables": header})
    assert story.read()["body-html"].strip() == "unpaid [a][b] 3"
    story.send(**{"from": "a@x.com", "template": "w", "v:paid": "false"})
    assert story.read()["body-html"].strip() == "paid"


def test_the_templates_headers_stand_where_the_message_has_none(story: Story) -> None:
    headers = {"From": "{{who}} <ann@x.com>", "Subject": "For {{who}}", "Reply-To": "{{who}}@x.com"}
    story.store("w", "x", headers=headers)
    about = {"template": "w", "t:variables": '{"who": "Bob"}'}
    story.send(**about)
    message = story.read()
    assert (message["From"], message["Subject"], message["Reply-To"]) == (
        "Bob <ann@x.com>",
        "For Bob",
        "Bob@x.com",
    )
    accepted, delivered = story.events("accepted")[0], story.events("delivered")[0]
    assert accepted["message"]["headers"]["subject"] == ""
    assert delivered["message"]["headers"]["subject"] == "For Bob"
    assert delivered["message"]["headers"]["from"] == "Bob <ann@x.com>"
    story.send(**about, **{"from": "me@x.com", "subject": "Mine", "h:Reply-To": "mine@x.com"})
    message = story.read()
    assert (message["From"], message["Subject"], message["Reply-To"]) == ("me@x.com", "Mine", "mine@x.com")
    assert story.events("accepted")[-1]["message"]["headers"]["subject"] == "Mine"


def test_without_any_from_a_message_is_from_postmaster(story: Story) -> None:
    story.store("w", "x")
    story.send(template="w")
    assert story.read()["From"] == f"postmaster@{story.domain}"
    response = story.client.post(f"/v3/{story.domain}/messages", data={"to": "b@x.com", "text": "x"})
    assert response.json() == {"message": "from parameter is missing"}


def test_each_recipient_reads_their_own(story: Story) -> None:
    template = "<p>{{name}}, {{user.town}} ({{v}}) %recipient.first%</p>"
    story.store("w", template, headers={"Subject": "%recipient.first%"})
    story.send(
        **{
            "to": ["Bob B <bob@x.com>", "sue@x.com"],
            "from": "a@x.com",
            "template": "w",
            "v:v": "%recipient_email%",
            "t:variables": '{"name": "%recipient.first%", "user": {"town": "%recipient.town%"}}',
            "recipient-variables": json.dumps(
                {
                    "bob@x.com": {"first": 'Bob "B"', "town": "Rome"},
                    "sue@x.com": {"first": "Sue", "town": "<Oslo>"},
                }
            ),
        }
    )
    bob, sue = story.read("bob@x.com"), story.read("sue@x.com")
    assert bob["body-html"].strip() == '<p>Bob &quot;B&quot;, Rome (bob@x.com) Bob "B"</p>'
    assert sue["body-html"].strip() == "<p>Sue, &lt;Oslo&gt; (sue@x.com) Sue</p>"
    assert (bob["Subject"], sue["Subject"]) == ('Bob "B"', "Sue")


def test_in_a_large_batch_each_reads_their_own_whether_recipient_or_member_of_a_list(story: Story) -> None:
    story.store("w", "{{name}} %recipient.n% {{town}}", headers={"Subject": "{{name}}"})
    address = f"news@{story.domain}"
    story.client.post("/v3/lists", data={"address": address})
    member = {"address": "lis@x.com", "name": "Lis", "vars": '{"town": "Rome"}'}
    story.client.post(f"/v3/lists/{address}/members", data=member)
    names = {f"r{number}@x.com": f"R {number}" for number in range(20)}
    story.send(
        **{
            "to": [address, *(f"{name} <{to.capitalize()}>" for to, name in names.items())],
            "cc": "cat@x.com",
            "from": "a@x.com",
            "template": "w",
            "t:variables": '{"name": "%recipient_name%"}',
            "recipient-variables": json.dumps({to: {"n": name[-1]} for to, name in names.items()}),
        }
    )
    read = {
        event["recipient"]: (event["message"]["headers"]["subject"], story.body(event))
        for event in story.events("delivered")
    }
    del read["cat@x.com"]
    assert read.pop("lis@x.com") == ("Lis", "Lis %recipient.n% Rome")
    assert read == {to.capitalize(): (name, f"{name} {name[-1]}") for to, name in names.items()}


def test_a_large_batch_may_come_by_smtp(story: Story, account: Account, server_url: str) -> None:
    story.store("w", "<b>{{name}}</b>")
    towns = {f"r{number}@x.com": f"Town {number}" for number in range(12)}
    mime = EmailMessage()
    mime["From"], mime["To"], mime["Subject"] = "ann@x.com", ", ".join(towns), "s"
    mime["X-Mailgun-Template-Name"] = "w"
    mime["X-Mailgun-Template-Variables"] = '{"name": "%recipient.town%"}'
    mime["X-Mailgun-Recipient-Variables"] = json.dumps({to: {"town": town} for to, town in towns.items()})
    mime.set_content("<p>old</p>", subtype="html")
    with connected(server_url, f"postmaster@{account.domain}", account.api_key) as smtp:
        smtp.sendmail("ann@x.com", list(towns), mime.as_bytes())
    read = {event["recipient"]: story.body(event) for event in story.events("delivered")}
    assert read == {to: f"<b>{town}</b>" for to, town in towns.items()}


def test_in_a_large_batch_all_fail_where_the_template_does(story: Story) -> None:
    story.store("bad", "{{#if x}}")
    everyone = [f"r{number}@x.com" for number in range(10)]
    for name in ("bad", "missing"):
        story.send(**{"to": everyone, "from": "a@x.com", "template": name, "recipient-variables": "{}"})
        failed = [each for each in story.events("failed") if each["template"]["name"] == name]
        assert sorted(each["recipient"] for each in failed) == everyone
    assert story.events("delivered") == []


def test_while_a_large_batch_is_rendered_others_are_answered(story: Story, server_url: str) -> None:
    story.store("slow", "{{#each a}}{{#each @root.a}}{{.}}{{/each}}{{/each}}")
    data = {
        "to": [f"r{number}@x.com" for number in range(30)],
        "from": "a@x.com",
        "template": "slow",
        "t:variables": json.dumps({"a": [1] * 100}),
        "recipient-variables": "{}",
    }
    url, answers = f"{server_url}/v3/{story.domain}/messages", 0
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(httpx2.post, url, data=data, auth=story.client.auth, timeout=60)
        while not sent.done():
            answers += story.client.get("/v3/lists").status_code == 200
        assert sent.result().status_code == 200
    assert answers > 10


def test_members_of_a_list_are_known_to_the_template(story: Story) -> None:
    story.store("w", "{{name}} {{town}} {{n}}")
    address = f"news@{story.domain}"
    story.client.post("/v3/lists", data={"address": address})
    for name, town in (("bob", "Rome"), ("sue", "Oslo")):
        member = {"address": f"{name}@x.com", "vars": json.dumps({"town": town, "name": name, "n": 1})}
        story.client.post(f"/v3/lists/{address}/members", data=member)
    story.send(
        **{"to": address, "from": "a@x.com", "template": "w", "v:name": "reader", "t:variables": '{"n": 2}'}
    )
    assert story.read("bob@x.com")["body-html"].strip() == "reader Rome 2"
    assert story.read("sue@x.com")["body-html"].strip() == "reader Oslo 2"


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"template": "Missing"}, "template missing not found"),
        ({"template": "w", "t:version": "v9"}, "template w has no version v9"),
        ({"template": "bare"}, "template bare has no active version"),
        ({"template": "bad"}, "template bad, body: Parse error: Unclosed block at line 1, column 10"),
        ({"template": "w", "t:variables": "nonsense"}, "t:variables is not a JSON object"),
        ({"template": "nobody"}, "the template's From header is not a valid address: nobody"),
    ],
)
def test_a_template_that_fails_ends_in_an_event(story: Story, fields: dict[str, str], error: str) -> None:
    story.store("w", "x")
    story.store("bad", "{{#if x}}")
    story.store("nobody", "x", headers={"From": "nobody"})
    story.client.post(f"/v3/{story.domain}/templates", data={"name": "bare"})
    story.send(**fields)
    assert len(story.events("accepted")) == 1
    failed = story.events("failed")[0]
    assert (failed["severity"], failed["reason"]) == ("permanent", "generic")
    assert failed["delivery-status"]["description"] == error
    assert failed["template"]["name"] == fields["template"].lower()
    assert story.events("delivered") == []
    url = failed["storage"]["url"]
    story.client.post(url, data={"to": "eve@x.com"})
    story.client.drain()
    assert [each["recipient"] for each in story.events("failed")] == ["bob@x.com", "eve@x.com"]


def test_what_is_sent_again_is_not_rendered_again(story: Story) -> None:
    story.store("w", "<p>{{text}}</p>")
    story.send(**{"from": "a@x.com", "template": "w", "t:variables": '{"text": "{{text}}"}'})
    url = story.events("delivered")[0]["storage"]["url"]
    story.client.delete(f"/v3/{story.domain}/templates/w")
    story.client.post(url, data={"to": "eve@x.com"})
    story.client.drain()
    assert story.read("eve@x.com")["body-html"].strip() == "<p>{{text}}</p>"
    delivered = story.events("delivered")[-1]
    assert (delivered["recipient"], delivered["template"]["name"]) == ("eve@x.com", "w")


def test_a_ready_message_takes_the_templates_html(story: Story) -> None:
    story.store("w", "<b>{{who}}</b>", headers={"Subject": "For {{who}}", "Reply-To": "r@x.com"})
    mime = EmailMessage()
    mime["From"], mime["To"] = "ann@x.com", "bob@x.com"
    mime.set_content("plain")
    mime.add_alternative("<p>old</p>", subtype="html")
    mime.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    url = f"/v3/{story.domain}/messages.mime"
    about = {"to": "bob@x.com", "template": "w", "t:variables": '{"who": "Bö%recipient.x%"}'}
    story.client.post(url, data=about, files={"message": ("m.mime", mime.as_bytes())})
    message = story.read()
    assert message["body-html"].strip() == "<b>Bö%recipient.x%</b>"
    assert message["body-plain"].strip() == "plain"
    assert (message["Subject"], message["Reply-To"]) == ("For Bö%recipient.x%", "r@x.com")
    assert [each["name"] for each in message["attachments"]] == ["a.pdf"]
    story.client.post(url, data={**about, "t:text": "yes"}, files={"message": ("m.mime", mime.as_bytes())})
    assert story.read()["body-plain"].strip() == "Bö%recipient.x%"
    assert story.events("delivered")[-1]["template"] == {"name": "w", "version": "initial", "is-text": True}


def test_a_ready_message_of_plain_text_is_not_rendered(story: Story) -> None:
    mime = EmailMessage()
    mime["From"], mime["To"], mime["Subject"] = "ann@x.com", "bob@x.com", "s"
    mime.set_content("plain")
    data = {"to": "bob@x.com", "template": "missing"}
    url = f"/v3/{story.domain}/messages.mime"
    story.client.post(url, data=data, files={"message": ("m.mime", mime.as_bytes())})
    assert story.read()["body-plain"].strip() == "plain"
    assert "template" not in story.events("delivered")[0]


@pytest.mark.filterwarnings("ignore:DEPRECATED API CALL:DeprecationWarning")
def test_with_mailguns_python_package(story: Story, account: Account, server_url: str) -> None:
    domain = story.domain
    with Mailgun(auth=("api", account.api_key), api_url=server_url) as mailgun:
        made = mailgun.templates.create(
            data={"name": "Py", "template": "<p>{{n}}</p>", "tag": "V1"}, domain=domain
        )
        assert made.json()["template"]["version"]["tag"] == "v1"
        version = {"tag": "v2", "template": "<i>{{n}}</i>", "active": "yes"}
        mailgun.templates.create(data=version, domain=domain, template_name="py", versions=True)
        listed = mailgun.templates.get(domain=domain, filters={"limit": 1})
        assert [each["name"] for each in listed.json()["items"]] == ["py"]
        copied = mailgun.templates.put(
            domain=domain, template_name="py", versions=True, tag="v2", copy=True, new_tag="v3"
        )
        assert copied.json()["version"]["tag"] == "v3"
        data = {"to": "bob@x.com", "from": "a@x.com", "template": "py", "t:variables": '{"n": 1.50}'}
        assert mailgun.messages.create(data=data, domain=domain).status_code == 200
        assert story.read()["body-html"].strip() == "<i>1.5</i>"
        gone = mailgun.templates.delete(domain=domain, template_name="py", versions=True, tag="v2")
        assert gone.json()["template"]["version"]["tag"] == "v2"
        assert mailgun.templates.delete(domain=domain, template_name="py").status_code == 200
