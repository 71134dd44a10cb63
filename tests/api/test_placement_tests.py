from typing import Any

import pytest
from tests import plain
from tests.api.answers import refused
from tests.api.placed import advance, counts, result, run, seed_list
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

NOT_FOUND = {"message": "test not found"}


def usage(client: Client) -> int:
    asked = {"metrics": ["seed_test_count"], "dimensions": ["time"], "include_aggregates": True}
    told = client.post("/v1/analytics/usage/metrics", json=asked).json()
    return int(told["aggregates"]["metrics"]["seed_test_count"])


def test_a_test_is_started_and_says_where_its_result_will_be(client: Client, account: Account) -> None:
    test = {"from": f"Ann <ann@{account.domain}>", "subject": "Hi", "html": "<p>Hi</p>"}
    started = client.post("/v4/inbox/tests", data={**test, "max_seeds_per_provider": "1"})
    assert started.status_code == 200
    told = started.json()
    assert (told["tid"], told["status"]) == (told["result_id"], "processing")
    assert told["links"]["results"].endswith(f"/v4/inbox/results/{told['result_id']}")
    found = client.get(told["links"]["results"]).json()["result"]
    assert found["seedlist_name"] == "Auto generated seed list"
    assert found["Box"]["is_auto_generated"] is True
    assert len(found["seed_results"]) == 12
    target, *seeds = told["mailing_list"].split(",")
    assert (target, set(seeds)) == (found["keybox_email"], {each["email"] for each in found["seed_results"]})
    assert usage(client) == 1
    run(client, account)
    assert client.get("/v4/inbox/seedlists").json()["total"] == 1
    assert usage(client) == 2


def test_html_and_templates_take_variables(client: Client, account: Account) -> None:
    client.post(
        f"/v3/{account.domain}/templates", data={"name": "hi", "template": "<p>Dear {{who}}, {{what}}</p>"}
    )
    variables = {"who": "%recipient.first_name%", "what": "hello"}
    few = {"provider_filter": ["gmail.com"], "max_seeds_per_provider": 1}
    for content in ({"template_name": "Hi"}, {"html": "<p>Dear {{who}}, {{what}}</p>"}):
        found = result(client, run(client, account, **{"html": "", **content}, **few, variables=variables))
        email = found["seed_results"][0]["email"]
        latest = client.get("/_emulator/messages/wait", params={"to": email}).json()["items"][0]
        assert f"Dear {email.partition('.')[0].title()}, hello" in latest["html"]


def test_a_test_is_sent_by_the_ip_or_the_pool_that_is_asked_for(client: Client, account: Account) -> None:
    for _ in range(2):
        client.post("/v3/ips/request/new")
    one, two = client.get("/v3/ips", params={"dedicated": "true"}).json()["items"]
    pool = client.post("/v3/ip_pools", data={"name": "News", "description": "", "ip": two}).json()["pool_id"]
    seed_list(client)
    for asked, ip in (({"sending_ip": one}, one), ({"sending_ip_pool_id": pool}, two)):
        result_id = run(client, account, seed_list="Few", **asked)
        advance(client, "10m")
        assert {each["originating_ip"] for each in result(client, result_id)["seed_results"]} == {ip}


