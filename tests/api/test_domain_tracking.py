import re
from typing import Any

import pytest
from cryptography import x509
from tests.conftest import Account, Client

UPDATED = "Domain tracking settings have been updated"
HTML_FOOTER = '\n<br>\n<p><a href="%unsubscribe_url%">unsubscribe</a></p>\n'
TEXT_FOOTER = "\n\nTo unsubscribe click: <%unsubscribe_url%>\n\n"


@pytest.fixture
def path(account: Account) -> str:
    return f"/v3/domains/{account.domain}/tracking"


@pytest.fixture
def host(account: Account) -> str:
    return f"email.{account.domain}"


def tracking(client: Client, path: str) -> Any:
    return client.get(path).json()["tracking"]


def test_a_new_domain_tracks_nothing(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.json() == {
        "tracking": {
            "open": {"active": False, "place_at_the_top": False},
            "click": {"active": False},
            "unsubscribe": {"active": False, "html_footer": HTML_FOOTER, "text_footer": TEXT_FOOTER},
            "web_scheme": "http",
        }
    }
    assert list(answer.json()["tracking"]) == ["open", "click", "unsubscribe", "web_scheme"]


@pytest.mark.parametrize(
    ("given", "active"),
    [
        ("yes", True),
        ("true", True),
        ("1", True),
        ("True", True),
        ("no", False),
        ("false", False),
        ("0", False),
    ],
)
def test_all_spellings_of_a_flag_are_understood(client: Client, path: str, given: str, active: bool) -> None:
    for setting, field in (("open", "open"), ("click", "click"), ("unsubscribe", "unsubscribe")):
        client.put(f"{path}/{setting}", data={"active": "no" if active else "yes"})
        answer = client.put(f"{path}/{setting}", data={"active": given})
        assert answer.status_code == 200
        assert answer.json()[field]["active"] is active
        assert tracking(client, path)[field]["active"] is active


def test_opens_are_tracked_at_the_top(client: Client, path: str) -> None:
    answer = client.put(f"{path}/open", files={"active": (None, "yes"), "place_at_the_top": (None, "yes")})
    assert answer.json() == {"message": UPDATED, "open": {"active": True, "place_at_the_top": True}}
    answer = client.put(f"{path}/open", data={"active": "no"})
    assert answer.json() == {"message": UPDATED, "open": {"active": False, "place_at_the_top": True}}
    assert client.put(f"{path}/open").json() == answer.json()
    assert tracking(client, path)["open"] == {"active": False, "place_at_the_top": True}


def test_clicks_in_html_only_are_told_as_such_when_changed(client: Client, path: str) -> None:
    """Java's client reads the answer to a change as text, and what is read later as a boolean, as Go's does."""
    answer = client.put(f"{path}/click", data={"active": "htmlonly"})
    assert (answer.status_code, answer.json()) == (200, {"message": UPDATED, "click": {"active": "htmlonly"}})
    assert client.put(f"{path}/click").json()["click"] == {"active": "htmlonly"}
    assert tracking(client, path)["click"] == {"active": True}
    assert client.put(f"{path}/click", data={"active": "yes"}).json()["click"] == {"active": True}


def test_the_unsubscribe_footer_is_set(client: Client, path: str) -> None:
    answer = client.put(f"{path}/unsubscribe", data={"active": "true", "text_footer": ""})
    assert answer.json() == {
        "message": UPDATED,
        "unsubscribe": {"active": True, "html_footer": HTML_FOOTER, "text_footer": ""},
    }
    answer = client.put(f"{path}/unsubscribe", data={"html_footer": "<p>Leave</p>"})
    assert answer.json()["unsubscribe"] == {
        "active": True,
        "html_footer": "<p>Leave</p>",
        "text_footer": "",
    }
    assert tracking(client, path)["unsubscribe"] == answer.json()["unsubscribe"]


@pytest.mark.parametrize("setting", ["open", "click", "unsubscribe"])
def test_what_is_no_flag_is_refused_and_changes_nothing(client: Client, path: str, setting: str) -> None:
    before = tracking(client, path)
    refused = client.put(f"{path}/{setting}", data={"active": "perhaps", "html_footer": "x"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Invalid parameter: active is invalid"},
    )
    assert tracking(client, path) == before


def test_an_unknown_domain_has_no_tracking(client: Client) -> None:
    path = "/v3/domains/unknown.example.com/tracking"
    for refused in (
        client.get(path),
        *(
            client.put(f"{path}/{setting}", data={"active": "yes"})
            for setting in ("open", "click", "unsubscribe")
        ),
        client.put("/v3/domains/unknown.example.com/web_prefix", data={"web_prefix": "links"}),
    ):
        assert (refused.status_code, refused.json()) == (404, {"message": "Domain not found"})


def test_another_web_prefix_is_another_tracking_host(client: Client, account: Account, host: str) -> None:
    assert client.post(f"/v2/x509/{host}").status_code == 202
    changed = client.put(f"/v3/domains/{account.domain}/web_prefix", params={"web_prefix": "links"})
    assert (changed.status_code, changed.json()) == (200, {"message": "Domain web prefix updated"})
    gone = client.put(f"/v2/x509/{host}")
    assert (gone.status_code, gone.json()) == (404, {"Description": "x509 cert not found"})
    assert client.post(f"/v2/x509/links.{account.domain}").status_code == 202


def test_a_web_prefix_is_needed(client: Client, account: Account) -> None:
    refused = client.put(f"/v3/domains/{account.domain}/web_prefix")
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Missing mandatory parameter: web_prefix"},
    )


def test_a_certificate_is_made_for_the_tracking_host(client: Client, host: str) -> None:
    never = client.get(f"/v2/x509/{host}/status")
    assert (never.status_code, never.json()) == (
        404,
        {"Description": f"Please initiate x509 key pair generation at POST /v2/x509/{host}"},
    )
    initiated = client.post(f"/v2/x509/{host}")
    assert (initiated.status_code, initiated.json()) == (
        202,
        {"message": "Initiated x509 key pair generation", "location": f"/v2/x509/{host}/status"},
    )
    client.drain()
    status = client.get(initiated.json()["location"])
    assert status.status_code == 200
    assert list(status.json()) == ["status", "certificate"]
    assert status.json()["status"] == "active"
    certificate = x509.load_pem_x509_certificate(status.json()["certificate"].encode())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [host]
    certificate.verify_directly_issued_by(certificate)
    assert (certificate.not_valid_after_utc - certificate.not_valid_before_utc).days == 90


def test_a_certificate_is_made_once(client: Client, host: str) -> None:
    client.post(f"/v2/x509/{host}")
    client.drain()
    before = client.get(f"/v2/x509/{host}/status").json()
    again = client.post(f"/v2/x509/{host}")
    assert (again.status_code, again.json()) == (
        409,
        {"Description": f"x509 key pair generation has already been initiated for {host}"},
    )
    early = client.put(f"/v2/x509/{host}")
    assert early.status_code == 409
    assert re.fullmatch(
        r"x509 certificate is still valid until \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC",
        early.json()["Description"],
    )
    client.drain()
    assert client.get(f"/v2/x509/{host}/status").json() == before


def test_the_domain_itself_stands_for_its_tracking_host(client: Client, account: Account, host: str) -> None:
    initiated = client.post(f"/v2/x509/{account.domain}")
    assert initiated.json()["location"] == f"/v2/x509/{account.domain}/status"
    client.drain()
    status = client.get(f"/v2/x509/{account.domain}}}/status")
    assert status.json()["status"] == "active"
    assert client.get(f"/v2/x509/{host}/status").json() == status.json()


def test_an_unknown_host_has_no_certificate(client: Client) -> None:
    path = "/v2/x509/email.unknown.example.com"
    for refused in (client.post(path), client.put(path)):
        assert (refused.status_code, refused.json()) == (404, {"Description": "x509 cert not found"})
    refused = client.get(f"{path}/status")
    assert (refused.status_code, refused.json()) == (
        404,
        {"Description": f"Please initiate x509 key pair generation at POST {path}"},
    )


def test_what_was_never_made_is_not_made_anew(client: Client, host: str) -> None:
    refused = client.put(f"/v2/x509/{host}")
    assert (refused.status_code, refused.json()) == (404, {"Description": "x509 cert not found"})
