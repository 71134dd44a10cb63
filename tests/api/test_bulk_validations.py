import csv
import gzip
import io
import re
import time
import zipfile
from typing import Any

import orjson
import pytest
from tests import plain
from tests.api.answers import done, refused
from tests.conftest import Account, Client
from tests.receiver import Receiver

BULK, PREVIEW = "/v4/address/validate/bulk", "/v4/address/validate/preview"
SUBMITTED = "The validation job was submitted."
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
ADDRESSES = (
    "bounce@example.com",
    "Bob@example.org",
    "bob@example.org",
    "info@example.org",
    "deferred@example.com",
)
RESULTS = {"catch_all": 0, "deliverable": 2, "do_not_send": 0, "undeliverable": 1, "unknown": 1}
RISKS = {"high": 1, "low": 1, "medium": 1, "unknown": 1}


def csv_of(addresses: tuple[str, ...], column: str = "email") -> str:
    return "\n".join([f"name,{column}", *(f"N,{each}" for each in addresses)])


def post(client: Client, path: str, content: str | bytes = csv_of(ADDRESSES)) -> Any:
    return client.post(path, files={"file": ("list.csv", content)})


def unpacked(url: str) -> tuple[str, bytes]:
    """Name and content of the one file."""
    answer = plain.get(url)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        (name,) = archive.namelist()
        return name, archive.read(name)


def counted(client: Client, kind: str) -> int:
    asked = {"duration": "1d", "metrics": [f"email_validation_{kind}_count"], "include_aggregates": True}
    answer = client.post("/v1/analytics/usage/metrics", json=asked).json()
    return int(answer["aggregates"]["metrics"][f"email_validation_{kind}_count"])


# Lists


def test_a_list_is_validated_in_the_background(client: Client, server_url: str) -> None:
    assert done(post(client, f"{BULK}/mine")) == {"id": "mine", "message": SUBMITTED}
    client.drain()
    answer = client.get(f"{BULK}/mine")
    job = done(answer)
    urls = job.pop("download_url")
    at = rf"{re.escape(server_url)}{BULK}/mine/{UUID}"
    assert re.fullmatch(rf"{at}\.csv\.zip", urls["csv"])
    assert re.fullmatch(rf"{at}\.json\.zip", urls["json"])
    assert abs(job.pop("created_at") - time.time()) < 60  # noqa: TID251 - the real clock is what is compared with
    assert job == {
        "id": "mine",
        "quantity": 5,
        "records_processed": 4,
        "status": "uploaded",
        "summary": {"result": RESULTS, "risk": RISKS},
    }
    order = ["created_at", "download_url", "id", "quantity", "records_processed", "status", "summary"]
    assert list(answer.json()) == order
    assert (counted(client, "bulk"), counted(client, "valid"), counted(client, "list")) == (4, 2, 0)


def test_the_results_are_downloaded_without_a_key(client: Client) -> None:
    done(post(client, f"{BULK}/mine"))
    client.drain()
    urls = done(client.get(f"{BULK}/mine"))["download_url"]
    name, content = unpacked(urls["csv"])
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert name == "mine.csv"
    assert [(row["address"], row["result"], row["reason"]) for row in rows] == [
        ("bounce@example.com", "undeliverable", "mailbox_does_not_exist"),
        ("Bob@example.org", "deliverable", ""),
        ("info@example.org", "deliverable", "mailbox_is_role_address"),
        ("deferred@example.com", "unknown", ""),
    ]
    name, content = unpacked(urls["json"])
    told = [done(client.get("/v4/address/validate", params={"address": row["address"]})) for row in rows]
    assert (name, orjson.loads(content)) == ("mine.json", told)
    wrong = urls["csv"].replace(".csv.zip", ".xml.zip")
    refused(plain.get(wrong), 404, "validation job not found")


@pytest.mark.parametrize("packed", [False, True])
def test_a_long_list_is_validated_whole(client: Client, packed: bool) -> None:
    addresses = tuple(f"user{number}@example{number % 7}.org" for number in range(1234))
    content = csv_of(addresses, "Email_Address").encode()
    done(post(client, f"{BULK}/long", gzip.compress(content) if packed else content))
    client.drain()
    job = done(client.get(f"{BULK}/long"))
    assert (job["quantity"], job["records_processed"], job["status"]) == (1234, 1234, "uploaded")
    _, content = unpacked(job["download_url"]["json"])
    assert [each["address"] for each in orjson.loads(content)] == list(addresses)