def test_older_clients_read_tests(client: Client, account: Account) -> None:
    test = {
        "domain": account.domain,
        "from": f"user@{account.domain}",
        "subject": "testSubject",
        "html": "<p>x</p>",
    }
    tid = client.post("/v3/inbox/tests", data=test).json()["tid"]
    told = client.get(f"/v3/inbox/tests/{tid}").json()
    assert (told["tid"], told["status"], told["subject"]) == (tid, "processing", "testSubject")
    assert (told["from"], told["domain"]) == (test["from"], account.domain)
    advance(client, "10m")
    for version in ("v3", "v4"):
        path = f"/{version}/inbox/tests"
        assert client.get(f"{path}/{tid}").json()["status"] == "complete"
        refused(client.get(f"{path}?limit=x"), 400, {"message": "Invalid parameter: limit is invalid"})
        listed = client.get(path).json()
        assert ([each["tid"] for each in listed["tests"]], listed["status"]) == ([tid], "complete")
        counters = client.get(f"{path}/{tid}/counters").json()
        assert counts(counters["counters"]["all"]) == (36, 0, 0, 0)
        assert counts(counters["counters"]["gmail.com"]) == (3, 0, 0, 0)
        checks = client.get(f"{path}/{tid}/checks").json()["checks"]
        assert len(checks) == 36
        one = client.get(f"{path}/{tid}/checks/{checks[0]['email']}").json()
        assert (one["check"], one["status"]) == (checks[0], "complete")
    assert client.delete(f"/v3/inbox/tests/{tid}").json() == {"message": "deleted"}
    refused(client.get(f"/v4/inbox/results/{tid}"), 404, {"message": "result not found"})
    assert client.get("/v4/inbox/tests").json()["total"] == 0
    other = client.post("/v4/inbox/tests", data=test).json()["tid"]
    assert client.delete(f"/v4/inbox/tests/{other}").json() == {"message": "deleted"}
    refused(client.get(f"/v3/inbox/tests/{other}"), 404, NOT_FOUND)
    refused(client.post("/v3/inbox/tests"), 400, {"message": "Missing mandatory parameter: from"})


WRONG: list[tuple[dict[str, Any], int, str]] = [
    ({"from": ""}, 400, "Invalid parameter: from is invalid"),
    ({"subject": ""}, 400, "Invalid parameter: subject is invalid"),
    ({"from": "nobody"}, 400, "from parameter is not a valid address. please check documentation"),
    ({"html": ""}, 400, "Either 'html' or 'template_name' field should be provided"),
    ({"html": "", "template_name": "none"}, 404, "template not found"),
    ({"html": "{{#if}}", "variables": {"a": 1}}, 400, "html can't be rendered: "),
    ({"variables": "[1]"}, 400, "Invalid parameter: variables is invalid"),
    ({"headers": "{"}, 400, "Invalid parameter: headers is invalid"),
    ({"seed_list": "none"}, 404, "seed list not found"),
    ({"provider_filter": ["nowhere.example"]}, 400, "provider 'nowhere.example' is not supported"),
    ({"seed_list": "Few", "provider_filter": ["aol.com"]}, 400, "no seeds match the given filters"),
    ({"sending_ip": "203.0.113.7", "seed_list": "Few"}, 403, "Rejected: IP 203.0.113.7 can't be used to send"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "status", "message"), WRONG)
def test_a_wrong_test_is_refused_and_sends_nothing(
    client: Client, account: Account, fields: dict[str, Any], status: int, message: str
) -> None:
    seed_list(client)
    test = {"from": f"ann@{account.domain}", "subject": "Hi", "html": "<p>Hi</p>", **fields}
    answer = client.post("/v4/inbox/tests", json=test)
    assert (answer.status_code, answer.json()["message"][: len(message)]) == (status, message)
    assert client.get(f"/v3/{account.domain}/events").json()["items"] == []
    assert client.get("/v4/inbox/seedlists").json()["total"] == 1
    assert usage(client) == 0


def test_what_is_missing_is_named(client: Client) -> None:
    refused(client.post("/v4/inbox/tests", json={}), 400, {"message": "Missing mandatory parameter: from"})


def test_a_list_takes_mail_from_its_sending_domains_only(client: Client, account: Account) -> None:
    seed_list(client, sending_domains="other.example")
    test = {"from": f"ann@{account.domain}", "subject": "Hi", "html": "<p>Hi</p>", "seed_list": "Few"}
    message = f"{account.domain} is not a sending domain of the seed list"
    refused(client.post("/v4/inbox/tests", json=test), 400, {"message": message})


@pytest.mark.parametrize("path", ["", "/counters", "/checks", "/checks/a@gmail.com"])
def test_what_is_not_there_is_not_found(client: Client, path: str) -> None:
    for version in ("v3", "v4"):
        refused(client.get(f"/{version}/inbox/tests/nothing{path}"), 404, NOT_FOUND)
        refused(client.delete(f"/{version}/inbox/tests/nothing"), 404, NOT_FOUND)


