import httpx2
from tests import plain
from tests.conftest import Account, Client


def test_an_encoded_slash_belongs_to_its_segment(client: Client, account: Account) -> None:
    address = "a/b@x.com"
    assert client.post(f"/v3/{account.domain}/bounces", data={"address": address}).status_code == 200
    found = client.get(f"/v3/{account.domain}/bounces/a%2Fb@x.com")
    assert (found.status_code, found.json()["address"]) == (200, address)


def test_an_unknown_path_is_404_and_hints_at_the_nearest(server_url: str) -> None:
    unknown = plain.get(f"{server_url}/v3/mg.example.com/bounce")
    assert (unknown.status_code, unknown.text) == (404, "404 page not found\n")
    assert "/v3/{}/bounces" in unknown.headers["X-Mailgun-Emulator-Hint"]


def test_a_method_that_a_path_does_not_know_is_405_and_told_which_it_knows(server_url: str) -> None:
    refused = httpx2.patch(f"{server_url}/v3/mg.example.com/bounces")
    assert refused.status_code == 405
    assert refused.headers["Allow"] == "DELETE, GET, POST"


def test_a_browser_may_ask_before_it_calls(server_url: str) -> None:
    answer = httpx2.options(f"{server_url}/v3/mg.example.com/messages")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_every_answer_bears_mailguns_headers(client: Client, account: Account) -> None:
    headers = client.get(f"/v3/{account.domain}/bounces").headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Access-Control-Allow-Credentials"] == "true"
    assert headers["Strict-Transport-Security"] == "max-age=63072000; includeSubDomains"
    assert headers["X-Xss-Protection"] == "1; mode=block"
    assert headers["X-Mailgun-Key-Id"] == "-".join(account.api_key.split("-")[1:])
