from typing import Any

import pytest
from tests import plain
from tests.api.answers import refused
from tests.api.placed import HTML, advance, counts, result, run, seed_list
from tests.conftest import Account, Client

from mailgun_emulator.mail.spam import GTUBE
from mailgun_emulator.testing import Emulator

NOT_FOUND = {"message": "result not found"}


def placed(client: Client, account: Account, **fields: Any) -> dict[str, Any]:
    """What comes of a test with three seeds each at Gmail and GMX."""
    seed_list(client)
    result_id = run(client, account, seed_list="Few", **fields)
    advance(client, "10m")
    return result(client, result_id)


def test_a_test_is_mail_like_any_other(client: Client, account: Account) -> None:
    address = seed_list(client)["target_email"]
    result_id = run(client, account, seed_list="Few")
    told = result(client, result_id)
    assert (told["status"], counts(told["delivery_stats"]["all"])) == ("processing", (0, 0, 0, 6))
    items = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    recipients = {each["recipient"] for each in items}
    assert recipients == {address, *(each["email"] for each in told["seed_results"])}
    metrics = {"metrics": ["accepted_count"], "dimensions": ["time"], "include_aggregates": True}
    counted = client.post("/v1/analytics/metrics", json=metrics).json()
    assert counted["aggregates"]["metrics"] == {"accepted_count": 7}
    assert client.get("/_emulator/messages").json()["total"] == 7
    advance(client, "6m")
    told = result(client, result_id)
    assert (told["status"], counts(told["delivery_stats"]["all"])) == ("complete", (6, 0, 0, 0))
    assert {name: counts(each) for name, each in told["delivery_stats"].items()} == {
        "all": (6, 0, 0, 0), "gmail.com": (3, 0, 0, 0), "gmx.de": (3, 0, 0, 0),
    }  # fmt: skip


def test_seeds_are_called_by_their_names(client: Client, account: Account) -> None:
    seed_list(client, provider_filter="gmail.com", max_seeds_per_provider="1")
    email = result(client, run(client, account, seed_list="Few"))["seed_results"][0]["email"]
    latest = client.get("/_emulator/messages/wait", params={"to": email}).json()["items"][0]
    assert f"Hello {email.partition('.')[0].title()}, this is" in latest["html"]


def test_a_result_tells_all_of_a_test(client: Client, account: Account) -> None:
    told = placed(client, account, headers={"X-One": "1"})
    assert told["sender"] == f"Ann <ann@{account.domain}>"
    assert (told["subject"], told["seedlist_name"], told["is_spoofing"]) == ("Hello", "Few", False)
    assert told["keybox_email"] == told["Box"]["target_email"]
    assert told["Box"]["has_results"] is True
    assert told["spamassassin"] == {
        "is_spam": False,
        "score": 0.5,
        "required": 5.0,
        "rules": [
            {
                "name": "MIME_HTML_ONLY",
                "points": 0.5,
                "short_description": "HTML without text",
                "long_description": "There is no text for those who see no HTML.",
            }
        ],
    }
    seed = told["seed_results"][0]
    assert (seed["provider"], seed["state"], seed["destination"]) == ("gmail.com", "delivered", "inbox")
    assert (seed["spf"], seed["dkim"], seed["dmarc"]) == ("pass", "pass", "pass")
    assert seed["extensions"] == {"category": "primary"}
    assert told["created_at"] <= seed["delivered_at"] < seed["received_at"] <= told["updated_at"]
    event = client.get(
        f"/v3/{account.domain}/events", params={"recipient": seed["email"], "event": "delivered"}
    )
    assert seed["originating_ip"] == event.json()["items"][0]["envelope"]["sending-ip"]
    headers = {each["key"]: each["value"] for each in seed["headers"]}
    assert headers["To"] == seed["email"]
    assert headers["Authentication-Results"] == "mx.gmail.com; spf=pass; dkim=pass; dmarc=pass"


def test_only_an_author_at_an_unrelated_domain_is_spoofing(client: Client, account: Account) -> None:
    seed_list(client, provider_filter="gmail.com", max_seeds_per_provider="1")
    parent = account.domain.partition(".")[2]
    domains = {"example.org": True, parent: False, f"a.{account.domain}": False, f"x{account.domain}": True}
    for domain, spoofs in domains.items():
        asked = {"from": f"Ann <ann@{domain}>", "domain": account.domain, "seed_list": "Few"}
        assert result(client, run(client, account, **asked))["is_spoofing"] is spoofs


def test_what_looks_like_spam_ends_up_there(client: Client, account: Account) -> None:
    told = placed(client, account, html=f"<p>{GTUBE}</p>")
    assert counts(told["delivery_stats"]["all"]) == (0, 6, 0, 0)
    assert told["spamassassin"]["is_spam"] is True
    assert {each["destination"] for each in told["seed_results"]} == {"spam"}


def test_providers_differ(client: Client, account: Account) -> None:
    told = placed(client, account, html='<p>Act now</p><img src="https://x.com/a.png">', subject="Hi!!")
    assert counts(told["delivery_stats"]["gmail.com"]) == (0, 3, 0, 0)
    assert counts(told["delivery_stats"]["gmx.de"]) == (3, 0, 0, 0)


