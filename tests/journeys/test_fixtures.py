"""Exported, imported elsewhere and exported again: the same, byte for byte; and what is there from the start."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx2
import jsonschema
import pytest
import yaml
from tests import plain
from tests.conftest import Client, serving
from tests.fixtures.filling import fill

from mailgun_emulator.testing import Emulator

SHOP = Path(__file__).parents[2] / "fixtures" / "shop.yaml"
KEY = ("api", "key-emulator")
SCHEMA = Path(__file__).parents[2] / "openapi" / "fixture.schema.json"
IN_NO_FILE = {"export", "webhook_delivery", "list_posting", "list_upload", "suppression_import"}
"""Tables of what passes."""
METRICS = ("accepted_count", "delivered_count", "failed_count", "opened_count", "clicked_count", "unique_opened_count",
           "complained_count", "unsubscribed_count", "bounced_count", "hard_bounces_count")  # fmt: skip


class Original(NamedTuple):
    """What a filled emulator exported, and what its API told of the filled account."""

    files: dict[str, bytes]
    domain: str
    api_key: str
    told: dict[str, Any]
    rows: dict[str, int]


@contextmanager
def anybody(url: str) -> Iterator[Client]:
    with Client(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def original() -> Original:
    with Emulator() as server, anybody(server.url) as open_client:
        account = open_client.post("/_emulator/accounts", json={"name": "Rich"}).json()
        open_client.post("/_emulator/accounts", json={"name": "Sub", "parent": account["id"]})
        with Client(base_url=server.url, auth=("api", account["api_key"]), timeout=60) as client:
            found = client.get("/v4/domains").json()["items"]
            sandbox = next(each["name"] for each in found if each["type"] == "sandbox")
            fill(client, account["domain"], sandbox)
            told = what_is_told(client, account["domain"])
        query = f"account={account['id']}&format="
        files = {
            "json": open_client.get("/_emulator/export").content,
            "yaml": open_client.get("/_emulator/export?format=yaml").content,
            "one.json": open_client.get(f"/_emulator/export?{query}json").content,
            "one.yaml": open_client.get(f"/_emulator/export?{query}yaml").content,
        }
        rows = rows_of(open_client, account["id"])
    return Original(files, account["domain"], account["api_key"], told, rows)


def rows_of(client: Client, account_id: str) -> dict[str, int]:
    """How many rows of each table belong to an account: a snapshot has all of them."""
    asked = {"account": account_id}
    assert client.post("/_emulator/snapshots", params=asked, json={"name": "rows"}).status_code == 200
    content = client.get("/_emulator/snapshots/rows", params=asked).content
    with closing(sqlite3.connect(":memory:")) as kept:
        kept.deserialize(content)
        named = kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: kept.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for (name,) in named}  # noqa: S608 - the schema's own names


def what_is_told(client: Client, domain: str) -> dict[str, Any]:
    """By the API, without what depends on the hour and on where the emulator is."""
    listed = pages(client, f"/v3/{domain}/events?limit=300&ascending=yes&begin=0")
    newest = max(event["timestamp"] for event in listed)
    events = [normal(event, newest) for event in listed]
    urls = {event.get("storage", {}).get("url") for event in listed} - {None}
    as_mime = {"Accept": "message/rfc2822"}
    paths = [httpx2.URL(url).path for url in urls]
    stored = {path: client.get(path, headers=as_mime).json().get("subject") for path in paths}
    return {
        "events": events,
        "stored": stored,
        "stats": totals(client, domain),
        "metrics": metrics(client),
        "tags": [
            {**tag, "first-seen": None, "last-seen": None}
            for tag in client.get(f"/v3/{domain}/tags").json()["items"]
        ],
        "templates": client.get(f"/v3/{domain}/templates").json()["items"][0]["name"],
        "routes": [{**each, "created_at": None} for each in client.get("/v3/routes").json()["items"]],
        "lists": client.get("/v3/lists/pages").json()["items"][0]["members_count"],
        "members": client.get(f"/v3/lists/news@{domain}/members/pages").json()["items"],
        "records": client.get(f"/v4/domains/{domain}").json()["sending_dns_records"],
        "outcomes": client.get("/_emulator/outcomes").json(),
        "credentials": [
            each["login"] for each in client.get(f"/v3/domains/{domain}/credentials").json()["items"]
        ],
    }


def normal(event: dict[str, Any], newest: float) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(json.dumps(event))
    told["timestamp"] = round(event["timestamp"] - newest, 6)
    whole = int(newest)
    if "delivered-at" in told:
        told["delivered-at"] -= whole
    if "scheduled-for" in told.get("message", {}):
        told["message"]["scheduled-for"] -= whole
    if told.get("storage", {}).get("url"):
        told["storage"]["url"] = httpx2.URL(told["storage"]["url"]).path
    return told


def pages(client: Client, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while items := (page := client.get(path).json())["items"]:
        found += items
        path = page["paging"]["next"]
    return found


def totals(client: Client, domain: str) -> dict[str, Any]:
    events = ["accepted", "delivered", "failed", "opened", "clicked", "unsubscribed", "complained", "stored"]
    query = {"event": events, "duration": "2m", "resolution": "month"}
    counted: dict[str, Any] = {}
    for bucket in client.get(f"/v3/{domain}/stats/total", params=query).json()["stats"]:
        add(counted, {name: value for name, value in bucket.items() if name != "time"})
    return counted


def add(counted: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict):
            add(counted.setdefault(name, {}), value)
        else:
            counted[name] = counted.get(name, 0) + value


def metrics(client: Client) -> dict[str, Any]:
    asked = {
        "duration": "2m",
        "dimensions": ["tag", "domain"],
        "metrics": METRICS,
        "pagination": {"limit": 1000},
    }
    answer = client.post("/v1/analytics/metrics", json=asked)
    assert answer.status_code == 200, answer.text
    return {
        " ".join(each["value"] for each in item["dimensions"]): item["metrics"]
        for item in answer.json()["items"]
    }


@pytest.mark.parametrize("kind", ["json", "yaml"])
def test_export_and_import_give_the_same_again(original: Original, kind: str) -> None:
    with Emulator() as server, anybody(server.url) as client:
        answer = client.post("/_emulator/import", content=original.files[kind])
        assert answer.status_code == 200, answer.text
        client.drain()
        assert client.get("/_emulator/export?format=json").content == original.files["json"]
        assert client.get("/_emulator/export?format=yaml").content == original.files["yaml"]
        with Client(base_url=server.url, auth=("api", original.api_key), timeout=60) as owner:
            told = what_is_told(owner, original.domain)
        for name, value in original.told.items():
            assert told[name] == value, name


def test_one_account_may_be_taken_along(original: Original) -> None:
    with Emulator() as server, anybody(server.url) as client:
        made = client.post("/_emulator/import", content=original.files["one.yaml"]).json()["accounts"]
        query = f"account={made[0]['id']}"
        assert client.get(f"/_emulator/export?{query}").content == original.files["one.json"]
        assert client.delete(f"/_emulator/accounts/{made[0]['id']}").status_code == 200
        client.post("/_emulator/import", content=original.files["one.json"])
        assert client.get(f"/_emulator/export?{query}&format=yaml").content == original.files["one.yaml"]


def test_nothing_is_left_behind(original: Original) -> None:
    with Emulator() as server, anybody(server.url) as client:
        made = client.post("/_emulator/import", content=original.files["one.json"]).json()["accounts"]
        rows = rows_of(client, made[0]["id"])
    missing = {name: (number, rows[name]) for name, number in original.rows.items() if rows[name] != number}
    assert missing == {}
    assert {name for name, number in original.rows.items() if not number} == IN_NO_FILE, "fill the others"


def test_what_was_still_to_come_comes(original: Original) -> None:
    with Emulator() as server, anybody(server.url) as client:
        client.post("/_emulator/import", content=original.files["yaml"])
        with Client(base_url=server.url, auth=("api", original.api_key), timeout=60) as owner:
            domain = original.domain
            path = f"/v3/{domain}/events?limit=300&begin=0&ascending=yes"
            known = {each["id"] for each in pages(owner, path)}
            owner.post("/_emulator/clock", json={"advance": "1d"})
            later = [each for each in pages(owner, path) if each["id"] not in known]
            delivered = [each["recipient"] for each in later if each["event"] == "delivered"]
            assert delivered == ["deferred+5@example.com"]
            state = owner.get(f"/v4/domains/second.{domain}").json()["domain"]["state"]
            assert state == "disabled"
            owner.post("/_emulator/clock", json={"advance": "10000d"})
            state = owner.get(f"/v4/domains/second.{domain}").json()["domain"]["state"]
            assert state != "disabled"


def test_exports_and_examples_are_as_the_schema_says(original: Original) -> None:
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text()))
    for file in (yaml.safe_load(original.files["yaml"]), yaml.safe_load(SHOP.read_text())):
        assert [error.json_path for error in validator.iter_errors(file)] == []


def started_with(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [
        sys.executable,
        "-m",
        "mailgun_emulator",
        "serve",
        "--port",
        "0",
        "--smtp-port",
        "off",
        *arguments,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def domains_of(url: str) -> list[str]:
    with Client(base_url=url, auth=KEY) as client:
        return sorted(
            each["name"] for each in client.get("/v4/domains").json()["items"] if each["type"] == "custom"
        )


def test_the_example_is_there_from_the_start_and_after_a_reset() -> None:
    with Emulator(fixture=str(SHOP)) as server, anybody(server.url) as client:
        for _ in range(2):
            assert domains_of(server.url) == ["mg.example.com", "shop.example.com"]
            with Client(base_url=server.url, auth=KEY) as owner:
                listed = pages(owner, "/v3/shop.example.com/events?limit=300&begin=0&ascending=yes")
                assert [each["event"] for each in listed][:4] == [
                    "accepted",
                    "delivered",
                    "opened",
                    "clicked",
                ]
                assert listed[0]["storage"]["url"].startswith(server.url)
                assert owner.get("/v3/shop.example.com/templates").json()["items"][0]["name"] == "receipt"
                owner.post(
                    "/v3/new.example.com/messages", data={"from": "a@b.com", "to": "c@d.com", "text": "x"}
                )
            assert client.post("/_emulator/reset").status_code == 200


def test_what_the_example_says_of_ips_and_reputation_is_so() -> None:
    with Emulator(fixture=str(SHOP)) as server, Client(base_url=server.url, auth=KEY) as owner:
        owner.drain()
        delivered = pages(owner, "/v3/shop.example.com/events?event=delivered&begin=0&ascending=yes")
        assert {each["envelope"]["sending-ip"] for each in delivered} == {"203.0.113.10"}
        assert owner.get("/v3/ip_pools").json()["ip_pools"][0]["ips"] == ["203.0.113.11"]
        (warmup,) = owner.get("/v3/ip_warmups").json()["items"]
        assert (warmup["ip"], warmup["stage_number"], warmup["sent_within_stage"]) == (
            "203.0.113.12",
            2,
            "12%",
        )
        (watched,) = owner.get("/v1/monitoring/domains").json()["domains"]
        assert (watched["domain"], watched["state"]) == ("shop.example.com", "healthy")
        assert owner.get("/v1/blocklist-monitoring/events").json()["items"][0]["event"] == "ip_delisted"
        validated = owner.get("/v4/address/validate/bulk/customers").json()["summary"]
        assert validated["risk"] == {"high": 2, "low": 1, "medium": 1, "unknown": 0}
        assert {"Accounts", "Kim"} < {each["name"] for each in owner.get("/v5/users").json()["users"]}
        assert owner.get("/v1/thresholds/hits").json()["total"] == 0
        test = {"from": "hello@shop.example.com", "subject": "Offers", "html": "<p>Hi</p>"}
        tested = owner.post("/v4/inbox/tests", json={**test, "seed_list": "Large providers"}).json()
        assert len(tested["mailing_list"].split(",")) == 7


def test_several_files_are_loaded_one_after_the_other(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"domains": ["a.example.org"]}')
    (tmp_path / "b.yaml").write_text(
        "accounts: [{default: true, signing_key: s3cret, domains: [b.example.org]}]"
    )
    files = f"{tmp_path / 'a.json'},{tmp_path / 'b.yaml'}"
    with serving("--fixture", files) as server:
        assert domains_of(server.url) == ["b.example.org"]
        assert server.process.stdout is not None
        assert "s3cret" in "".join(server.process.stdout.readline() for _ in range(2))


def test_a_database_that_has_something_is_not_filled_again(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("domains: [a.example.org]")
    fixture, database = str(tmp_path / "f.yaml"), str(tmp_path / "m.db")
    with Emulator(fixture=fixture, database=database) as server:
        assert plain.delete(f"{server.url}/v3/domains/a.example.org", auth=KEY).status_code == 200
    with Emulator(fixture=fixture, database=database) as server:
        assert domains_of(server.url) == ["mg.example.com"]
        assert plain.post(f"{server.url}/_emulator/reset").status_code == 200
        assert domains_of(server.url) == ["a.example.org", "mg.example.com"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            "domains:\n- name: a.com\n  state: x",
            ":3: domains[0].state: 'x' is not one of active, unverified, disabled",
        ),
        ("accounts:\n- parent: nobody", ":2: accounts[0].parent: there is no account nobody"),
        (None, ": No such file or directory"),
    ],
)
def test_a_file_that_is_wrong_is_told_at_the_start(tmp_path: Path, content: str | None, said: str) -> None:
    file = tmp_path / "f.yaml"
    if content is not None:
        file.write_text(content)
    refused = started_with("--fixture", str(file))
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert refused.stderr.startswith(f"mailgun-emulator: --fixture can't be loaded: {file}{said}")


def test_the_same_seed_gives_the_same_after_a_reset(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("accounts: [{name: One, domains: [a.example.org]}]")
    with Emulator(fixture=str(tmp_path / "f.yaml"), seed=1) as server, anybody(server.url) as client:
        first = client.get("/_emulator/accounts").json()
        assert client.post("/_emulator/reset").status_code == 200
        assert client.get("/_emulator/accounts").json() == first