def test_only_seeds_have_checks(client: Client, account: Account) -> None:
    path = f"/v4/inbox/tests/{run(client, account)}/checks/bob@gmail.com"
    refused(client.get(path), 404, {"message": "check not found"})


def test_a_wrong_page_is_refused(client: Client) -> None:
    refused(client.get("/v4/inbox/tests?limit=x"), 400, {"message": "Invalid parameter: limit is invalid"})


def test_a_limit_ends_tests_but_not_mail(client: Client, account: Account) -> None:
    limit = {"name": "one", "metric": "seed_test_count", "comparator": ">=", "limit": "1"}
    client.post("/v1/thresholds/limits", json={**limit, "dimension": "subaccount", "period": "1d"})
    made = seed_list(client)
    deleted = run(client, account)
    client.delete(f"/v4/inbox/results/{deleted}")
    automatic = client.get("/v4/inbox/seedlists", params={"name": "auto"}).json()["items"][0]["target_email"]
    client.delete(f"/v4/inbox/seedlists/{automatic}")
    test = {"from": f"ann@{account.domain}", "subject": "Hi", "html": "<p>Hi</p>"}
    assert client.post("/v4/inbox/tests", json=test).status_code == 403
    mail = {"from": f"ann@{account.domain}", "to": made["target_email"], "subject": "Hi", "text": "Hi"}
    assert client.post(f"/v3/{account.domain}/messages", data=mail).status_code == 200
    client.drain()
    assert client.get("/v4/inbox/results").json()["items"] == []
    events = client.get(f"/v3/{account.domain}/events", params={"recipient": made["target_email"]})
    assert {each["event"] for each in events.json()["items"]} == {"accepted", "delivered"}


def test_a_strict_sandbox_sends_no_test_but_tells_of_it() -> None:
    with Emulator(strict=True) as server:
        account = Account(**plain.post(f"{server.url}/_emulator/accounts").json())
        with Client(base_url=server.url, auth=("api", account.api_key)) as client:
            domains = client.get("/v4/domains").json()["items"]
            sandbox = next(each["name"] for each in domains if each["type"] == "sandbox")
            test = {"from": f"ann@{sandbox}", "subject": "Hi", "html": "<p>Hi</p>"}
            assert client.post("/v4/inbox/tests", json=test).status_code == 403
            assert client.get("/v4/inbox/results").json()["items"] == []
            (event,) = client.get(f"/v3/{sandbox}/events").json()["items"]
            assert event["event"] == "rejected"


def test_a_parent_may_keep_a_subaccount_from_tests_and_previews(client: Client) -> None:
    made = client.post("/v5/accounts/subaccounts", data={"name": "Sub"}).json()["subaccount"]["id"]
    disabled = dict.fromkeys(("inbox_placement", "email_preview"), '{"enabled": false}')
    assert client.put(f"/v5/accounts/subaccounts/{made}/features", data=disabled).status_code == 200
    sub = {"X-Mailgun-On-Behalf-Of": made}
    sandbox = client.get("/v4/domains", headers=sub).json()["items"][0]["name"]
    test = {"from": f"ann@{sandbox}", "subject": "Hi", "html": "<p>Hi</p>"}
    for path in ("/v4/inbox/seedlists", "/v4/inbox/tests", "/v1/preview/tests"):
        refused(client.post(path, json=test, headers=sub), 403, {"message": "Forbidden"})
    assert client.get(f"/v3/{sandbox}/events", headers=sub).json()["items"] == []


def test_what_is_larger_than_a_message_may_be_is_refused(client: Client, account: Account) -> None:
    test = {"from": f"ann@{account.domain}", "subject": "Hi", "html": "x" * 25_000_001}
    refused(client.post("/v4/inbox/tests", json=test), 400, {"message": "Invalid parameter: html is invalid"})
    assert client.get("/v4/inbox/results").json()["items"] == []
