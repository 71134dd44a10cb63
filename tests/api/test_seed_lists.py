import re

import pytest
from tests.api.answers import refused
from tests.api.placed import advance, counts, result, run, seed_list
from tests.conftest import Account, Client

NEVER = "0001-01-01T00:00:00Z"
NOT_FOUND = {"message": "seed list not found"}


def get(client: Client, address: str) -> dict[str, object]:
    return dict(client.get(f"/v4/inbox/seedlists/{address}").json()["seedlist"])


def test_a_seed_list_has_seeds_at_the_providers_that_are_wanted(client: Client) -> None:
    made = seed_list(client, sending_domains="Example.com", remote_id="r-1", max_seeds_per_provider="2")
    assert re.fullmatch(r"ibp-[0-9a-f-]{36}@ibp\.mailgun\.net", made["target_email"])
    assert re.fullmatch(r"[0-9a-f]{24}", made["kid"])
    target, *seeds = made["mailing_list"].split(",")
    assert target == made["target_email"]
    assert [seed.rpartition("@")[2] for seed in seeds] == ["gmail.com", "gmail.com", "gmx.de", "gmx.de"]
    assert made["created_at"] == made["updated_at"] != NEVER
    assert made["regen_at"] > made["created_at"]
    empty = {"delivered": 0, "missing": 0, "pending": 0, "spam": 0, "inbox": 0, "total": 0}
    told = {
        "last_result_at": NEVER,
        "sending_domains": ["example.com"],
        "has_results": False,
        "name": "Few",
        "seed_filter": ".*",
        "provider_filter": ["gmail.com", "gmx.de"],
        "previous_mailing_list": "",
        "tags": {"sfmc_remote_id": "r-1"},
        "delivery_stats": {"all": {**empty, "provider": "all", "categories": {}}},
        "is_auto_generated": False,
        "version": 2,
        "Seeds": None,
        "regen_needed": False,
        "max_seeds_per_provider": 2,
        "results": [],
    }
    assert {name: made[name] for name in told} == told
    assert get(client, made["target_email"]) == made


def test_a_filter_is_a_regular_expression_for_addresses(client: Client) -> None:
    seeds = seed_list(client, provider_filter="", seed_filter=r"@(aol|yahoo)\.com$")["mailing_list"].split(
        ","
    )[1:]
    assert {seed.rpartition("@")[2] for seed in seeds} == {"aol.com", "yahoo.com"}


def test_a_list_is_changed_and_keeps_its_seeds_unless_other_ones_are_asked_for(client: Client) -> None:
    made = seed_list(client)
    path = f"/v4/inbox/seedlists/{made['target_email']}"
    named = client.put(path, data={"name": "Other"}).json()
    assert (named["name"], named["mailing_list"]) == ("Other", made["mailing_list"])
    assert named["provider_filter"] == ["gmail.com", "gmx.de"]
    renewed = client.put(path, data={"regen": "true"}).json()
    assert renewed["mailing_list"] != made["mailing_list"]
    assert renewed["previous_mailing_list"] == made["mailing_list"]
    assert renewed["target_email"] == made["target_email"]
    narrowed = client.put(path, files=[("provider_filter", (None, "gmail.com"))]).json()
    assert "gmx.de" not in narrowed["mailing_list"]
    assert get(client, made["target_email"]) == narrowed
    fewer = client.put(path, data={"max_seeds_per_provider": "1"}).json()
    assert len(fewer["mailing_list"].split(",")) == 2


def test_tests_are_sent_to_the_seeds_that_a_list_has_by_then(client: Client, account: Account) -> None:
    made = seed_list(client)
    changes = {"name": "Gmail", "provider_filter": "gmail.com", "max_seeds_per_provider": "2"}
    changed = client.put(f"/v4/inbox/seedlists/{made['target_email']}", data=changes).json()
    told = result(client, run(client, account, seed_list="Gmail"))
    seeds = changed["mailing_list"].split(",")[1:]
    assert (told["seedlist_name"], len(seeds)) == ("Gmail", 2)
    assert [each["email"] for each in told["seed_results"]] == seeds
    client.drain()
    delivered = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"]
    assert {each["recipient"] for each in delivered} == {made["target_email"], *seeds}


def test_null_is_no_filter(client: Client) -> None:
    made = client.post("/v4/inbox/seedlists", json={"provider_filter": None, "sending_domains": None}).json()
    assert (made["provider_filter"], made["sending_domains"]) == ([], [])


def test_old_seeds_had_better_be_renewed(client: Client) -> None:
    address = seed_list(client)["target_email"]
    client.post("/_emulator/clock", json={"advance": "31d"})
    assert get(client, address)["regen_needed"] is True
    client.put(f"/v4/inbox/seedlists/{address}", data={"shuffle": "yes"})
    assert get(client, address)["regen_needed"] is False


def test_lists_are_found_by_name_and_time_and_come_in_pages(client: Client) -> None:
    for name in ("News A", "News B", "Other"):
        seed_list(client, name=name)
        client.post("/_emulator/clock", json={"advance": "1h"})
    everything = client.get("/v4/inbox/seedlists").json()
    assert [each["name"] for each in everything["items"]] == ["Other", "News B", "News A"]
    assert everything["total"] == 3
    found = client.get(
        "/v4/inbox/seedlists", params={"name": "news", "sort": "name", "ascending": "true"}
    ).json()
    assert [each["name"] for each in found["items"]] == ["News A", "News B"]
    last = everything["items"][0]["created_at"]
    assert client.get("/v4/inbox/seedlists", params={"time_before": last}).json()["total"] == 2
    page = client.get("/v4/inbox/seedlists", params={"limit": 2, "name": "e"}).json()
    assert [each["name"] for each in page["items"]] == ["Other", "News B"]
    rest = client.get(page["paging"]["next"]).json()
    assert [each["name"] for each in rest["items"]] == ["News A"]
    assert client.get(page["paging"]["last"]).json()["items"] == rest["items"]
    assert client.get(rest["paging"]["previous"]).json()["items"] == page["items"]
    assert client.get(rest["paging"]["next"]).json()["items"] == []
    cursor = everything["items"][1]["kid"]
    after = client.get("/v4/inbox/seedlists", params={"cursor": cursor}).json()["items"]
    assert [each["name"] for each in after] == ["News A"]


