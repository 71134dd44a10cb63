"""An event that never happened, to try a webhook with (facts/sending.md, 3.2 and 4.2)."""

from typing import Any

from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.webhooks import WebhookEvent

RECIPIENT = "alice@example.com"
_LEVELS = {
    WebhookEvent.COMPLAINED: "warn",
    WebhookEvent.TEMPORARY_FAIL: "warn",
    WebhookEvent.PERMANENT_FAIL: "error",
}
_CLIENT = {
    "client-info": {
        "client-name": "Chrome",
        "client-os": "Linux",
        "client-type": "browser",
        "device-type": "desktop",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0",
        "bot": "",
    },
    "geolocation": {"city": "Unknown", "region": "Unknown", "country": "Unknown"},
    "ip": "127.0.0.1",
}
_MX = {"mx-host": "mx.example.com", "tls": True, "certificate-verified": True, "utf8": True}
_REFUSED = {"attempt-no": 1, "description": "", "session-seconds": 0.3, **_MX}
_FAILED = {
    WebhookEvent.TEMPORARY_FAIL: {
        "severity": "temporary",
        "reason": "generic",
        "delivery-status": {
            "code": 451,
            "enhanced-code": "4.7.1",
            "message": "4.7.1 Try again later",
            "retry-seconds": 600,
            **_REFUSED,
        },
    },
    WebhookEvent.PERMANENT_FAIL: {
        "severity": "permanent",
        "reason": "bounce",
        "delivery-status": {
            "code": 550,
            "enhanced-code": "5.1.1",
            "bounce-type": "hard",
            "message": "5.1.1 No such user",
            **_REFUSED,
        },
    },
}
_DELIVERED = {
    "attempt-no": 1,
    "code": 250,
    "message": "OK",
    "description": "",
    "session-seconds": 0.3,
    **_MX,
}
_VISITED = (WebhookEvent.OPENED, WebhookEvent.CLICKED, WebhookEvent.UNSUBSCRIBED)


def sample(tx: Tx, event: WebhookEvent, domain: str) -> dict[str, Any]:
    """As an event of a message from that domain would be told."""
    kind = event.value if event not in _FAILED else "failed"
    headers = {
        "from": f"Bob <bob@{domain}>",
        "to": f"Alice <{RECIPIENT}>",
        "subject": "Test webhook",
        "message-id": tx.ids.message_id(domain, tx.now),
    }
    return {
        "event": kind,
        "id": tx.ids.event_id(),
        "timestamp": tx.now,
        "log-level": _LEVELS.get(event, "info"),
        "account": tx.account,
        "domain": {"name": domain},
        "recipient": RECIPIENT,
        "recipient-domain": RECIPIENT.partition("@")[2],
        "tags": ["my_tag_1", "my_tag_2"],
        "campaigns": [],
        "user-variables": {"my_var_1": "Mailgun Variable #1", "my-var-2": "awesome"},
        **(_of_a_visit(event, headers) if event in _VISITED else _of_a_delivery(event, domain, headers)),
    }


def _of_a_visit(event: WebhookEvent, headers: dict[str, str]) -> dict[str, Any]:
    told = {"message": {"headers": {"message-id": headers["message-id"]}}, **_CLIENT}
    return {**told, "url": "https://example.com/"} if event is WebhookEvent.CLICKED else told


def _of_a_delivery(event: WebhookEvent, domain: str, headers: dict[str, str]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "flags": {
            "is-routed": False,
            "is-authenticated": True,
            "is-system-test": False,
            "is-test-mode": False,
        },
        "message": {"attachments": [], "size": 512, "headers": headers},
        "envelope": {"sender": f"bob@{domain}", "transport": "smtp", "targets": RECIPIENT},
        "storage": {},
    }
    if event is WebhookEvent.DELIVERED:
        told["delivery-status"] = _DELIVERED
    return {**told, **_FAILED.get(event, {})}
