import smtplib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

PATH = "/v2/ip_whitelist"
ELSEWHERE = "127.0.0.2"
"""Another address of this machine."""


@pytest.fixture(scope="module")
def strict() -> Iterator[Emulator]:
    with Emulator(strict=True) as server:
        yield server


Speaking = Callable[[str], tuple[Client, Any]]


@pytest.fixture
def speaking(strict: Emulator) -> Iterator[Speaking]:
    """A client at an address, for an account of its own."""
    with ExitStack() as stack:

        def speak(address: str) -> tuple[Client, Any]:
            transport = httpx2.HTTPTransport(local_address=address)
            client = stack.enter_context(Client(base_url=strict.url, transport=transport))
            account = client.post("/_emulator/accounts").json()
            client.auth = ("api", account["api_key"])
            return client, account

        yield speak


@pytest.mark.parametrize("path", [PATH, "/v2/ip/whitelist"])
def test_addresses_are_added_described_and_removed(client: Client, path: str) -> None:
    assert client.get(path).json() == {"addresses": []}
    office = {"ip_address": "127.0.0.1", "description": ""}
    added = client.post(path, data={"address": "127.0.0.1"})
    assert (added.status_code, added.json()) == (200, {"addresses": [office]})
    lan = {"ip_address": "10.11.0.0/16", "description": "Lan"}
    asked = {"address": "10.11.12.13/16", "description": "Lan"}
    assert client.post(path, data=asked).json() == {"addresses": [office, lan]}
    six = {"ip_address": "2001:db8::1", "description": ""}
    assert client.post(path, data={"address": "2001:DB8:0::1"}).json()["addresses"] == [office, lan, six]
    office["description"] = "Office"
    described = client.put(path, data={"address": "127.0.0.1/32", "description": "Office"})
    assert described.json() == {"addresses": [office, lan, six]}
    assert client.delete(path, params={"address": "10.11.0.0/16"}).json() == {"addresses": [office, six]}
    assert client.get(path).json() == {"addresses": [office, six]}


@pytest.mark.parametrize("address", ["", "here", "1.2.3", "1.2.3.4/33", "example.com", "fe80::1%eth0"])
def test_what_is_no_address_is_refused(client: Client, address: str) -> None:
    refused = client.post(PATH, data={"address": address})
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid IP Address or CIDR"})
    refused = client.put(PATH, data={"address": address, "description": "x"})
    assert (refused.status_code, refused.json()) == (400, {"message": "IP not found"})
    assert client.get(PATH).json() == {"addresses": []}


def test_an_ipv4_address_in_the_clothes_of_ipv6_is_kept_as_such(client: Client) -> None:
    added = client.post(PATH, data={"address": "::ffff:127.0.0.1"}).json()
    assert added == {"addresses": [{"ip_address": "127.0.0.1", "description": ""}]}
    assert "X-Mailgun-Emulator-Hint" not in client.get(PATH).headers


def test_an_unknown_address_is_neither_described_nor_removed(client: Client) -> None:
    refused = client.put(PATH, data={"address": "1.2.3.4"})
    assert (refused.status_code, refused.json()) == (400, {"message": "IP not found"})
    refused = client.delete(PATH, params={"address": "1.2.3.4"})
    assert (refused.status_code, refused.json()) == (400, {"message": "IP not found"})
    refused = client.delete(PATH)
    assert (refused.status_code, refused.json()) == (400, {"message": "IP address can not be blank"})


def test_others_are_told_that_mailgun_would_refuse_them(client: Client) -> None:
    assert "X-Mailgun-Emulator-Hint" not in client.post(PATH, data={"address": "127.0.0.0/8"}).headers
    assert "X-Mailgun-Emulator-Hint" not in client.get(PATH).headers
    client.post(PATH, data={"address": "10.0.0.1"})
    told = client.delete(PATH, params={"address": "127.0.0.0/8"})
    assert "X-Mailgun-Emulator-Hint" not in told.headers
    told = client.get(PATH)
    assert told.status_code == 200
    assert "IP allowlist has no 127.0.0.1" in told.headers["X-Mailgun-Emulator-Hint"]


