import threading
from typing import Any

import pytest
from tests.conftest import Account, Client
from tests.receiver import Receiver

PATH = "/_emulator/webhooks/deliveries"
WAIT = f"{PATH}/wait"


@pytest.fixture
def hooked(client: Client, account: Account, receiver: Receiver) -> Receiver:
    for event, path in (("delivered", "/hooks/ok"), ("permanent_fail", "/hooks/bad")):
        fields = {"id": event, "url": receiver.url(path)}
        assert client.post(f"/v3/domains/{account.domain}/webhooks", data=fields).status_code == 200
    return receiver


def send(client: Client, account: Account, to: str) -> str:
    fields = {"from": "a@x.com", "to": to, "text": "hi"}
    return str(client.post(f"/v3/{account.domain}/messages", data=fields).json()["id"])


def test_a_post_is_told_as_soon_as_it_was_made(
    server_url: str, client: Client, account: Account, hooked: Receiver
) -> None:
    answers: list[Any] = []
    with Client(base_url=server_url, auth=("api", account.api_key)) as other:
        asked: dict[str, Any] = {"event": "delivered", "recipient": "Ann@example.com", "timeout": 20}
        waiting = threading.Thread(target=lambda: answers.append(other.get(WAIT, params=asked, timeout=30)))
        waiting.start()
        with hooked.holding("/hooks/ok"):
            message_id = send(client, account, "ann@example.com")
            hooked.wait_for(1)
            early = client.get(WAIT, params={"timeout": 0})
        waiting.join(20)
    (item,) = answers[0].json()["items"]
    assert item == client.get(PATH).json()["items"][0]
    assert (item["message_id"], item["status"], item["attempts"]) == (message_id.strip("<>"), 200, 1)
    assert early.status_code == 404
    assert [each["difference"] for each in early.json()["there"]] == ["posted: 'no' instead of 'yes'"]


def test_posts_are_waited_for_by_what_they_tell(client: Client, account: Account, hooked: Receiver) -> None:
    hooked.answer("/hooks/bad", 500)
    ids = [send(client, account, to) for to in ("ann@example.com", "bounce@example.com")]
    client.drain()

    def whom(**asked: Any) -> list[str]:
        answer = client.get(WAIT, params={"timeout": 0, **asked})
        return [item["recipient"] for item in answer.json().get("items", ())]

    assert whom(count=2) == ["bounce@example.com", "ann@example.com"]
    assert whom() == ["bounce@example.com"]
    assert whom(url=hooked.url("/hooks/ok")) == ["ann@example.com"]
    assert whom(url="*/hooks/*", count=2) == ["bounce@example.com", "ann@example.com"]
    assert whom(message_id=ids[0]) == whom(**{"message-id": ids[0]}) == ["ann@example.com"]
    assert whom(state="pending") == ["bounce@example.com"]
    assert whom(event="permanent_fail", domain=account.domain) == ["bounce@example.com"]
    assert whom(account=client.post("/_emulator/accounts").json()["id"]) == []
    assert [item["recipient"] for item in client.get(PATH, params={"url": "*/ok"}).json()["items"]] == [
        "ann@example.com"
    ]


def test_the_time_is_over_with_the_posts_there_were(
    client: Client, account: Account, hooked: Receiver
) -> None:
    send(client, account, "ann@example.com")
    client.drain()
    answer = client.get(WAIT, params={"event": "opened", "recipient": "ann@example.com", "timeout": 0.01})
    assert answer.status_code == 404
    told = answer.json()
    assert told["message"] == (
        "No opened webhook post about ann@example.com came within 0.01 s. "
        f"The nearest is delivered of ann@example.com to {hooked.url('/hooks/ok')} – "
        "event: 'delivered' instead of 'opened'."
    )
    assert (told["looked_for"], told["total"]) == ({"event": "opened", "recipient": "ann@example.com"}, 1)
    assert told["there"][0]["difference"] == "event: 'delivered' instead of 'opened'"
    assert client.get(WAIT, params={"count": 2, "timeout": 0}).json()["message"].startswith("Only 1 of 2 ")


def test_no_webhook_at_all_is_said(client: Client) -> None:
    told = client.get(WAIT, params={"timeout": 0}).json()
    assert told["message"] == (
        "No webhook post came within 0 s. None was to be made: nothing happened yet that a webhook is set up for."
    )


def test_what_makes_no_sense_is_refused(client: Client) -> None:
    for asked in ({"timeout": 301}, {"timeout": -1}, {"count": 0}, {"state": "lost"}):
        assert client.get(WAIT, params=asked).status_code == 400
    for path in (PATH, WAIT):
        answer = client.get(path, params={"to": "ann@example.com"})
        assert answer.status_code == 400
        assert "to is not known here; possible are event, url, domain, recipient" in answer.json()["message"]


def test_in_a_url_nothing_but_the_asterisk_is_special(
    client: Client, account: Account, receiver: Receiver
) -> None:
    fields = {"id": "accepted", "url": receiver.url("/hooks/[1]?a=b")}
    assert client.post(f"/v3/domains/{account.domain}/webhooks", data=fields).status_code == 200
    send(client, account, "ann@example.com")
    client.drain()
    counts = [
        len(client.get(PATH, params={"url": url}).json()["items"]) for url in ("*/[1]?a=*", "*/[1]?a?b*")
    ]
    assert counts == [1, 0]
