"""Events without the personal data in them."""

from typing import Any

import orjson

from mailgun_emulator.pipeline.redact import redacted


def told(**event: Any) -> Any:
    return orjson.loads(redacted(orjson.dumps(event).decode()))


def test_an_address_within_another_is_left_alone() -> None:
    event = told(
        recipient="n@example.com",
        envelope={"sender": "ann@example.com", "targets": "n@example.com"},
        message={"headers": {"from": "Ann <ann@example.com>", "to": "n@example.com, n@example.com.au"}},
    )
    assert event["envelope"] == {"sender": "ann@example.com", "targets": "redacted@example.com"}
    assert event["message"]["headers"] == {
        "from": "Ann <ann@example.com>",
        "to": "redacted@example.com, redacted@example.com.au",
    }


def test_an_address_goes_wherever_it_stands() -> None:
    event = told(
        recipient="Bob+1@example.com",
        url="https://x.org/?to=https%3A%2F%2Fy.org%2F%3Fe%3Dbob%2B1%40example.com&bob%2B1%40example.com",
        **{"delivery-status": {"message": "No such user <bob+1@EXAMPLE.com>. bob+1@example.com."}},
    )
    assert event == {
        "recipient": "redacted@example.com",
        "url": "https://x.org/?to=https%3A%2F%2Fy.org%2F%3Fe%3Dredacted@example.com&redacted@example.com",
        "delivery-status": {"message": "No such user <redacted@example.com>. redacted@example.com."},
    }


def test_what_looks_like_a_pattern_is_text() -> None:
    assert told(recipient='"a\\1b"@example.com') == {"recipient": "redacted@example.com"}
