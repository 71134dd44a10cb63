"""What all tests of sections say of answers."""

from typing import Any

from tests.conftest import Client


def done(response: Any) -> Any:
    assert response.status_code == 200, response.text
    return response.json()


def refused(response: Any, status: int, told: object) -> None:
    """`told` is the body, or the text that stands in it as its message."""
    body = {"message": told} if isinstance(told, str) else told
    assert (response.status_code, response.json()) == (status, body)


def advance(client: Client, span: str) -> None:
    done(client.post("/_emulator/clock", json={"advance": span}))