def test_without_dns_records_it_ends_up_in_spam(client: Client, account: Account) -> None:
    client.put(f"/_emulator/domains/{account.domain}/dns", json={"spf": "missing", "dkim": "wrong"})
    told = placed(client, account)
    seed = told["seed_results"][0]
    assert (seed["spf"], seed["dkim"], seed["dmarc"], seed["destination"]) == ("none", "fail", "fail", "spam")
    assert {"SPF_FAIL", "DKIM_FAIL", "DMARC_FAIL"} < {each["name"] for each in told["spamassassin"]["rules"]}


def test_what_fails_is_missing_and_what_is_tried_again_is_waited_for(
    client: Client, account: Account
) -> None:
    seeds = seed_list(client)["mailing_list"].split(",")[1:]
    client.post(f"/v3/{account.domain}/unsubscribes", data={"address": seeds[0]})
    client.post("/_emulator/outcomes", json={"match": {"recipient": seeds[1]}, "code": 550})
    client.post("/_emulator/outcomes", json={"match": {"recipient": "*@gmx.de"}, "code": 450, "attempts": 2})
    result_id = run(client, account, seed_list="Few")
    advance(client, "8m")
    assert counts(result(client, result_id)["delivery_stats"]["all"]) == (1, 0, 2, 3)
    assert result(client, result_id)["status"] == "processing"
    advance(client, "1h")
    told = result(client, result_id)
    assert (told["status"], counts(told["delivery_stats"]["all"])) == ("complete", (4, 0, 2, 0))
    assert {each["email"] for each in told["seed_results"] if each["state"] == "missing"} == set(seeds[:2])


def test_what_never_comes_is_missing_in_the_end(client: Client, account: Account) -> None:
    seed_list(client)
    client.post("/_emulator/outcomes", json={"match": {"recipient": "*@gmx.de"}, "delay": "24h"})
    result_id = run(client, account, seed_list="Few")
    advance(client, "25h")
    told = result(client, result_id)
    assert (told["status"], counts(told["delivery_stats"]["all"])) == ("complete", (3, 0, 3, 0))


def test_ordinary_mail_to_the_target_is_a_test(client: Client, account: Account) -> None:
    made = seed_list(client)
    mail = {
        "from": f"Ann <ann@{account.domain}>",
        "to": made["mailing_list"],
        "subject": "Campaign",
        "text": "Hi",
    }
    assert client.post(f"/v3/{account.domain}/messages", data={**mail, "o:tag": "spring"}).status_code == 200
    advance(client, "10m")
    (told,) = client.get("/v4/inbox/results").json()["items"]
    assert (told["subject"], told["status"]) == ("Campaign", "complete")
    assert counts(told["delivery_stats"]["all"]) == (6, 0, 0, 0)
    assert told["seed_results"][0]["tags"] == ["spring"]
    without = made["mailing_list"].partition(",")[2]
    client.post(f"/v3/{account.domain}/messages", data={**mail, "to": without})
    client.drain()
    assert client.get("/v4/inbox/results").json()["total"] == 1


def test_a_batch_to_a_part_of_the_seeds_is_one_test_of_these(client: Client, account: Account) -> None:
    target, first, *_ = seed_list(client)["mailing_list"].split(",")
    batch = {"from": f"ann@{account.domain}", "to": [first, target], "subject": "Hi", "text": "Hi"}
    client.post(f"/v3/{account.domain}/messages", data={**batch, "recipient-variables": "{}"})
    advance(client, "10m")
    (told,) = client.get("/v4/inbox/results").json()["items"]
    assert [each["email"] for each in told["seed_results"]] == [first]


def test_mail_from_elsewhere_is_no_test_of_a_list_with_sending_domains(
    client: Client, account: Account
) -> None:
    address = seed_list(client, sending_domains="other.example")["target_email"]
    mail = {"from": f"ann@{account.domain}", "to": address, "subject": "Hi", "text": "Hi"}
    client.post(f"/v3/{account.domain}/messages", data=mail)
    client.drain()
    assert client.get("/v4/inbox/results").json()["items"] == []


def test_results_outlive_the_events_they_come_from() -> None:
    with Emulator(event_retention=1) as server:
        account = Account(**plain.post(f"{server.url}/_emulator/accounts").json())
        with Client(base_url=server.url, auth=("api", account.api_key)) as client:
            result_id = run(client, account, provider_filter=["gmail.com"])
            advance(client, "10m")
            before = result(client, result_id)
            advance(client, "40d")
            events = client.get(f"/v3/{account.domain}/events", params={"begin": "0", "ascending": "yes"})
            assert events.json()["items"] == []
            assert result(client, result_id) == before


