import email
import email.policy
import gzip
from email.message import EmailMessage
from typing import Any

import pytest
from tests.conftest import Account, Client


def send(client: Client, domain: str, **fields: Any) -> str:
    """The id of the message, without angle brackets."""
    given = {"from": f"Ann <ann@{domain}>", "to": "bob@gmail.com", "subject": "Hi", "text": "hello"}
    answer = client.post(f"/v3/{domain}/messages", data=given | fields)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["id", "message"]
    assert body["message"] == "Queued. Thank you."
    assert body["id"].startswith("<")
    assert body["id"].endswith(f"@{domain}>")
    return str(body["id"][1:-1])


def events(client: Client, domain: str, **filters: str) -> list[dict[str, Any]]:
    """Oldest first, once all that is due is done."""
    client.drain()
    answer = client.get(f"/v3/{domain}/events", params=filters)
    assert answer.status_code == 200
    return list(reversed(answer.json()["items"]))


def stored(client: Client, url: str) -> EmailMessage:
    raw = client.get(url, headers={"Accept": "message/rfc2822"}).json()["body-mime"]
    message = email.message_from_string(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_a_message_is_accepted_and_delivered_to_each_recipient(client: Client, account: Account) -> None:
    send(
        client,
        account.domain,
        to=['"Doe, Bob" <bob@gmail.com>', "c@x.com, d@x.com"],
        cc="e@x.com",
        bcc="f@x.com, C@X.com",
    )
    seen = [(event["event"], event["recipient"]) for event in events(client, account.domain)]
    recipients = ["bob@gmail.com", "c@x.com", "d@x.com", "e@x.com", "f@x.com"]
    assert sorted(seen) == sorted([(kind, r) for kind in ("accepted", "delivered") for r in recipients])


def test_an_accepted_event_tells_what_was_sent_and_by_whom(client: Client, account: Account) -> None:
    message_id = send(client, account.domain, **{"o:tag": ["one", "Two"], "v:n": "2"})
    accepted = events(client, account.domain, event="accepted")[0]
    assert accepted["method"] == "HTTP"
    assert accepted["api-key-id"] == "-".join(account.api_key.split("-")[1:])
    assert accepted["envelope"] == {
        "sender": f"ann@{account.domain}",
        "transport": "smtp",
        "targets": "bob@gmail.com",
    }
    assert accepted["message"]["headers"] == {
        "from": f"Ann <ann@{account.domain}>",
        "to": "bob@gmail.com",
        "subject": "Hi",
        "message-id": message_id,
    }
    assert accepted["tags"] == ["one", "Two"]
    assert accepted["user-variables"] == {"n": "2"}
    assert accepted["account"] == {"id": account.id}
    assert accepted["log-level"] == "info"
    assert accepted["storage"]["url"].startswith(str(client.base_url).rstrip("/"))


def test_a_delivered_event_tells_how_it_went(client: Client, account: Account) -> None:
    send(client, account.domain)
    delivered = events(client, account.domain, event="delivered")[0]
    assert delivered["delivery-status"]["code"] == 250
    assert delivered["delivery-status"]["attempt-no"] == 1
    assert delivered["recipient-provider"] == "Gmail"
    assert delivered["primary-dkim"].endswith(f"._domainkey.{account.domain}")
    assert delivered["tags"] == []


def test_an_address_that_asks_for_a_bounce_gets_it_and_is_not_sent_to_again(
    client: Client, account: Account
) -> None:
    send(client, account.domain, to="bounce+553@example.com")
    bounced = events(client, account.domain, event="failed")[0]
    assert (bounced["severity"], bounced["reason"], bounced["log-level"]) == ("permanent", "bounce", "error")
    assert bounced["delivery-status"]["code"] == 553
    assert bounced["delivery-status"]["bounce-type"] == "hard"
    bounce = client.get(f"/v3/{account.domain}/bounces/bounce+553@example.com").json()
    assert bounce["code"] == "553"
    send(client, account.domain, to="bounce+553@example.com")
    suppressed = events(client, account.domain, event="failed")[-1]
    assert suppressed["reason"] == "suppress-bounce"
    assert suppressed["delivery-status"] == {
        "attempt-no": 1,
        "message": "",
        "code": 605,
        "description": "Not delivering to previously bounced address",
        "session-seconds": 0.0,
    }


@pytest.mark.parametrize("entry", [{"address": "bounce@example.com"}, {"domain": "example.com"}])
def test_an_allowlisted_address_bounces_but_stays_off_the_list(
    client: Client, account: Account, entry: dict[str, str]
) -> None:
    assert client.post(f"/v3/{account.domain}/whitelists", data=entry).status_code == 200
    send(client, account.domain, to="bounce@example.com")
    assert events(client, account.domain, event="failed")[0]["reason"] == "bounce"
    assert client.get(f"/v3/{account.domain}/bounces/bounce@example.com").status_code == 404


def test_who_unsubscribed_from_a_tag_gets_only_mail_without_it(client: Client, account: Account) -> None:
    client.post(f"/v3/{account.domain}/unsubscribes", data={"address": "bob@gmail.com", "tag": "news"})
    send(client, account.domain, **{"o:tag": "News"})
    send(client, account.domain, **{"o:tag": "other"})
    failed = events(client, account.domain, event="failed")
    assert [event["reason"] for event in failed] == ["suppress-unsubscribe"]
    assert failed[0]["delivery-status"]["code"] == 606
    assert len(events(client, account.domain, event="delivered")) == 1


def test_who_complained_is_not_sent_to(client: Client, account: Account) -> None:
    client.post(f"/v3/{account.domain}/complaints", data={"address": "Bob@gmail.com"})
    send(client, account.domain)
    failed = events(client, account.domain, event="failed")
    assert [(event["reason"], event["delivery-status"]["code"]) for event in failed] == [
        ("suppress-complaint", 607)
    ]


def test_a_temporary_failure_is_told_and_tried_again_later(client: Client, account: Account) -> None:
    send(client, account.domain, to="bounce+451@example.com")
    failed = events(client, account.domain, event="failed")[0]
    assert (failed["severity"], failed["log-level"]) == ("temporary", "warn")
    assert failed["delivery-status"]["retry-seconds"] == 600
    assert client.get(f"/v3/{account.domain}/bounces").json()["items"] == []


def test_a_server_without_tls_gets_mail_in_the_clear_unless_tls_is_required(
    client: Client, account: Account
) -> None:
    send(client, account.domain, to="notls@example.com")
    status = events(client, account.domain, event="delivered")[0]["delivery-status"]
    assert (status["tls"], status["certificate-verified"]) == (False, False)
    assert client.put(f"/v4/domains/{account.domain}", data={"require_tls": "true"}).status_code == 200
    send(client, account.domain, to="notls@example.com")
    failed = events(client, account.domain, event="failed")[0]
    assert (failed["severity"], failed["delivery-status"]["enhanced-code"]) == ("temporary", "4.7.0")
    send(client, account.domain, to="notls@example.com", **{"o:require-tls": "no"})
    assert len(events(client, account.domain, event="delivered")) == 2


def test_a_bad_certificate_is_taken_only_when_it_is_not_verified(client: Client, account: Account) -> None:
    send(client, account.domain, to="badcert@example.com", **{"o:require-tls": "yes"})
    assert events(client, account.domain, event="failed")[0]["severity"] == "temporary"
    client.put(f"/v4/domains/{account.domain}", data={"skip_verification": "true"})
    send(client, account.domain, to="badcert@example.com", **{"o:require-tls": "yes"})
    status = events(client, account.domain, event="delivered")[0]["delivery-status"]
    assert (status["tls"], status["certificate-verified"]) == (True, False)


def test_a_wildcard_domain_sends_for_its_subdomains(client: Client, account: Account) -> None:
    client.put(f"/v4/domains/{account.domain}", data={"wildcard": "true"})
    fields = {"from": "a@x.com", "to": "b@x.com", "text": "hi"}
    assert client.post(f"/v3/deep.below.{account.domain}/messages", data=fields).status_code == 200
    assert len(events(client, account.domain, event="accepted")) == 1


def test_test_mode_is_delivered_with_code_650(client: Client, account: Account) -> None:
    send(client, account.domain, to="bounce@example.com", **{"o:testmode": "yes"})
    delivered = events(client, account.domain, event="delivered")[0]
    assert delivered["delivery-status"]["code"] == 650
    assert delivered["flags"]["is-test-mode"] is True


def test_a_template_that_is_not_there_fails_after_acceptance(client: Client, account: Account) -> None:
    send(client, account.domain, text="", template="missing")
    failed = events(client, account.domain, event="failed")[0]
    assert (failed["severity"], failed["reason"]) == ("permanent", "generic")


def test_a_scheduled_message_waits_for_its_time(client: Client, account: Account) -> None:
    send(client, account.domain, **{"o:deliverytime": "Fri, 25 Nov 2050 10:00:00 GMT"})
    seen = events(client, account.domain)
    assert [event["event"] for event in seen] == ["accepted"]
    assert seen[0]["message"]["scheduled-for"] == 2552983200
    assert client.delete(f"/v3/{account.domain}/envelopes").json() == {"message": "done"}


def test_json_is_not_looked_into(client: Client, account: Account) -> None:
    message = {"from": "ann@x.com", "to": "bob@gmail.com", "text": "hello"}
    refused = client.post(f"/v3/{account.domain}/messages", json=message)
    assert (refused.status_code, refused.json()) == (400, {"message": "from parameter is missing"})


def test_a_message_can_wait_to_the_end_of_the_calendar(client: Client, account: Account) -> None:
    end = {"o:deliverytime": "Fri, 31 Dec 9999 23:30:00 GMT", "o:time-zone-localize": "14:30"}
    send(client, account.domain, **end)
    assert [event["event"] for event in events(client, account.domain)] == ["accepted"]


def test_a_ready_mime_from_nobody_is_refused(client: Client, account: Account) -> None:
    refused = client.post(
        f"/v3/{account.domain}/messages.mime",
        data={"to": "bob@gmail.com"},
        files={"message": b"From: nobody\r\n\r\nhello"},
    )
    assert refused.status_code == 400
    assert refused.json() == {"message": "from parameter is not a valid address. please check documentation"}


def test_the_stored_message_is_what_mailgun_would_send(client: Client, account: Account) -> None:
    answer = client.post(
        f"/v3/{account.domain}/messages",
        data={
            "from": f"Ann <ann@{account.domain}>",
            "to": "bob@gmail.com",
            "subject": "Grüße",
            "text": "hello",
            "html": '<img src="cid:logo.png">',
            "h:X-Own": "yes",
            "h:Reply-To": "reply@x.com",
        },
        files=[
            ("attachment", ("täst.txt", b"attached", "text/plain")),
            ("inline", ("logo.png", b"\x89PNG", "image/png")),
        ],
    )
    assert answer.status_code == 200
    url = events(client, account.domain, event="accepted")[0]["storage"]["url"]
    message = stored(client, url)
    assert message["Subject"] == "Grüße"
    assert message["X-Own"] == "yes"
    assert message["Reply-To"] == "reply@x.com"
    kinds = [part.get_content_type() for part in message.walk()]
    assert kinds == [
        "multipart/mixed",
        "multipart/related",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "image/png",
        "text/plain",
    ]
    view = client.get(url).json()
    assert view["body-plain"] == "hello"
    assert view["Subject"] == view["subject"] == "Grüße"
    names = {item["name"]: item for item in view["attachments"]}
    assert client.get(names["täst.txt"]["url"]).content == b"attached"
    assert view["content-id-map"]["<logo.png>"] == names["logo.png"]
    missing = client.get(names["logo.png"]["url"].rpartition("/")[0] + "/7")
    assert (missing.status_code, missing.json()) == (404, {"message": "Attachment not found"})


def test_a_ready_mime_is_sent_as_it_is(client: Client, account: Account) -> None:
    mime = (
        f"From: Ann <ann@{account.domain}>\r\nTo: somebody@else.com\r\nSubject: Ready\r\n"
        f"Message-Id: <own-{account.id}@x.com>\r\nContent-Type: text/plain\r\n\r\nthe body\r\n"
    )
    answer = client.post(
        f"/v3/{account.domain}/messages.mime",
        data={"to": "bob@gmail.com,sue@x.com", "o:tag": "ready"},
        files={"message": ("mime.eml", mime.encode(), "message/rfc822")},
    )
    assert answer.json() == {"id": f"<own-{account.id}@x.com>", "message": "Queued. Thank you."}
    accepted = events(client, account.domain, event="accepted")
    assert [event["recipient"] for event in accepted] == ["bob@gmail.com", "sue@x.com"]
    message = stored(client, accepted[0]["storage"]["url"])
    assert message["X-Mailgun-Tag"] == "ready"
    assert message["To"] == "somebody@else.com"
    assert message.get_content().strip() == "the body"


def test_a_mime_that_is_no_file_is_refused(client: Client, account: Account) -> None:
    path = f"/v3/{account.domain}/messages.mime"
    refused = client.post(path, data={"to": "bob@gmail.com"})
    assert refused.status_code == 400
    assert refused.json() == {
        "message": "Invalid request content type. Expecting 'multipart/form-data' "
        "but got 'application/x-www-form-urlencoded'"
    }
    as_text = client.post(path, files={"to": (None, "bob@gmail.com"), "message": (None, "From: a@b.c")})
    assert (as_text.status_code, as_text.json()) == (400, {"message": "'message' parameter is not a file"})
    missing = client.post(path, files={"to": (None, "bob@gmail.com")})
    assert missing.json() == {"message": "message parameter is missing"}


def test_a_stored_message_is_sent_again_to_others(client: Client, account: Account) -> None:
    first = send(client, account.domain, **{"o:tag": "again"})
    url = events(client, account.domain, event="accepted")[0]["storage"]["url"]
    again = client.post(url, data={"to": "new@x.com"})
    assert again.status_code == 200
    second = again.json()["id"][1:-1]
    assert second != first
    delivered = events(client, account.domain, event="delivered", recipient="new@x.com")
    assert delivered[0]["message"]["headers"]["message-id"] == second
    assert delivered[0]["tags"] == ["again"]
    assert client.post(url, data={}).json() == {"message": "to parameter is missing"}


def test_a_deleted_message_is_gone(client: Client, account: Account) -> None:
    send(client, account.domain, **{"o:deliverytime": "2553069600"})
    url = events(client, account.domain)[0]["storage"]["url"]
    assert client.delete(url).status_code == 200
    gone = client.get(url)
    assert (gone.status_code, gone.json()) == (404, {"message": "Message not found"})


def test_the_envelopes_of_a_domain_are_dropped(client: Client, account: Account) -> None:
    assert client.delete(f"/v3/{account.domain}/envelopes").json() == {"message": "done"}
    unknown = client.delete("/v3/unknown.example.com/envelopes")
    assert (unknown.status_code, unknown.json()) == (404, {"message": "domain not found"})


def test_the_queues_of_a_working_domain_are_enabled(client: Client, account: Account) -> None:
    queue = {"is_disabled": False, "disabled": {"until": None, "reason": ""}}
    answer = client.get(f"/v3/domains/{account.domain}/sending_queues")
    assert answer.json() == {"regular": queue, "scheduled": queue}
    unknown = client.get("/v3/domains/unknown.example.com/sending_queues")
    assert (unknown.status_code, unknown.json()) == (404, {"message": "Domain not found"})


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"from": ""}, "from parameter is missing"),
    ({"to": ""}, "to parameter is missing"),
    ({"from": " "}, "from parameter is missing"),
    ({"from": ["", " , "]}, "from parameter is missing"),
    ({"from": "nobody"}, "from parameter is not a valid address. please check documentation"),
    ({"to": "bob at x.com"}, "to parameter is not a valid address. please check documentation"),
    ({"cc": "@x.com"}, "cc parameter is not a valid address. please check documentation"),
    ({"bcc": "x@"}, "bcc parameter is not a valid address. please check documentation"),
    (
        {"text": ""},
        "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified",
    ),
    ({"html": "<p>", "template": "t"}, "Only one parameters 'html' or 'template' is allowed"),
    ({"to": [f"a{n}@x.com" for n in range(1001)]}, "Too many recipients, max is 1000"),
    (
        {"v:big": "x" * 17000},
        "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total",
    ),
    (
        {"v:big": "€" * 6000},
        "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total",
    ),
    ({"h:Grüße": "x"}, "Header name must be pure ASCII: Grüße"),
    ({"o:deliverytime": "soon"}, "soon is not an RFC-2822 compliant date"),
    *(
        ({"o:deliverytime": each}, f"{each} is not an RFC-2822 compliant date")
        for each in ("inf", "nan", "1e300", "-1", "1795657513000", f"Mon, 1 Jan {'9' * 20} 00:00:00 GMT")
    ),
    ({"o:deliver-within": f"{'9' * 5000}h"}, "invalid delivery time format"),
    ({"o:deliverytime-optimize-period": f"{'9' * 5000}h"}, "invalid delivery time format"),
    ({"o:deliver-within": "3m"}, "invalid delivery time format"),
    ({"o:deliverytime-optimize-period": "12h"}, "invalid delivery time format"),
    ({"o:time-zone-localize": "25:00"}, "25 invalid 24 hour time(value of 'o:time-zone-localize')"),
    (
        {"o:time-zone-localize": "noon"},
        "noon is not a valid time to send (value of 'o:time-zone-localize')",
    ),
    ({"recipient-variables": "{"}, "'recipient-variables' parameter is not a valid JSON"),
    ({"o:secondary-dkim": "nonsense"}, "nonsense is not a valid secondary dkim domain name"),
]


