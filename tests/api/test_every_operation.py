"""What holds for all operations of Mailgun's API alike."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import plain
from tests.called import PAGE
from tests.conftest import Client

from mailgun_emulator.openapi import coverage
from mailgun_emulator.openapi.operations import operations
from mailgun_emulator.testing import Emulator

CALLED_BY_CLIENTS = Path(__file__).parents[3] / "shared" / "spec" / "operations.tsv"
NOT_FOUND = {
    ("GET", "/v3/{}/stats"): "404 since 2025 (facts/sending.md, 7)",
    ("GET", "/v5/accounts/subaccounts/{}/ip_pools"): "404, as recorded (facts/account.md, 8)",
}
"""What a client calls and Mailgun does not have."""
OPEN_TO_ALL = {
    "/v4/address/validate/bulk/{list_id}/{file}",
    "/v4/inbox/sharing/public/{share_id}",
    "/v4/inbox/sharing/public/{share_id}/page",
    "/v1/preview/tests/{test_id}/screenshots/{client_id}",
    "/v3/exports/{export_id}/file",
}
"""Paths that need no key (facts/account.md, 0.1)."""


def mailguns() -> Iterator[tuple[str, str]]:
    for each in operations():
        if each.section.startswith("api."):
            yield each.method.upper(), each.path


def test_all_of_the_reference_is_served() -> None:
    assert "225 of the 225 operations" in PAGE.read_text()


@pytest.mark.skipif(not CALLED_BY_CLIENTS.exists(), reason="the list of what clients call is not at hand")
def test_all_that_clients_call_is_served() -> None:
    served = {coverage.Documented("", *each).key() for each in mailguns()}
    rows = [line.split("\t") for line in CALLED_BY_CLIENTS.read_text().splitlines()[1:]]
    asked = {coverage.Documented("", row[0], row[1]).key() for row in rows}
    assert sorted(asked - served) == sorted(NOT_FOUND)


MADE_BY_A_MESSAGE = ("/v3/{domain}/messages", "/v3/{domain}/messages.mime")
OF_DOMAINS = [each for each in mailguns() if "{domain}" in each[1] and each[1] not in MADE_BY_A_MESSAGE]


@pytest.mark.parametrize(("method", "path"), OF_DOMAINS)
def test_a_domain_that_is_not_there_is_refused(client: Client, method: str, path: str) -> None:
    asked = re.sub(r"\{[^}]*\}", "x", path.replace("{domain}", "nowhere.example.org"))
    answer = client.request(method, asked)
    assert 400 <= answer.status_code < 500, f"{answer.status_code} {answer.text}"
    assert "nowhere.example.org" not in client.get("/v4/domains").text


def test_each_refuses_a_key_that_opens_nothing() -> None:
    """In Mailgun's two ways, one of which has another key for previews (facts/account.md, 0.4 and 0.5)."""
    with Emulator(strict=True) as emulator:
        for method, path in mailguns():
            if path in OPEN_TO_ALL:
                continue
            filled = re.sub(r"\{[^}]*\}", "x", path)
            answer = plain.request(method, f"{emulator.url}{filled}", auth=("api", "key-of-nobody"))
            in_json = path.startswith(("/v1/", "/v4/address", "/v2/preview/"))
            key = b"Reason" if path.startswith(("/v1/preview/", "/v2/preview/")) else b"message"
            said = b'{\n  "%s": "Invalid private key"\n}\n' % key if in_json else b"Forbidden"
            assert (answer.status_code, answer.content) == (401, said), f"{method} {path}"
            assert answer.headers["WWW-Authenticate"] == 'Basic realm="MG API"'