def test_results_are_filtered(client: Client, account: Account) -> None:
    address = seed_list(client, provider_filter="gmail.com")["target_email"]
    first = run(client, account, seed_list=address, subject="Spring sale")
    advance(client, "1h")
    second = run(client, account, subject="Autumn", **{"from": f"bob@{account.domain}"})

    def found(**asked: str) -> list[str]:
        items = client.get("/v4/inbox/results", params=asked).json()["items"]
        return [each["result_id"] for each in items]

    assert found() == [second, first]
    assert found(ascending="true") == [first, second]
    assert found(subject="spring") == [first]
    assert found(sender="bob") == found(senderaddr="BOB@") == [second]
    assert found(target_email=address) == [first]
    assert found(provider="gmx.de") == found(provider="GMX") == [second]
    assert found(time_before=result(client, second)["created_at"]) == [first]
    assert found(limit="1", offset="1", sort="subject") == [second]
    refused(client.get("/v4/inbox/results?sort=x"), 400, {"message": "Invalid parameter: sort is invalid"})


def test_one_provider_is_told_of_alone(client: Client, account: Account) -> None:
    seed_list(client)
    result_id = run(client, account, seed_list="Few")
    told = result(client, result_id, provider="gmx.de")
    assert {each["provider"] for each in told["seed_results"]} == {"gmx.de"}
    assert set(told["delivery_stats"]) == {"all", "gmx.de"}
    assert told["delivery_stats"]["all"]["total"] == 3


def test_attributes_and_filters_tell_what_can_be_asked_for(client: Client, account: Account) -> None:
    address = seed_list(client)["target_email"]
    run(client, account, seed_list="Few")
    available = ["senderaddr", "subject", "provider", "target_email"]
    assert client.get("/v4/inbox/results/a").json() == {
        "items": {"attribute": "available attributes", "values": available}
    }
    values = {
        "senderaddr": [f"Ann <ann@{account.domain}>"],
        "subject": ["Hello"],
        "provider": ["gmail.com", "gmx.de"],
        "target_email": [address],
    }
    for name in available:
        told = client.get(f"/v4/inbox/results/a/{name}").json()
        assert told == {"items": {"attribute": name, "values": values[name]}}
    refused(client.get("/v4/inbox/results/a/size"), 404, {"message": "attribute not found"})
    filters = client.get("/v4/inbox/results/_filters").json()["supported_filters"]["filters"]
    assert [each["parameter"] for each in filters] == [*available, "time_before", "time_after"]


def test_a_deleted_result_is_gone(client: Client, account: Account) -> None:
    result_id = run(client, account)
    deleted = client.delete(f"/v4/inbox/results/{result_id}")
    assert (deleted.status_code, deleted.json()) == (200, {"message": "deleted"})
    refused(client.get(f"/v4/inbox/results/{result_id}"), 404, NOT_FOUND)
    refused(client.delete(f"/v4/inbox/results/{result_id}"), 404, NOT_FOUND)
    advance(client, "10m")
    assert client.get("/v4/inbox/results").json()["items"] == []


def test_a_shared_result_is_there_for_everybody_until_it_expires(client: Client, account: Account) -> None:
    result_id = run(client, account)
    path = f"/v4/inbox/sharing/{result_id}"
    private = client.get(path).json()["sharing"]
    assert private == {
        "result_id": result_id, "expires_at": "0001-01-01T00:00:00Z", "enabled": False, "url_id": "", "url": "",
        "api_url": "",
    }  # fmt: skip
    shared = client.put(path, params={"enabled": "true"}).json()["sharing"]
    assert client.get(path).json()["sharing"] == shared
    told = result(client, result_id)
    assert (told["sharing_enabled"], told["sharing_id"]) == (True, shared["url_id"])
    assert plain.get(shared["api_url"]).json()["result"] == told
    page = plain.get(shared["url"])
    assert page.headers["Content-Type"].startswith("text/html")
    assert b"Hello" in page.content
    assert client.put(path, data={"enabled": "true"}).json()["sharing"]["url"] != shared["url"]
    assert plain.get(shared["api_url"]).status_code == 404
    again = client.get(path).json()["sharing"]["api_url"]
    advance(client, "31d")
    refused(plain.get(again), 404, NOT_FOUND)


def test_a_result_is_shared_no_longer(client: Client, account: Account) -> None:
    path = f"/v4/inbox/sharing/{run(client, account)}"
    shared = client.put(path, params={"enabled": "yes"}).json()["sharing"]
    ended = client.put(path, params={"enabled": "no"}).json()["sharing"]
    assert (ended["enabled"], ended["url"], ended["api_url"]) == (False, "", "")
    refused(plain.get(shared["api_url"]), 404, NOT_FOUND)
    refused(plain.get(shared["url"]), 404, NOT_FOUND)
    refused(client.put(path), 400, {"message": "Missing mandatory parameter: enabled"})


@pytest.mark.parametrize("method", ["get", "put"])
def test_what_is_not_there_is_not_shared(client: Client, method: str) -> None:
    refused(client.request(method, "/v4/inbox/sharing/nothing", params={"enabled": "true"}), 404, NOT_FOUND)


def test_accounts_do_not_see_each_others_results(client: Client, account: Account) -> None:
    result_id = run(client, account, html=HTML)
    auth = ("api", client.post("/_emulator/accounts").json()["api_key"])
    refused(client.get(f"/v4/inbox/results/{result_id}", auth=auth), 404, NOT_FOUND)
    assert client.get("/v4/inbox/results", auth=auth).json()["items"] == []