@pytest.mark.parametrize(("fields", "message"), REFUSED, ids=[text[:40] for _, text in REFUSED])
def test_a_wrong_parameter_is_refused_in_mailguns_words(
    client: Client, account: Account, fields: dict[str, Any], message: str
) -> None:
    given = {"from": "ann@x.com", "to": "bob@gmail.com", "text": "hello"} | fields
    refused = client.post(f"/v3/{account.domain}/messages", data=given)
    assert (refused.status_code, refused.json()) == (400, {"message": message})
    assert events(client, account.domain) == []


def test_a_body_may_be_compressed_and_its_names_spelled_as_ruby_does(
    client: Client, account: Account
) -> None:
    body = gzip.compress(b"from=ann@x.com&to[]=a@x.com&to[]=b@x.com&text=hi&o:tag[]=t")
    answer = client.post(
        f"/v3/{account.domain}/messages",
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "gzip"},
    )
    assert answer.status_code == 200
    accepted = events(client, account.domain, event="accepted")
    assert [(event["recipient"], event["tags"]) for event in accepted] == [
        ("a@x.com", ["t"]),
        ("b@x.com", ["t"]),
    ]
    assert accepted[0]["envelope"]["sender"] == f"postmaster@{account.domain}"


def test_a_damaged_multipart_body_is_refused(client: Client, account: Account) -> None:
    refused = client.post(
        f"/v3/{account.domain}/messages",
        content=b"--b\r\nContent-Disposition: form-data; name",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "malformed multipart/form-data request"},
    )


def test_a_message_from_an_unknown_domain_makes_it_but_a_deleted_one_stays_deleted(
    client: Client, account: Account
) -> None:
    domain = f"new-{account.id}.example.com"
    send(client, domain)
    made = client.get(f"/v4/domains/{domain}").json()["domain"]
    assert made["state"] == "active"
    assert client.delete(f"/v3/domains/{domain}").status_code == 200
    refused = client.post(f"/v3/{domain}/messages", data={"from": "a@x.com", "to": "b@x.com", "text": "x"})
    assert (refused.status_code, refused.text) == (401, "Forbidden")
    assert "create it again" in refused.headers["X-Mailgun-Emulator-Hint"]


def test_a_request_without_a_key_is_forbidden(client: Client, account: Account) -> None:
    refused = client.post(f"/v3/{account.domain}/messages", auth=("", ""))
    assert (refused.status_code, refused.text) == (401, "Forbidden")
    assert refused.headers["Www-Authenticate"] == 'Basic realm="MG API"'
    assert refused.headers["Content-Type"] == "text/plain; charset=utf-8"
