import pytest
from tests.conftest import Client


@pytest.mark.parametrize("path", ["/v5/sandbox/auth_recipients", "/v5/sandbox/auth/recipients"])
def test_a_recipient_is_invited_agrees_and_is_removed(client: Client, path: str) -> None:
    assert client.get(path).json() == {"recipients": [], "limit": 5}
    invited = client.post(path, params={"email": "New.User@Example.com"})
    assert invited.status_code == 200
    assert invited.json() == {"recipient": {"email": "new.user@example.com", "activated": False}}
    agreed = {"email": "new.user@example.com", "activated": True}
    assert client.get(path).json() == {"recipients": [agreed], "limit": 5}
    assert client.post(path, data={"email": "new.user@example.com"}).json() == {"recipient": agreed}
    removed = client.delete(f"{path}/new.user@example.com")
    assert (removed.status_code, removed.json()) == (
        200,
        {"message": "Sandbox recipient new.user@example.com deleted."},
    )
    assert client.get(path).json() == {"recipients": [], "limit": 5}


def test_a_sixth_recipient_is_refused(client: Client) -> None:
    for number in range(5):
        assert client.post(
            "/v5/sandbox/auth_recipients", params={"email": f"user{number}@example.com"}
        ).is_success
    refused = client.post("/v5/sandbox/auth_recipients", params={"email": "user6@example.com"})
    assert (refused.status_code, refused.json()) == (
        400,
        {"message": "Only 5 sandbox recipients are allowed"},
    )
    known = client.post("/v5/sandbox/auth_recipients", params={"email": "user4@example.com"})
    assert known.status_code == 200


@pytest.mark.parametrize("email", ["", "nobody", "Bob <bob@example.com>", "a@example.com, b@example.com"])
def test_what_is_no_address_is_not_invited(client: Client, email: str) -> None:
    refused = client.post("/v5/sandbox/auth_recipients", params={"email": email})
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid email address."})
    assert client.get("/v5/sandbox/auth_recipients").json()["recipients"] == []


def test_an_unknown_recipient_is_not_removed(client: Client) -> None:
    refused = client.delete("/v5/sandbox/auth_recipients/nobody@example.com")
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid email address."})
