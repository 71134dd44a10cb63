from typing import Any

import pytest
from tests.api.answers import refused
from tests.conftest import Account, Client

LIMITS = "/v1/thresholds/limits"
HITS = "/v1/thresholds/hits"
NEVER = "0001-01-01T00:00:00Z"
NOON = 1_780_000_200
"""The 28th of May 2026, 20:30."""
FEW = {
    "name": "few previews",
    "metric": "email_preview_success_count",
    "comparator": ">=",
    "limit": "2",
    "dimension": "subaccount",
}
REACHED = "limit 'few previews' reached: email_preview_success_count >= 2 in 1M"


def create(client: Client, **asked: Any) -> dict[str, Any]:
    made = client.post(LIMITS, json={**FEW, **asked})
    assert made.status_code == 200, made.text
    return dict(made.json())


def preview(client: Client, **options: Any) -> Any:
    made = client.post("/v1/preview/tests", json={"subject": "Hi", "html": "<p>Hi</p>"}, **options)
    client.drain()
    return made


def set_clock(client: Client, **asked: Any) -> None:
    assert client.post("/_emulator/clock", json=asked).status_code == 200


def test_a_limit_is_created_read_replaced_and_deleted(client: Client, account: Account) -> None:
    assert client.get(LIMITS).json() == {"items": [], "total": 0}
    set_clock(client, freeze=NOON)
    made = create(client, description="For now")
    assert list(made.items()) == [
        ("id", made["id"]),
        ("parent_account_id", account.id),
        ("name", "few previews"),
        ("created_at", "2026-05-28T20:30:00Z"),
        ("updated_at", NEVER),
        ("last_checked", NEVER),
        ("description", "For now"),
        ("metric", "email_preview_success_count"),
        ("comparator", ">="),
        ("limit", "2"),
        ("dimension", "subaccount"),
        ("period", "1M"),
    ]
    assert client.get(f"{LIMITS}/few previews").json() == made
    set_clock(client, advance="1m")
    other = {**FEW, "name": "seeds", "metric": "seed_test_count", "limit": 5, "period": "2d"}
    assert client.put(f"{LIMITS}/few%20previews", json=other).json() == {"message": "success"}
    told = client.get(LIMITS).json()["items"][0]
    assert (told["id"], told["metric"], told["limit"]) == (made["id"], "seed_test_count", "5")
    assert (told["updated_at"], told["last_checked"]) == ("2026-05-28T20:31:00Z", NEVER)
    assert client.delete(f"{LIMITS}/seeds").json() == {"message": "success"}
    assert client.get(LIMITS).json() == {"items": [], "total": 0}


WRONG = [
    ({"metric": ""}, "Missing mandatory parameter: metric"),
    ({"metric": "delivered_rate"}, "metric 'delivered_rate' is not valid"),
    ({"dimension": "ip"}, "dimension 'ip' is not valid"),
    ({"period": "13M"}, "period '13M' is not valid"),
    ({"limit": "1e999"}, "limit '1e999' is not valid"),
    (
        {"filters": [{"dimension": "domain", "comparator": "=", "values": ["x"]}]},
        "filter dimension 'domain' is not valid",
    ),
]


@pytest.mark.parametrize(("asked", "message"), WRONG)
def test_a_wrong_limit_is_refused_and_changes_nothing(
    client: Client, asked: dict[str, Any], message: str
) -> None:
    made = create(client)
    refused(client.post(LIMITS, json={**FEW, "name": "other", **asked}), 400, message)
    refused(client.put(f"{LIMITS}/few previews", json={**FEW, **asked}), 400, message)
    assert client.get(f"{LIMITS}/few previews").json() == made


def test_a_name_is_a_limits_own(client: Client) -> None:
    create(client)
    alert = {**FEW, "metric": "delivered_rate"}
    assert client.post("/v1/thresholds/alerts/send", json=alert).status_code == 200
    refused(client.post(LIMITS, json=FEW), 409, "threshold with name 'few previews' already exists")
    nobody = "threshold 'nobody' not found"
    for response in (
        client.get(f"{LIMITS}/nobody"),
        client.put(f"{LIMITS}/nobody", json=FEW),
        client.delete(f"{LIMITS}/nobody"),
    ):
        refused(response, 404, nobody)
    refused(client.get(LIMITS, auth=("api", "")), 401, "Invalid private key")


