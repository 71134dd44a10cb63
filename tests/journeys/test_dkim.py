"""Messages go out signed, and the signature holds against the key that the domain publishes."""

from collections.abc import Iterator
from typing import Any

import dkim  # type: ignore[import-untyped]  # it has no type hints
import pytest
from tests.conftest import Account, Client
from tests.receiver import Receiver

from mailgun_emulator.mail import dkim as keys


def published(client: Client, domain: str) -> dict[str, str]:
    """The TXT records that the domain's owner is to put into the DNS, by their names."""
    records = client.get(f"/v4/domains/{domain}").json()["sending_dns_records"]
    return {each["name"]: each["value"] for each in records if each["record_type"] == "TXT"}


def send(client: Client, domain: str, **fields: Any) -> str:
    given = {"from": f"Ann <a@{domain}>", "to": "b@reader.net", "subject": "Héllo", "text": "hi", **fields}
    sent = client.post(f"/v3/{domain}/messages", data=given)
    assert sent.status_code == 200, sent.text
    client.drain()
    accepted = client.get(f"/v3/{domain}/events", params={"event": "accepted"}).json()["items"][0]
    url: str = accepted["storage"]["url"]
    return url


def raw(client: Client, url: str) -> bytes:
    text: str = client.get(url, headers={"Accept": "message/rfc2822"}).json()["body-mime"]
    return text.encode()


def signatures(mime: bytes, zone: dict[str, str]) -> Iterator[tuple[str, bool]]:
    """Where each looks for its key, and whether it holds."""
    signed = dkim.DKIM(mime)
    for number in range(sum(1 for name, _ in signed.headers if name.lower() == b"dkim-signature")):
        asked: list[str] = []

        def look_up(name: bytes, timeout: float = 5, asked: list[str] = asked) -> bytes | None:
            asked.append(name.decode().rstrip("."))
            value = zone.get(asked[-1])
            return None if value is None else value.encode()

        try:
            good = signed.verify(idx=number, dnsfunc=look_up)
        except dkim.ValidationError:
            good = False
        yield asked[0], good


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"text": "a  b\n\n\n"},
        {"html": "<p>é</p>", "o:tracking": "yes", "o:tag": "t", "text": "http://x.com"},
        {"cc": "c@x.com", "h:Reply-To": "d@x.com", "h:References": "<1@x> <2@x>", "subject": "long " * 60},
    ],
)
def test_a_signature_holds_against_the_published_key(
    client: Client, account: Account, fields: dict[str, str]
) -> None:
    client.put(f"/v3/domains/{account.domain}/tracking/unsubscribe", data={"active": "yes"})
    url = send(client, account.domain, **fields)
    mime = raw(client, url)
    event = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"][0]
    zone = published(client, account.domain)
    assert list(signatures(mime, zone)) == [(event["primary-dkim"], True)]
    assert list(signatures(mime + b"!", zone)) == [(event["primary-dkim"], False)]
    assert raw(client, url) == mime
    assert mime.startswith(b"DKIM-Signature: a=rsa-sha256; v=1; c=relaxed/relaxed;")


def test_a_message_may_go_unsigned(client: Client, account: Account) -> None:
    assert b"DKIM-Signature" not in raw(client, send(client, account.domain, **{"o:dkim": "no"}))


def test_an_archive_gets_the_signed_copy(client: Client, account: Account, receiver: Receiver) -> None:
    send(client, account.domain, **{"o:archive-to": receiver.url()})
    zone = published(client, account.domain)
    assert [good for _, good in signatures(receiver.requests()[0].body, zone)] == [True]


def test_automatic_sender_security_signs_with_its_own_keys(client: Client) -> None:
    name = "auto.reader.net"
    asked = {"name": name, "use_automatic_sender_security": "true"}
    assert client.post("/v4/domains", data=asked).status_code == 200
    client.put(f"/v4/domains/{name}/verify")
    mime = raw(client, send(client, name))
    assert [record for record, _ in signatures(mime, {f"pdk1._domainkey.{name}": ""})] == [
        f"pdk1._domainkey.{name}"
    ]


def test_a_message_may_have_a_second_signature(client: Client, account: Account) -> None:
    pair = keys.generate(1024)
    made = client.post(
        "/v1/dkim/keys",
        data={"signing_domain": account.domain, "selector": "second", "bits": "1024"},
        files={"pem": ("key.pem", pair.private_pem)},
    )
    assert made.status_code == 200, made.text
    zone = {f"second._domainkey.{account.domain}": f"k=rsa; p={pair.public}"}
    zone |= {"alias._domainkey.else.net": f"k=rsa; p={pair.public}", **published(client, account.domain)}
    both = {"o:secondary-dkim": f"{account.domain}/second"}
    first = list(signatures(raw(client, send(client, account.domain, **both)), zone))
    assert [record.partition(".")[0] for record, _ in first] == ["mx", "second"]
    assert [good for _, good in first] == [True, True]
    shown = {**both, "o:secondary-dkim-public": "else.net/alias"}
    second = list(signatures(raw(client, send(client, account.domain, **shown)), zone))
    assert second[1] == ("alias._domainkey.else.net", True)
    unknown = list(
        signatures(raw(client, send(client, account.domain, **{"o:secondary-dkim": "x.com/y"})), zone)
    )
    assert [good for _, good in unknown] == [True]


def test_a_message_whose_key_is_gone_is_not_signed(client: Client, account: Account) -> None:
    url = send(client, account.domain)
    assert b"DKIM-Signature" in raw(client, url)
    changed = client.put(f"/v3/domains/{account.domain}/dkim_selector", data={"dkim_selector": "new"})
    assert changed.status_code == 200
    assert b"DKIM-Signature" not in raw(client, url)
