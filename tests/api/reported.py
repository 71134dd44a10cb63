"""Mail of every fate, for the tests of what reports on it."""

from typing import Any

from tests.conftest import Account, Client

DE = {
    "geolocation": {"country": "DE"},
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile",
}
US = {
    "geolocation": {"country": "US"},
    "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
}


def send(client: Client, domain: str, to: str = "bob@gmail.com", /, **fields: Any) -> str:
    about = {
        "from": f"Ann <ann@{domain}>",
        "to": to,
        "subject": "Hi",
        "html": "<a href='https://x.com/'>x</a>",
    }
    sent = client.post(f"/v3/{domain}/messages", data={**about, **fields})
    assert sent.status_code == 200
    return str(sent.json()["id"])


def happen(client: Client, message: str, event: str, **fields: Any) -> dict[str, Any]:
    happened = client.post(f"/_emulator/messages/{message}/events", json={"event": event, **fields})
    assert happened.status_code == 200, happened.text
    told: dict[str, Any] = happened.json()
    return told


def send_of_every_fate(client: Client, account: Account) -> None:
    """Three deliveries, opened, clicked, unsubscribed, complained, bounced late; bounces, deferrals, suppressions."""
    domain = account.domain
    first = send(client, domain, "bob@gmail.com", **{"o:tag": ["News", "sale"], "v:order": "17"})
    second = send(client, domain, "carl@yahoo.com", **{"o:tag": "news"})
    send(client, domain, "dora@example.net")
    send(client, domain, "bounce@example.com", **{"o:tag": "sale"})
    deferred = send(client, domain, "timeout@example.com")
    client.drain()
    for client_of in (DE, DE, US):
        happen(client, first, "opened", **client_of)
    happen(client, second, "opened", **US)
    happen(client, first, "clicked", **US)
    happen(
        client, deferred, "failed", severity="temporary", code=451, text="4.7.1 Greylisted, try again later"
    )
    happen(client, deferred, "delivered")
    happen(client, second, "complained")
    happen(client, first, "unsubscribed", **US)
    happen(client, second, "failed", code=550, text="5.7.1 Blocked using zen.spamhaus.org")
    for to in ("bounce@example.com", "bob@gmail.com"):
        send(client, domain, to)
    client.drain()


def asked_for(attribute: str, comparator: str, *values: str) -> dict[str, Any]:
    return {
        "attribute": attribute,
        "comparator": comparator,
        "values": [{"label": value, "value": value} for value in values],
    }


def all_of(*predicates: dict[str, Any]) -> dict[str, Any]:
    return {"AND": list(predicates)}