def test_attributes_and_filters_tell_what_can_be_asked_for(client: Client) -> None:
    address = seed_list(client)["target_email"]
    assert client.get("/v4/inbox/seedlists/a").json() == {
        "items": {"attribute": "available attributes", "values": ["name", "target_email"]}
    }
    names = {"items": {"attribute": "name", "values": ["Few"]}}
    assert client.get("/v4/inbox/seedlists/a/name").json() == names
    assert client.get("/v4/inbox/seedlists/a/target_email").json()["items"]["values"] == [address]
    refused(client.get("/v4/inbox/seedlists/a/nothing"), 404, {"message": "attribute not found"})
    assert client.get("/v4/inbox/seedlists/_filters").json() == {
        "supported_filters": {
            "filters": [
                {"parameter": "name", "description": "Get seedlists by name"},
                {"parameter": "time_before", "description": "Get seedlists before date"},
                {"parameter": "time_after", "description": "Get seedlists after date"},
            ]
        }
    }


def test_providers_are_listed(client: Client) -> None:
    first = client.get("/v4/inbox/providers").json()["items"][0]
    assert first == {
        "domain": "gmail.com",
        "display_name": "Gmail",
        "region": "Global",
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
    }


def test_a_deleted_list_takes_its_results_along(client: Client, account: Account) -> None:
    address = seed_list(client)["target_email"]
    result_id = run(client, account, seed_list=address)
    deleted = client.delete(f"/v4/inbox/seedlists/{address}")
    assert (deleted.status_code, deleted.json()) == (200, None)
    refused(client.get(f"/v4/inbox/seedlists/{address}"), 404, NOT_FOUND)
    refused(client.get(f"/v4/inbox/results/{result_id}"), 404, {"message": "result not found"})
    mail = {"from": f"ann@{account.domain}", "to": address, "subject": "Hi", "text": "Hi"}
    assert client.post(f"/v3/{account.domain}/messages", data=mail).status_code == 200
    advance(client, "10m")
    assert client.get("/v4/inbox/results").json()["items"] == [], "it is an address like any other now"


def test_a_list_sums_up_its_tests(client: Client, account: Account) -> None:
    made = seed_list(client)
    results = [run(client, account, seed_list=made["kid"]) for _ in range(2)]
    client.post("/_emulator/clock", json={"advance": "10m"})
    kept = client.get(f"/v4/inbox/seedlists/{made['target_email']}").json()["seedlist"]
    assert counts(kept["delivery_stats"]["all"]) == (12, 0, 0, 0)
    assert {each["result_id"] for each in kept["results"]} == set(results)
    assert kept["has_results"] is True
    assert kept["last_result_at"] == result(client, results[-1])["created_at"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"seed_filter": "("}, "seed_filter is not a valid regular expression"),
        ({"seed_filter": "nobody@"}, "no seeds match the given filters"),
        ({"provider_filter": "nowhere.example"}, "provider 'nowhere.example' is not supported"),
        ({"sending_domains": "ann@example.com"}, "sending domain 'ann@example.com' is invalid"),
        ({"max_seeds_per_provider": "11"}, "Invalid parameter: max_seeds_per_provider is invalid"),
    ],
)
def test_a_wrong_list_is_refused_and_changes_nothing(
    client: Client, fields: dict[str, str], message: str
) -> None:
    made = seed_list(client)
    refused(client.post("/v4/inbox/seedlists", data={"name": "New", **fields}), 400, {"message": message})
    path = f"/v4/inbox/seedlists/{made['target_email']}"
    refused(client.put(path, data={"name": "New", **fields}), 400, {"message": message})
    assert client.get("/v4/inbox/seedlists").json()["items"] == [made]


@pytest.mark.parametrize("fields", [{"limit": "0"}, {"sort": "size"}, {"time_after": "soon"}])
def test_a_wrong_page_is_refused(client: Client, fields: dict[str, str]) -> None:
    message = f"Invalid parameter: {next(iter(fields))} is invalid"
    seed_list(client)
    refused(client.get("/v4/inbox/seedlists", params=fields), 400, {"message": message})


def test_what_is_not_there_is_not_found(client: Client) -> None:
    path = "/v4/inbox/seedlists/nobody@ibp.mailgun.net"
    refused(client.get(path), 404, NOT_FOUND)
    refused(client.put(path, data={"name": "x"}), 404, NOT_FOUND)
    refused(client.delete(path), 404, NOT_FOUND)


def test_accounts_do_not_see_each_others_lists(client: Client) -> None:
    address = seed_list(client)["target_email"]
    auth = ("api", client.post("/_emulator/accounts").json()["api_key"])
    assert client.get("/v4/inbox/seedlists", auth=auth).json()["items"] == []
    refused(client.get(f"/v4/inbox/seedlists/{address}", auth=auth), 404, NOT_FOUND)