def test_an_empty_list_is_done_at_once(client: Client) -> None:
    done(post(client, f"{BULK}/empty", "email\n"))
    client.drain()
    job = done(client.get(f"{BULK}/empty"))
    assert (job["quantity"], job["records_processed"], job["status"]) == (0, 0, "uploaded")
    assert orjson.loads(unpacked(job["download_url"]["json"])[1]) == []


@pytest.mark.parametrize("path", [BULK, PREVIEW])
def test_a_file_that_can_not_be_validated_is_refused(client: Client, path: str) -> None:
    refused(client.post(f"{path}/mine"), 400, "'file' parameter is required")
    refused(post(client, f"{path}/mine", "address\na@b.com"), 400,
            "file has to have a column 'email' or 'email_address'")  # fmt: skip
    refused(post(client, f"{path}/mine", b"email\n\xff\xfe"), 400,
            "file can't be read, it has to be CSV or gzip in UTF-8")  # fmt: skip
    refused(post(client, f"{path}/mine", b"x" * (25 * 2**20 + 1)), 400,
            "CSV file is too big, max allowed size is 25 MB")  # fmt: skip
    refused(post(client, f"{path}/a@b.com"), 400, "list id can't contain '@'")
    assert client.get(f"{path}/mine").status_code == 404


@pytest.mark.parametrize("path", [BULK, PREVIEW])
def test_a_name_is_taken_until_it_is_deleted(client: Client, path: str) -> None:
    done(post(client, f"{path}/mine"))
    refused(post(client, f"{path}/mine"), 400, "list id 'mine' already exists")
    client.drain()
    refused(post(client, f"{path}/mine"), 400, "list id 'mine' already exists")
    assert client.delete(f"{path}/mine").is_success
    assert done(post(client, f"{path}/mine", "email\na@b.com"))["id"] == "mine"
    client.drain()
    found = done(client.get(f"{path}/mine"))
    assert (found.get("preview") or found)["quantity"] == 1


def test_a_list_that_is_deleted_has_no_results_any_more(client: Client) -> None:
    done(post(client, f"{BULK}/mine"))
    client.drain()
    url = done(client.get(f"{BULK}/mine"))["download_url"]["csv"]
    assert done(client.delete(f"{BULK}/mine")) == {"message": "Validation job canceled."}
    job = done(client.get(f"{BULK}/mine"))
    assert (job["status"], "download_url" in job) == ("deleted", False)
    refused(plain.get(url), 404, "validation job not found")
    refused(client.delete(f"{BULK}/mine"), 404, "validation job not found")


def test_a_list_that_is_cancelled_is_not_validated_any_further(client: Client) -> None:
    addresses = "email\n" + "".join(f"user{number}@example.org\n" for number in range(20_000))
    done(post(client, f"{BULK}/long", addresses))
    done(client.delete(f"{BULK}/long"))
    client.drain()
    job = done(client.get(f"{BULK}/long"))
    assert job["status"] == "deleted"
    assert job["records_processed"] < 20_000
    assert "summary" not in job
    assert counted(client, "bulk") == 0


def test_what_is_not_there_is_refused(client: Client) -> None:
    for call in (client.get, client.delete):
        refused(call(f"{BULK}/nothing"), 404, "validation job not found")
    for call in (client.get, client.put, client.delete):
        refused(call(f"{PREVIEW}/nothing"), 404, "validation preview not found")


def test_lists_are_paged_the_newest_first(client: Client, server_url: str) -> None:
    empty = done(client.get(BULK))
    assert (empty["jobs"], empty["total"]) == ([], 0)
    assert set(empty["paging"]) == {"first", "last", "next", "prev", "previous"}
    for number in range(5):
        done(post(client, f"{BULK}/list{number}", "email\na@b.com"))
    page = done(client.get(BULK, params={"limit": 2}))
    paging = page["paging"]
    assert paging["first"] == f"{server_url}{BULK}?limit=2&page=first&pivot="
    assert paging["last"] == f"{server_url}{BULK}?limit=2&page=last&pivot="
    assert paging["prev"] == paging["previous"] == f"{server_url}{BULK}?limit=2&page=prev&pivot="
    assert re.fullmatch(rf"{re.escape(server_url)}{BULK}\?limit=2&page=next&pivot={UUID}", paging["next"])
    seen: list[str] = []
    while page["jobs"]:
        assert page["total"] == 5
        seen += [job["id"] for job in page["jobs"]]
        page = done(client.get(page["paging"]["next"]))
    assert seen == ["list4", "list3", "list2", "list1", "list0"]
    last = done(client.get(page["paging"]["prev"]))
    assert [job["id"] for job in last["jobs"]] == ["list1", "list0"]
    before = done(client.get(last["paging"]["previous"]))
    assert [job["id"] for job in before["jobs"]] == ["list3", "list2"]
    assert done(client.get(paging["prev"]))["jobs"] == []
    refused(client.get(BULK, params={"limit": "x"}), 400, "Invalid parameter: limit is invalid")


