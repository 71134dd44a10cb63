"""What an account writes for its subaccount is the subaccount's, in each section that has something to write."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from tests.conftest import Account, Client
from tests.web.test_on_behalf_of import Family, founded

HOOK = "https://example.com/hook"
USAGE = "/v1/analytics/usage/metrics"
VALIDATED = {"metrics": ["email_validation_count"], "dimensions": ["subaccount"], "duration": "1d"}
SETTINGS = "/v1/alerts/settings"
ALERT = {"comparator": ">", "limit": "0.5", "name": "many"}
PREVIEW = {"subject": "Hi", "html": "<p>Hi</p>"}
LIST = "email\nann@example.net\n"


class Write(NamedTuple):
    """What is written, which operation shows it, and what undoes it; `{id}` is what was answered as `id`."""

    path: str
    fields: dict[str, Any]
    seen: str
    undo: str = ""
    id: str = "id"
    method: str = "POST"
    file: str = ""


WRITES = [
    Write("/v5/accounts", {"name": "Anew"}, "/v5/users", method="PUT"),
    Write("/v5/accounts/http_signing_key", {}, "/v5/accounts/http_signing_key"),
    Write("/v5/accounts/resend_activation_email", {}, "/_emulator/messages"),
    Write(
        "/v5/sandbox/auth_recipients",
        {"email": "ann@x.com"},
        "/v5/sandbox/auth_recipients",
        "/v5/sandbox/auth_recipients/ann@x.com",
    ),
    Write(
        "/v1/webhooks",
        {"url": HOOK, "event_types": "opened"},
        "/v1/webhooks",
        "/v1/webhooks/{id}",
        "webhook_id",
    ),
    Write(
        "/v1/thresholds/alerts/send",
        {**ALERT, "metric": "hard_bounce_rate", "dimension": "domain"},
        "/v1/thresholds/alerts/send",
        "/v1/thresholds/alerts/send/many",
    ),
    Write(
        "/v1/thresholds/limits",
        {**ALERT, "metric": "seed_test_count", "dimension": "subaccount"},
        "/v1/thresholds/limits",
        "/v1/thresholds/limits/many",
    ),
    Write(
        f"{SETTINGS}/events",
        {"event_type": "ip_listed", "channel": "email", "settings": '{"emails": ["ann@x.com"]}'},
        SETTINGS,
        f"{SETTINGS}/events/{{id}}",
    ),
    Write(f"{SETTINGS}/slack", {"token": "xoxb-1"}, SETTINGS, f"{SETTINGS}/slack", method="PUT"),
    Write(f"{SETTINGS}/webhooks/signing_key", {}, SETTINGS, method="PUT"),
    Write("/v1/alerts/email/test", {"event_type": "ip_listed", "emails": "ann@x.com"}, "/_emulator/messages"),
    *(
        Write(
            f"/v3/{{domain}}/{kind}",
            {"address": "ann@x.com"},
            f"/v3/{{domain}}/{kind}/ann@x.com",
            f"/v3/{{domain}}/{kind}/ann@x.com",
        )
        for kind in ("bounces", "complaints", "unsubscribes", "whitelists")
    ),
    Write(
        "/v3/domains/{domain}/credentials",
        {"login": "ann", "password": "secret-1"},
        "/v3/{domain}/mailboxes",
        "/v3/domains/{domain}/credentials/ann",
    ),
    Write(
        "/v3/{domain}/mailboxes",
        {"mailbox": "ann", "password": "secret-1"},
        "/v3/domains/{domain}/credentials",
        "/v3/{domain}/mailboxes/ann",
    ),
    Write(
        "/v5/accounts/limit/custom/monthly",
        {"limit": 5000},
        "/v5/accounts/limit/custom/monthly",
        "/v5/accounts/limit/custom/monthly",
        method="PUT",
    ),
    Write("/v4/domains/{domain}", {"web_scheme": "https"}, "/v3/domains", method="PUT"),
    Write(
        "/v1/dkim/keys",
        {"signing_domain": "{domain}", "selector": "new"},
        "/v3/domains/{domain}/keys",
        "/v1/dkim/keys?signing_domain={domain}&selector=new",
    ),
    Write(
        "/v3/domains/{domain}/tracking/open", {"active": "yes"}, "/v3/domains/{domain}/tracking", method="PUT"
    ),
    Write("/v2/x509/email.{domain}", {}, "/v2/x509/email.{domain}/status"),
    *(
        Write(
            f"/{version}/domains/{{domain}}/webhooks",
            fields,
            "/v3/domains/{domain}/webhooks",
            f"/{version}/domains/{{domain}}/webhooks{undo}",
        )
        for version, fields, undo in (
            ("v3", {"id": "opened", "url": HOOK}, "/opened"),
            ("v4", {"url": HOOK, "event_types": "opened"}, f"?url={HOOK}"),
        )
    ),
    Write("/v4/domains", {"name": "new.{domain}"}, "/v4/domains", "/v3/domains/new.{domain}"),
    Write("/v3/ips/request/new", {}, "/v3/ips"),
    Write("/v3/ip_pools", {"name": "Own", "description": "d"}, "/v3/ip_pools"),
    Write("/v1/preview/tests", PREVIEW, "/v1/preview/tests", "/v1/preview/tests/{id}"),
    Write("/v3/exports", {"url": "/v3/{domain}/events"}, "/v3/exports"),
    Write(
        "/v1/inboxready/domains",
        {"domain": "{domain}"},
        "/v1/inboxready/domains",
        "/v1/inboxready/domains?domain={domain}",
    ),
    Write(
        "/v1/inboxready/ip_addresses",
        {"ip": "203.0.113.9"},
        "/v1/inboxready/ip_addresses",
        "/v1/inboxready/ip_addresses/203.0.113.9",
    ),
    Write(
        "/v1/inspect/analyze",
        {"html": "<p>Hi</p>"},
        "/v1/inspect/analyze",
        "/v1/inspect/analyze/{id}",
    ),
    Write(
        "/v2/ip_whitelist",
        {"address": "127.0.0.0/8"},
        "/v2/ip_whitelist",
        "/v2/ip_whitelist?address=127.0.0.0/8",
    ),
    Write("/v1/keys", {"role": "basic"}, "/v1/keys", "/v1/keys/{id}"),
    Write("/v1/keys/public", {}, "/_emulator/export"),
    Write("/v3/lists", {"address": "news@{domain}"}, "/v3/lists/pages", "/v3/lists/news@{domain}"),
    Write(
        "/v3/{domain}/messages",
        {"from": "a@{domain}", "to": "ann@x.com", "text": "hi"},
        "/v3/{domain}/events",
    ),
    Write("/v3/{domain}/messages.mime", {"to": "ann@x.com"}, "/v3/{domain}/events", file="message"),
    Write("/v4/inbox/tests", {**PREVIEW, "from": "a@{domain}"}, "/v4/inbox/results"),
    Write(
        "/v4/inbox/seedlists",
        {"name": "Few", "provider_filter": "gmail.com", "sending_domains": "{domain}"},
        "/v4/inbox/seedlists",
        "/v4/inbox/seedlists/{id}",
        "target_email",
    ),
    Write("/v3/routes", {"expression": "catch_all()", "action": "stop()"}, "/v3/routes", "/v3/routes/{id}"),
    Write("/v3/{domain}/tags/t", {"description": "d"}, "/v3/{domain}/tag?tag=t", method="PUT"),
    Write("/v1/analytics/tags", {"tag": "t", "description": "e"}, "/v3/{domain}/tag?tag=t", method="PUT"),
    Write(
        "/v3/{domain}/templates",
        {"name": "hello", "template": "Hi"},
        "/v4/templates",
        "/v3/{domain}/templates/hello",
    ),
    Write("/v4/address/validate", {"address": "ann@x.com"}, USAGE),
    Write("/v4/address/validate/bulk/all", {}, "/v4/address/validate/bulk", file="file"),
    Write(
        "/v4/address/validate/preview/all",
        {},
        "/v4/address/validate/preview",
        "/v4/address/validate/preview/all",
        file="file",
    ),
]


@pytest.fixture
def family(server_url: str) -> Iterator[Family]:
    with founded(server_url) as made:
        yield made


def put(text: Any, domain: str) -> Any:
    return text.replace("{domain}", domain) if isinstance(text, str) else text


def do(client: Client, write: Write, domain: str, headers: dict[str, str]) -> Any:
    fields = {name: put(value, domain) for name, value in write.fields.items()}
    content = f"From: a@{domain}\r\nSubject: s\r\n\r\nt" if write.file == "message" else LIST
    files = {write.file: ("list.csv", content)} if write.file else None
    done = client.request(write.method, put(write.path, domain), data=fields, files=files, headers=headers)
    assert done.is_success, done.text
    return done.json()


def seen(client: Client, write: Write, account: Account) -> Any:
    client.drain()
    if write.seen == USAGE:
        return client.post(USAGE, json=VALIDATED).json()["items"]
    told = client.get(put(write.seen, account.domain)).json()
    if isinstance(told, list):
        return told
    if "accounts" in told:
        return next(each for each in told["accounts"] if each["id"] == account.id)
    return {name: value for name, value in told.items() if name != "paging"}


def answered(body: Any, name: str) -> str:
    """The first of that name."""
    if isinstance(body, dict) and name in body:
        return str(body[name])
    held = body.values() if isinstance(body, dict) else body if isinstance(body, list) else ()
    return next(filter(None, (answered(each, name) for each in held)), "")


@pytest.mark.parametrize("write", WRITES, ids=lambda write: f"{write.method} {write.path}")
def test_what_is_written_for_a_subaccount_is_the_subaccounts(family: Family, write: Write) -> None:
    """The parent has the same already, and keeps it."""
    parent, subaccount = family.account, family.subaccount
    do(family.parent, write, parent.domain, {})
    kept, before = seen(family.parent, write, parent), seen(family.own, write, subaccount)
    made = do(family.parent, write, subaccount.domain, family.header)
    assert seen(family.own, write, subaccount) != before
    assert seen(family.parent, write, parent) == kept
    if write.undo:
        undo = put(write.undo, subaccount.domain).replace("{id}", answered(made, write.id))
        undone = family.parent.delete(undo, headers=family.header)
        assert undone.status_code in (200, 204), undone.text
        assert seen(family.own, write, subaccount) == before
        assert seen(family.parent, write, parent) == kept
