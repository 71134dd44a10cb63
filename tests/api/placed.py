"""Inbox placement, as several tests use it."""

from typing import Any

from tests.api import answers
from tests.conftest import Account, Client

HTML = "<p>Hello %recipient.first_name%, this is what you asked for.</p>"


def seed_list(client: Client, **fields: Any) -> dict[str, Any]:
    made = client.post(
        "/v4/inbox/seedlists", data={"name": "Few", "provider_filter": "gmail.com,gmx.de", **fields}
    )
    assert made.status_code == 200, made.text
    return dict(made.json())


def run(client: Client, account: Account, **fields: Any) -> str:
    """The id of the result."""
    test = {"from": f"Ann <ann@{account.domain}>", "subject": "Hello", "html": HTML, **fields}
    started = client.post("/v4/inbox/tests", json=test)
    assert started.status_code == 200, started.text
    return str(started.json()["result_id"])


def result(client: Client, result_id: str, **asked: Any) -> dict[str, Any]:
    return dict(client.get(f"/v4/inbox/results/{result_id}", params=asked).json()["result"])


def advance(client: Client, span: str) -> None:
    """Once all that was to be done by now is done."""
    client.drain()
    answers.advance(client, span)


def counts(stats: dict[str, Any]) -> tuple[int, ...]:
    """Inbox, spam, missing, pending."""
    assert stats["delivered"] == stats["inbox"] + stats["spam"]
    assert stats["total"] == stats["delivered"] + stats["missing"] + stats["pending"]
    return stats["inbox"], stats["spam"], stats["missing"], stats["pending"]
