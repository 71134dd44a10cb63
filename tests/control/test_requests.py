"""The request journal, and how an answer's header leads to it."""

import base64
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client, serving

from mailgun_emulator.testing import Emulator

ID = "X-Mailgun-Emulator-Request"
MESSAGE = {"from": "ann@example.com", "to": "bob@example.com", "subject": "Hi", "text": "x"}


def journal(client: Client, **asked: Any) -> list[dict[str, Any]]:
    answer = client.get("/_emulator/requests", params=asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def details(client: Client, answer: httpx2.Response) -> dict[str, Any]:
    told: dict[str, Any] = client.get(f"/_emulator/requests/{answer.headers[ID]}").json()
    return told


def now(client: Client) -> float:
    return float(client.get("/_emulator/clock").json()["now"])


def test_an_answer_says_where_its_request_is_told(client: Client, account: Account) -> None:
    before = now(client)
    path = f"/v3/{account.domain}/messages"
    answer = client.post(
        path, data={**MESSAGE, "to": ["a@b.com", "c@d.com"], "o:tags": "t"}, params={"q": "1 2"}
    )
    told = details(client, answer)
    assert before <= told.pop("at") <= now(client)
    assert told.pop("iso").endswith("Z")
    assert 0 < told.pop("duration_ms") < 10_000
    request, response = told.pop("request"), told.pop("response")
    assert told == {
        "id": int(answer.headers[ID]),
        "account": account.id,
        "method": "POST",
        "path": path,
        "query": "q=1+2",
        "operation": "send_message",
        "status": 200,
        "hints": [
            "`q` is not a field of this operation: it is ignored",
            "`o:tags` is not a Mailgun option; did you mean `o:tag`?",
        ],
        "client": "127.0.0.1",
    }
    assert request["headers"]["content-type"] == "application/x-www-form-urlencoded"
    assert request["headers"]["authorization"].startswith("Basic ")
    assert request["body"] == answer.request.content.decode()
    assert (request["encoding"], request["truncated"], request["size"]) == (None, False, len(request["body"]))
    assert request["fields"] == {
        "q": ["1 2"],
        "from": ["ann@example.com"],
        "to": ["a@b.com", "c@d.com"],
        "subject": ["Hi"],
        "text": ["x"],
        "o:tags": ["t"],
    }
    assert response["body"] == answer.text
    assert response["headers"]["x-mailgun-emulator-request"] == answer.headers[ID]
    assert response["headers"]["x-mailgun-emulator-hint"] == answer.headers["X-Mailgun-Emulator-Hint"]


def test_a_body_that_is_no_text_is_told_in_base64(client: Client, account: Account) -> None:
    files = {"attachment": ("a.bin", b"\xff\x00", "application/pdf")}
    answer = client.post(f"/v3/{account.domain}/messages", data=MESSAGE, files=files)
    request = details(client, answer)["request"]
    assert request["encoding"] == "base64"
    assert base64.b64decode(request["body"]) == answer.request.read()
    assert request["fields"]["attachment"] == [
        {"filename": "a.bin", "content_type": "application/pdf", "size": 2}
    ]


def test_of_a_long_body_the_beginning_is_kept(client: Client, account: Account) -> None:
    answer = client.post(f"/v3/{account.domain}/messages", data={**MESSAGE, "text": "ä" * 200_000})
    request = details(client, answer)["request"]
    assert request["truncated"] is True
    assert request["size"] == len(answer.request.content)
    assert request["body"] == answer.request.content[:256_000].decode()
    assert request["fields"] is None


def test_every_answer_is_in_it_whatever_it_is(client: Client, account: Account, server_url: str) -> None:
    answers = [
        client.get(f"/v3/{account.domain}/bounces"),
        client.get("/v3/domains/nowhere.example.org"),
        client.get(f"/v3/{account.domain}/messages"),
        client.post("/v3/domains", data={}),
        client.put("/v9/nothing", content=b"x" * 70_000),
        client.options("/v3/domains"),
        plain.get(server_url),
    ]
    for answer in answers:
        told = details(client, answer)
        assert (told["method"], told["status"]) == (answer.request.method, answer.status_code)
        assert told["response"]["body"] == answer.text
        assert told["request"]["body"] == answer.request.content.decode()


def test_what_is_asked_of_the_emulator_itself_is_not_in_it(client: Client) -> None:
    assert ID not in client.get("/_emulator/health").headers
    assert ID not in client.get("/_emulator/nothing").headers
    assert ID not in client.get("/c/nothing").headers
    assert journal(client) == []


def test_requests_are_found_by_what_they_are(client: Client, account: Account) -> None:
    sent = client.post(f"/v3/{account.domain}/messages", data=MESSAGE)
    refused = client.post(f"/v3/{account.domain}/messages", data={**MESSAGE, "to": ""})
    listed = client.get(f"/v3/{account.domain}/bounces")
    lost = client.get("/v3/domains/nowhere.example.org")
    everything = {
        "sent": sent.headers[ID],
        "refused": refused.headers[ID],
        "listed": listed.headers[ID],
        "lost": lost.headers[ID],
    }
    names = {int(number): name for name, number in everything.items()}

    def found(**asked: Any) -> list[str]:
        return [names[item["id"]] for item in journal(client, **asked)]

    assert found() == ["lost", "listed", "refused", "sent"]
    assert found(method="post") == ["refused", "sent"]
    assert found(path="messages") == ["refused", "sent"]
    assert found(path="/v3/*/bounces") == ["listed"]
    assert found(status="404") == ["lost"]
    assert found(status="2xx, 400") == ["listed", "refused", "sent"]
    assert found(operation="send_message") == ["refused", "sent"]
    assert found(operation="list_bounces") == ["listed"]
    assert found(domain=account.domain.upper()) == ["listed", "refused", "sent"]
    assert found(failed="yes") == ["lost", "refused"]
    assert found(failed="no") == ["listed", "sent"]
    assert found(hinted="yes") == ["lost"]
    assert found(since="10m") == ["lost", "listed", "refused", "sent"]
    assert found(since="2099-01-01") == []
    assert found(limit=1) == ["lost"]


def test_pages_follow_each_other(client: Client) -> None:
    made = [int(client.get("/v3/domains").headers[ID]) for _ in range(5)]
    seen: list[int] = []
    cursor: dict[str, Any] = {}
    for _ in range(3):
        page = client.get("/_emulator/requests", params={"limit": 2, **cursor}).json()
        seen += [item["id"] for item in page["items"]]
        cursor = {"cursor": page["next"]}
    assert seen == made[::-1]
    assert page["next"] is None


@pytest.mark.parametrize(
    "asked", [{"status": "many"}, {"limit": 0}, {"cursor": "x"}, {"since": "never"}, {"methd": "GET"}]
)
def test_what_can_not_be_asked_for_is_refused(client: Client, asked: dict[str, Any]) -> None:
    answer = client.get("/_emulator/requests", params=asked)
    assert answer.status_code == 400
    assert next(iter(asked)) in answer.json()["message"]


def test_an_account_sees_no_other_accounts_requests(client: Client, server_url: str) -> None:
    answer = client.get("/v3/domains")
    other = Account(**plain.post(f"{server_url}/_emulator/accounts").json())
    with Client(base_url=server_url, auth=("api", other.api_key)) as theirs:
        assert journal(theirs) == []
        refused = theirs.get(f"/_emulator/requests/{answer.headers[ID]}")
        assert refused.status_code == 404
        assert refused.json()["message"].startswith(
            f"No request {answer.headers[ID]} of this account is kept"
        )
        assert theirs.delete("/_emulator/requests").json() == {"message": "0 requests deleted", "deleted": 0}
    assert len(journal(client)) == 1


def test_a_request_of_nobody_is_found_by_its_number_and_with_the_default_accounts(client: Client) -> None:
    with Emulator(strict=True) as server:
        unknown = plain.get(f"{server.url}/v3/domains", auth=("api", "wrong"))
        told = plain.get(f"{server.url}/_emulator/requests").json()["items"]
        assert [(each["id"], each["status"], each["account"]) for each in told] == [
            (int(unknown.headers[ID]), 401, None)
        ]
        assert told[0]["hints"] == ["No account has this key"]
        account = plain.post(f"{server.url}/_emulator/accounts").json()["id"]
        path = f"{server.url}/_emulator/requests"
        assert plain.get(path, params={"account": account}).json()["items"] == []
        assert plain.get(f"{path}/{unknown.headers[ID]}", params={"account": account}).status_code == 200


def test_a_refused_key_is_its_accounts_own_matter(client: Client, server_url: str, account: Account) -> None:
    made = client.post("/v1/keys", data={"role": "basic", "kind": "user"}).json()["key"]
    client.delete(f"/v1/keys/{made['id']}")
    plain.get(f"{server_url}/v3/domains", auth=("api", made["secret"]))
    (refused,) = journal(client, status="401")
    assert refused["account"] == account.id
    assert refused["hints"] == ["This key was deleted"]


def test_an_accounts_requests_are_forgotten_with_all_else(client: Client, account: Account) -> None:
    client.get("/v3/domains")
    assert client.delete("/_emulator/requests").json() == {"message": "1 request deleted", "deleted": 1}
    assert journal(client) == []
    client.get("/v3/domains")
    assert client.post(f"/_emulator/accounts/{account.id}/reset").status_code == 200
    assert journal(client) == []


def test_only_the_last_are_kept() -> None:
    with Emulator(journal=3) as server:
        numbers = [
            int(plain.get(f"{server.url}/v3/domains", auth=("api", "k")).headers[ID]) for _ in range(5)
        ]
        path = f"{server.url}/_emulator/requests"
        assert [each["id"] for each in plain.get(path).json()["items"]] == numbers[:1:-1]
        gone = plain.get(f"{path}/{numbers[0]}")
        assert gone.json() == {
            "message": f"No request {numbers[0]} of this account is kept: the last 3 are, unless they were forgotten"
        }
        assert plain.post(f"{server.url}/_emulator/reset").status_code == 200
        assert plain.get(path).json()["items"] == []


def test_no_more_is_kept_than_fits() -> None:
    with Emulator() as server, httpx2.Client(verify=False, base_url=server.url, auth=("api", "k")) as client:
        for _ in range(80):
            client.post("/v3/mg.example.com/messages", data={**MESSAGE, "text": "x" * 300_000})
        kept = client.get("/_emulator/requests", params={"limit": 1000}).json()["items"]
        assert len(kept) == 16_000_000 // 257_400


def test_without_a_journal_there_is_nothing_to_tell() -> None:
    with Emulator(journal=0) as server:
        answer = plain.get(f"{server.url}/v3/domains")
        assert ID not in answer.headers
        assert "No Authorization header" in answer.headers["X-Mailgun-Emulator-Hint"]
        assert plain.get(f"{server.url}/_emulator/requests").json() == {"items": [], "next": None}
        gone = plain.get(f"{server.url}/_emulator/requests/1")
        assert gone.json() == {"message": "No requests are kept: the emulator was started with --journal 0"}


def test_who_leaves_in_the_middle_of_a_request_is_not_answered_and_nothing_is_logged_as_broken(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with serving() as server:
        address = urlsplit(server.url)
        for path in ("/v3/mg.example.com/bounces", "/v3/mg.example.com/messages"):
            with socket.create_connection((address.hostname, address.port)) as leaving:
                leaving.sendall(f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc".encode())
        while not (told := plain.get(f"{server.url}/_emulator/requests").json()["items"]):
            pass
    assert (told[0]["path"], told[0]["status"]) == ("/v3/mg.example.com/bounces", 0)
    assert "Traceback" not in capfd.readouterr().err