def test_another_account_sees_nothing_of_it(client: Client, server_url: str) -> None:
    done(post(client, f"{BULK}/mine"))
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    with Client(base_url=server_url, auth=("api", other["api_key"])) as stranger:
        refused(stranger.get(f"{BULK}/mine"), 404, "validation job not found")
        assert done(stranger.get(BULK))["total"] == 0
        assert done(post(stranger, f"{BULK}/mine"))["id"] == "mine"


def test_what_is_validated_follows_the_clock(client: Client) -> None:
    assert client.post("/_emulator/clock", json={"freeze": "2031-05-06T07:08:09Z"}).status_code == 200
    done(post(client, f"{BULK}/mine"))
    client.drain()
    job = done(client.get(f"{BULK}/mine"))
    assert (job["created_at"], job["status"]) == (1_935_817_689, "uploaded")


def test_who_wants_to_know_is_told_of_the_end(client: Client, receiver: Receiver) -> None:
    for event_type in ("validation_job", "validation_preview"):
        asked = {"event_type": event_type, "channel": "webhook", "settings": {"url": receiver.url("/alert")}}
        done(client.post("/v1/alerts/settings/events", json=asked))
    done(post(client, f"{BULK}/mine"))
    client.drain()
    done(post(client, f"{PREVIEW}/other"))
    client.drain()
    told = [
        orjson.loads(each.body)["event_data"] for each in receiver.requests("/alert") if each.method == "POST"
    ]
    assert [(each["event"], each["list_id"], each["status"]) for each in told] == [
        ("validation_job", "mine", "uploaded"),
        ("validation_preview", "other", "preview_complete"),
    ]
    assert told[0]["summary"]["result"] == RESULTS


# Previews


def test_a_preview_tells_percentages(client: Client) -> None:
    assert done(post(client, f"{PREVIEW}/mine")) == {
        "id": "mine",
        "message": "The bulk preview was submitted.",
    }
    client.drain()
    answer = client.get(f"{PREVIEW}/mine")
    preview = done(answer)["preview"]
    assert abs(preview.pop("created_at") - time.time()) < 60  # noqa: TID251 - the real clock is what is compared with
    assert preview == {
        "id": "mine",
        "valid": True,
        "status": "preview_complete",
        "quantity": 5,
        "summary": {
            "result": {name: 25 * number for name, number in RESULTS.items()},
            "risk": {name: 25 * number for name, number in RISKS.items()},
        },
    }
    assert list(answer.json()["preview"]) == ["id", "valid", "status", "quantity", "created_at", "summary"]
    assert [each["id"] for each in done(client.get(PREVIEW))["previews"]] == ["mine"]
    assert counted(client, "bulk") == 0
    refused(client.get(f"{BULK}/mine"), 404, "validation job not found")


def test_a_preview_becomes_a_validation(client: Client) -> None:
    done(post(client, f"{PREVIEW}/mine"))
    promoted = done(client.put(f"{PREVIEW}/mine"))
    assert promoted == {
        "id": "mine",
        "message": "The bulk preview job was promoted to a bulk validation job.",
    }
    client.drain()
    job = done(client.get(f"{BULK}/mine"))
    assert (job["quantity"], job["summary"]["result"]) == (5, RESULTS)
    refused(client.put(f"{PREVIEW}/mine"), 400, "list id 'mine' already exists")


def test_a_preview_of_a_long_list_is_of_a_sample(client: Client) -> None:
    addresses = tuple(
        f"{'bounce' if number % 2 else 'opened'}-{number}@example.com" for number in range(2000)
    )
    done(post(client, f"{PREVIEW}/long", csv_of(addresses)))
    client.drain()
    preview = done(client.get(f"{PREVIEW}/long"))["preview"]
    assert preview["quantity"] == 2000
    assert 45 < preview["summary"]["result"]["undeliverable"] < 55


def test_a_deleted_preview_is_gone(client: Client) -> None:
    done(post(client, f"{PREVIEW}/mine"))
    deleted = client.delete(f"{PREVIEW}/mine")
    assert (deleted.status_code, deleted.content) == (204, b"")
    client.drain()
    refused(client.get(f"{PREVIEW}/mine"), 404, "validation preview not found")
    assert done(client.get(PREVIEW)) == {"previews": []}


# Mailing lists