def test_what_a_limit_counts_is_refused_until_the_period_is_over(client: Client, account: Account) -> None:
    set_clock(client, freeze=NOON)
    create(client)
    assert preview(client).status_code == 200
    assert client.get(HITS).json()["items"] == []
    assert preview(client).status_code == 200
    refused(preview(client), 403, REACHED)
    (hit,) = client.get(HITS).json()["items"]
    assert list(hit.items()) == [
        ("id", hit["id"]),
        ("name", "few previews"),
        ("created_at", "2026-05-28T20:30:00Z"),
        ("updated_at", "2026-05-28T20:30:00Z"),
        ("triggered", True),
        ("expires_at", NEVER),
        ("latest_value", "2"),
        ("metric", "email_preview_success_count"),
        ("comparator", ">="),
        ("limit", "2"),
        ("parent_account_id", account.id),
        ("dimension", "subaccount"),
        ("dimension_value", account.name),
    ]
    set_clock(client, advance="3d")
    refused(preview(client), 403, REACHED)
    set_clock(client, advance="4h")
    assert client.get(HITS).json()["items"][0]["triggered"] is False
    assert preview(client).status_code == 200
    (told,) = client.get(LIMITS).json()["items"]
    assert told["last_checked"] == "2026-06-01T00:30:00Z"


def test_who_raises_or_removes_a_limit_may_go_on(client: Client) -> None:
    create(client, limit="1")
    assert preview(client).status_code == 200
    assert preview(client).status_code == 403
    client.put(f"{LIMITS}/few previews", json=FEW)
    assert preview(client).status_code == 200
    refused(preview(client), 403, REACHED)
    client.delete(f"{LIMITS}/few previews")
    assert preview(client).status_code == 200


def test_placement_tests_have_limits_of_their_own(client: Client, account: Account) -> None:
    create(client, name="seeds", metric="seed_test_count", limit="1", period="1d")
    message = {"from": f"a@{account.domain}", "subject": "Hi", "html": "<p>Hi</p>"}
    assert client.post("/v4/inbox/tests", json=message).status_code < 300
    reached = "limit 'seeds' reached: seed_test_count >= 1 in 1d"
    assert client.post("/v4/inbox/tests", json=message).json() == {"message": reached}
    assert preview(client).status_code == 200


def test_a_parents_limit_is_its_subaccounts_as_well_each_for_itself(client: Client, account: Account) -> None:
    asked = {"parent": account.id}
    one, two = (
        client.post("/_emulator/accounts", json={"name": name, **asked}).json() for name in ("One", "Two")
    )
    create(client, limit="1", filters=[{"dimension": "subaccount", "comparator": "=", "values": ["One"]}])
    key: dict[str, Any] = {"auth": ("api", one["api_key"])}
    assert preview(client, **key).status_code == 200
    assert preview(client, **key).status_code == 403
    for others in ({}, {"auth": ("api", two["api_key"])}):
        assert [preview(client, **others).status_code for _ in range(2)] == [200, 200]
    (hit,) = client.get(HITS).json()["items"]
    assert (hit["dimension_value"], hit["latest_value"], hit["triggered"]) == ("One", "1", True)
    assert client.get(HITS, **key).json()["items"] == []


def test_a_subaccount_uses_up_its_parents_limit_by_its_own_clock(client: Client, account: Account) -> None:
    set_clock(client, freeze=NOON)
    create(client, limit="1", period="1d")
    sub = client.post("/_emulator/accounts", json={"name": "One", "parent": account.id}).json()
    key: dict[str, Any] = {"auth": ("api", sub["api_key"])}
    own_clock = client.post("/_emulator/clock", json={"freeze": NOON + 86_400}, **key)
    assert own_clock.status_code == 200
    assert preview(client, **key).status_code == 200
    client.post("/_emulator/drain", **key)
    (hit,) = client.get(HITS).json()["items"]
    told = [hit[name] for name in ("dimension_value", "created_at", "triggered")]
    assert told == ["One", "2026-05-28T20:30:00Z", True]
    client.post("/_emulator/clock", json={"advance": "1d"}, **key)
    assert client.get(HITS).json()["items"][0]["triggered"] is False
    assert preview(client, **key).status_code == 200
    assert client.get(HITS).json()["items"][0]["triggered"] is True
    on_behalf = {"X-Mailgun-On-Behalf-Of": sub["id"]}
    assert client.delete("/v5/accounts/subaccounts", headers=on_behalf).status_code == 200
    assert client.get(HITS).json()["items"] == []