def test_in_strict_mode_others_are_refused(strict: Emulator, speaking: Speaking) -> None:
    client, account = speaking(ELSEWHERE)
    assert client.post(PATH, data={"address": "127.0.0.1"}).status_code == 200
    message = {"from": f"a@{account['domain']}", "to": "b@example.com", "subject": "s", "text": "t"}
    sent = client.post(f"/v3/{account['domain']}/messages", data=message)
    assert (sent.status_code, sent.json()) == (403, {"message": "Forbidden"})
    refused = client.get(PATH)
    assert (refused.status_code, refused.json()) == (403, {"message": "Forbidden"})
    assert client.get("/_emulator/messages").json()["items"] == []
    with Client(base_url=strict.url, auth=client.auth) as welcome:
        assert welcome.post(f"/v3/{account['domain']}/messages", data=message).status_code == 200
        key = welcome.post("/v1/keys", data={"role": "admin", "kind": "web"}).json()["key"]["secret"]
        assert client.get(PATH, auth=("api", key)).status_code == 200
        assert welcome.post(PATH, data={"address": "127.0.0.2/31"}).status_code == 200
        assert client.get(PATH).status_code == 200
        for address in ("127.0.0.1", "127.0.0.2/31"):
            assert client.delete(PATH, params={"address": address}, auth=("api", key)).status_code == 200
    assert client.get(PATH).json() == {"addresses": []}


def test_another_account_is_open_to_all(speaking: Speaking) -> None:
    client, _ = speaking(ELSEWHERE)
    client.post(PATH, data={"address": "127.0.0.1"})
    other, _ = speaking(ELSEWHERE)
    assert other.get(PATH).json() == {"addresses": []}


def test_a_list_goes_with_a_reset(speaking: Speaking) -> None:
    client, account = speaking(ELSEWHERE)
    client.post(PATH, data={"address": "127.0.0.1"})
    assert client.get(PATH).status_code == 403
    assert client.post(f"/_emulator/accounts/{account['id']}/reset").status_code == 200
    assert client.get(PATH).json() == {"addresses": []}


def test_in_strict_mode_others_do_not_log_in_by_smtp(strict: Emulator, speaking: Speaking) -> None:
    client, account = speaking("127.0.0.1")
    login = {"login": "ann", "password": "secret-1"}
    assert client.post(f"/v3/domains/{account['domain']}/credentials", data=login).status_code == 200
    client.post(PATH, data={"address": "127.0.0.1"})
    assert strict.smtp_port is not None
    for address, code in (("127.0.0.1", 235), (ELSEWHERE, 535)):
        with smtplib.SMTP("127.0.0.1", strict.smtp_port, source_address=(address, 0)) as smtp:
            smtp.ehlo()
            smtp.user, smtp.password = f"ann@{account['domain']}", "secret-1"
            try:
                answered, _ = smtp.auth("PLAIN", smtp.auth_plain)
            except smtplib.SMTPAuthenticationError as refusal:
                answered = refusal.smtp_code
            assert answered == code


def test_an_account_without_a_list_pays_nothing(client: Client, account: Account) -> None:
    told = client.get(f"/v4/domains/{account.domain}")
    assert (told.status_code, "X-Mailgun-Emulator-Hint" in told.headers) == (200, False)


def test_who_speaks_for_a_subaccount_is_asked_by_the_list_of_the_own_account(speaking: Speaking) -> None:
    client, _ = speaking(ELSEWHERE)
    made = client.post("/v5/accounts/subaccounts", data={"name": "Shop"}).json()["subaccount"]
    own_key = ("api", client.get(f"/_emulator/accounts/{made['id']}").json()["api_key"])
    header = {"X-Mailgun-On-Behalf-Of": made["id"]}
    assert client.post(PATH, data={"address": "127.0.0.1"}, headers=header).status_code == 200
    assert client.get(PATH, auth=own_key).status_code == 403
    assert client.get(PATH, headers=header).json()["addresses"][0]["ip_address"] == "127.0.0.1"
    assert client.get(PATH).json() == {"addresses": []}
    assert client.post(PATH, data={"address": "127.0.0.1"}).status_code == 200
    assert client.get(PATH, headers=header).status_code == 403
