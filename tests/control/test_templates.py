"""Previews of templates."""

import json
from typing import Any

import pytest
from tests.conftest import Account, Client


@pytest.fixture
def render(client: Client, account: Account) -> Any:
    def post(**body: Any) -> Any:
        return client.post("/_emulator/templates/render", json={"domain": account.domain, **body})

    return post


def test_a_text_is_rendered(render: Any, account: Account) -> None:
    rendered = render(
        content="<p>Hi {{name}}, %recipient.town%</p>",
        headers={"Subject": "For {{name}}", "Reply-To": "{{name}}@x.com"},
        variables={"name": "Ann"},
    )
    assert rendered.json() == {
        "from": f"postmaster@{account.domain}",
        "subject": "For Ann",
        "reply-to": "Ann@x.com",
        "html": "<p>Hi Ann, %recipient.town%</p>",
    }


def test_a_preview_is_what_is_sent(client: Client, render: Any, account: Account) -> None:
    client.post(
        f"/v3/{account.domain}/templates",
        data={
            "name": "welcome",
            "template": "<p>{{name}} &amp; {{#if paid}}paid{{else}}unpaid{{/if}} %recipient.town%</p>",
            "headers": '{"From": "{{user.mail}}", "Subject": "S {{name}} %recipient_email%"}',
        },
    )
    variables = {"name": "%recipient.first%"}
    of_recipients = {"bob@x.com": {"first": "Bob", "town": "Rome"}}
    header = '{"paid": false, "user": {"mail": "us@x.com"}}'
    preview = render(
        template="Welcome",
        variables=variables,
        user_variables={"paid": False, "user": {"mail": "us@x.com"}},
        recipient="Bob <bob@x.com>",
        recipient_variables=of_recipients,
        text=True,
    ).json()
    assert preview == {
        "from": "us@x.com",
        "subject": "S Bob bob@x.com",
        "html": "<p>Bob &amp; unpaid Rome</p>",
        "text": "Bob & unpaid Rome",
    }
    client.post(
        f"/v3/{account.domain}/messages",
        data={
            "to": "Bob <bob@x.com>",
            "template": "welcome",
            "t:variables": '{"name": "%recipient.first%"}',
            "t:text": "yes",
            "h:X-Mailgun-Variables": header,
            "recipient-variables": '{"bob@x.com": {"first": "Bob", "town": "Rome"}}',
        },
    )
    event = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"][0]
    sent = client.get(event["storage"]["url"]).json()
    assert {
        "from": sent["From"],
        "subject": sent["Subject"],
        "html": sent["body-html"].strip(),
        "text": sent["body-plain"].strip(),
    } == preview


@pytest.mark.parametrize(
    "template",
    [
        "x",
        "<p>Hi {{name}}\nü\r\n.\n..\rFrom {{n}} \t\n\n",
        "{{{name}}}" * 300,
        " {{#each list}}{{.}};{{/each}}\n",
    ],
)
def test_a_preview_is_what_is_sent_to_the_last_byte(
    client: Client, render: Any, account: Account, template: str
) -> None:
    headers = {"From": "Jö <j@x.com>", "Subject": "{{name}} " + "long " * 40, "Reply-To": "Ré <r@x.com>"}
    stored = {"name": "t", "template": template, "headers": json.dumps(headers)}
    client.post(f"/v3/{account.domain}/templates", data=stored)
    variables = {
        "name": "Bö <b> & 'q' %recipient.n%",
        "n": 12345678901234567890123,
        "list": [1.5, None, True],
    }
    of_recipients = {"bob@x.com": {"n": 2**70}}
    preview = render(
        template="t",
        variables=variables,
        text=True,
        recipient="bob@x.com",
        recipient_variables=of_recipients,
    ).json()
    fields = {
        "to": "bob@x.com",
        "template": "t",
        "t:variables": json.dumps(variables),
        "t:text": "yes",
        "recipient-variables": json.dumps(of_recipients),
        "o:tracking": "no",
    }
    assert client.post(f"/v3/{account.domain}/messages", data=fields).status_code == 200
    event = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"][0]
    sent = client.get(event["storage"]["url"]).json()
    names = {
        "from": "From",
        "subject": "Subject",
        "reply-to": "Reply-To",
        "html": "body-html",
        "text": "body-plain",
    }
    assert preview == {name: sent[key] for name, key in names.items()}


def test_the_messages_own_headers_win(render: Any) -> None:
    rendered = render(content="x", headers={"From": "a@x.com", "Subject": "a"}, **{"from": "b@x.com"}).json()
    assert (rendered["from"], rendered["subject"]) == ("b@x.com", "a")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Name a stored template by template, or give what one would say as content"),
        ({"template": "none"}, "template none not found"),
        ({"template": "bare"}, "template bare has no active version"),
        ({"template": "full", "version": "V9"}, "template full has no version v9"),
        ({"template": "go"}, "engine go is not rendered by the emulator"),
        (
            {"content": "a\n{{#if x}}"},
            "template given as content, body: Parse error: Unclosed block at line 2, column 10",
        ),
        (
            {"content": "a", "headers": {"Subject": "{{#if}}{{/if}}"}},
            "template given as content, Subject header: Evaluation error: "
            "Helper 'if' called with wrong number of arguments, needed 2 but got 0",
        ),
        (
            {"content": "a", "headers": {"From": "{{x}}"}, "variables": {"x": "nobody"}},
            "the template's From header is not a valid address: nobody",
        ),
        ({"content": "a", "recipient": "nobody"}, "recipient is not an address: nobody"),
        ({"content": "a", "from": "nobody"}, "from is not an address: nobody"),
    ],
)
def test_it_tells_where_it_fails(
    client: Client, render: Any, account: Account, body: dict[str, Any], message: str
) -> None:
    url = f"/v3/{account.domain}/templates"
    client.post(url, data={"name": "bare"})
    client.post(url, data={"name": "full", "template": "x"})
    client.post(url, data={"name": "go", "template": "x", "engine": "go"})
    response = render(**body)
    assert (response.status_code, response.json()) == (400, {"message": message})


def test_an_unknown_domain_is_told(render: Any) -> None:
    response = render(domain="nowhere.example.com", content="x")
    assert response.status_code == 404
    assert "nowhere.example.com" in response.json()["message"]