def test_a_mailing_lists_members_are_validated(client: Client, server_url: str) -> None:
    done(client.post("/v3/lists", data={"address": "News@lists.example.com"}))
    for address in ("bounce@example.com", "info@example.org"):
        done(client.post("/v3/lists/news@lists.example.com/members", data={"address": address}))
    path = "/v3/lists/news@lists.example.com/validate"
    refused(client.get(path), 404, "validation job not found")
    assert done(client.post(path)) == {"id": "News@lists.example.com", "message": SUBMITTED}
    client.drain()
    job = done(client.get(path))
    assert (job["id"], job["quantity"], job["status"]) == ("News@lists.example.com", 2, "uploaded")
    assert job["summary"]["risk"] == {"high": 1, "low": 0, "medium": 1, "unknown": 0}
    rows = orjson.loads(unpacked(job["download_url"]["json"])[1])
    assert [row["address"] for row in rows] == ["bounce@example.com", "info@example.org"]
    assert (counted(client, "list"), counted(client, "bulk")) == (2, 0)
    assert done(client.get(BULK))["total"] == 0
    done(client.delete("/v3/lists/news@lists.example.com/members/bounce@example.com"))
    done(client.post(path))
    client.drain()
    assert done(client.get(path))["quantity"] == 1
    assert done(client.delete(path)) == {"message": "Validation job canceled."}
    assert done(client.get(path))["status"] == "deleted"


def test_a_mailing_list_that_is_not_there_is_not_validated(client: Client) -> None:
    message = "Mailing list nobody@lists.example.com not found"
    for call in (client.get, client.post, client.delete):
        refused(call("/v3/lists/nobody@lists.example.com/validate"), 404, message)


def test_a_new_list_of_the_same_address_is_not_validated_yet(client: Client) -> None:
    path = "/v3/lists/news@lists.example.com"
    for _ in range(2):
        done(client.post("/v3/lists", data={"address": "news@lists.example.com"}))
        refused(client.get(f"{path}/validate"), 404, "validation job not found")
        done(client.post(f"{path}/validate"))
        client.drain()
        assert done(client.get(f"{path}/validate"))["status"] == "uploaded"
        done(client.delete(path))


# Fixture files


def test_a_list_in_a_fixture_file_is_validated_when_it_is_imported(client: Client, account: Account) -> None:
    done_already = {"address": "bob@example.org", "result": "deliverable", "risk": "low"}
    asked = [
        {"name": "todo", "addresses": ["bounce@example.com", "bob@example.org"]},
        {"name": "done", "status": "uploaded", "results": [done_already]},
        {"name": "sample", "kind": "preview", "addresses": ["bounce@example.com"]},
    ]
    path = f"/_emulator/import?account={account.id}"
    done(client.post(path, json={"validations": asked}))
    client.drain()
    job = done(client.get(f"{BULK}/todo"))
    assert (job["status"], job["summary"]["result"]["undeliverable"]) == ("uploaded", 1)
    job = done(client.get(f"{BULK}/done"))
    assert (job["quantity"], job["summary"]["risk"]["low"]) == (1, 1)
    validated = client.get("/v4/address/validate", params={"address": "bob@example.org"})
    assert orjson.loads(unpacked(job["download_url"]["json"])[1]) == [validated.json()]
    preview = done(client.get(f"{PREVIEW}/sample"))["preview"]
    assert preview["summary"]["result"]["undeliverable"] == 100
    assert counted(client, "bulk") == 3
    assert (
        unpacked(job["download_url"]["csv"])[1].splitlines()[1]
        == b"bob@example.org,,false,false,,deliverable,low,,,,,"
    )
    for wrong in (
        {"results": [{"address": "a@b.com", "risk": "low"}]},
        {"results": [{"address": "a@b.com", "risk": "low", "result": "fine"}]},
        {"results": [{"address": "a@b.com", "risk": "low", "result": "unknown", "engagement": "often"}]},
        {"summary": {"results": {"unknown": 1}}},
        {"summary": {"result": {"fine": 1}}},
    ):
        answer = client.post(path, json={"validations": [{"name": "x", **wrong}]})
        assert answer.status_code == 400, wrong
    refused(client.get(f"{BULK}/x"), 404, "validation job not found")


def test_what_was_cancelled_before_its_end_is_so_when_it_is_imported(
    client: Client, account: Account
) -> None:
    cancelled = {"name": "mine", "status": "deleted", "size": 3}
    done(client.post(f"/_emulator/import?account={account.id}", json={"validations": [cancelled]}))
    job = done(client.get(f"{BULK}/mine"))
    assert (job["status"], job["quantity"], "summary" in job) == ("deleted", 3, False)
    (told,) = done(client.get(f"/_emulator/export?account={account.id}"))["accounts"][0]["validations"]
    assert "finished_at" not in told
