from typing import Any

import pytest
from tests.conftest import Account, Client

LONG_AGO = "Thu, 11 Dec 2025 01:49:40 UTC"


@pytest.fixture
def path(account: Account) -> str:
    return f"/v3/{account.domain}/complaints"


def items(client: Client, path: str) -> Any:
    return client.get(path).json()["items"]


def test_a_complaint_is_added_looked_up_and_removed(client: Client, path: str) -> None:
    added = client.post(path, data={"address": "a@x.com", "created_at": "Thu, 11 Dec 2025 02:49:40 +0100"})
    assert added.status_code == 200
    assert added.text == '{"address":"a@x.com","message":"Address has been added to the complaints table"}\n'
    found = client.get(f"{path}/A%40x.com")
    assert found.text == f'{{"address":"a@x.com","created_at":"{LONG_AGO}"}}\n'
    removed = client.delete(f"{path}/a@x.com")
    assert removed.text == '{"address":"a@x.com","message":"Spam complaint has been removed"}\n'
    for gone in (client.get(f"{path}/a@x.com"), client.delete(f"{path}/a@x.com")):
        assert gone.status_code == 404
        assert gone.json() == {"message": "No spam complaints found for this address"}


def test_many_complaints_are_added_as_json(client: Client, path: str) -> None:
    added = client.post(path, json=[{"address": "b@x.com", "createdat": LONG_AGO}, {"address": "a@x.com"}])
    text = '{"message":"2 complaint addresses have been added to the complaints table"}\n'
    assert (added.status_code, added.text) == (200, text)
    assert [item["address"] for item in items(client, path)] == ["a@x.com", "b@x.com"]
    assert items(client, path)[1] == {"address": "b@x.com", "created_at": LONG_AGO}


def test_a_complaint_of_nobody_is_refused(client: Client, path: str) -> None:
    refused = client.post(path, json=[{"address": "a@x.com"}, {"address": "nobody"}])
    assert refused.status_code == 400
    assert refused.json() == {"message": "Invalid parameter: address is not a valid email address"}
    missing = client.post(path, data={"created_at": LONG_AGO})
    assert (missing.status_code, missing.json()) == (400, {"message": "Missing mandatory parameter: address"})
    assert items(client, path) == []


def test_complaints_are_imported(client: Client, path: str) -> None:
    file = ("c.csv", f'created_at,address\n"{LONG_AGO}",a@x.com\n,b@x.com\n'.encode())
    taken = client.post(f"{path}/import", files={"file": file})
    assert taken.status_code == 202
    assert taken.json() == {"message": "file uploaded successfully for processing. standby..."}
    client.drain()
    first, second = items(client, path)
    assert first == {"address": "a@x.com", "created_at": LONG_AGO}
    assert second["address"] == "b@x.com"


def test_a_file_of_complaints_needs_a_header(client: Client, path: str) -> None:
    refused = client.post(f"{path}/import", files={"file": ("c.csv", b"a@x.com\n")})
    assert (refused.status_code, refused.json()) == (400, {"message": "while reading csv header"})


def test_all_complaints_are_removed(client: Client, path: str) -> None:
    client.post(path, data={"address": "a@x.com"})
    cleared = client.delete(path)
    assert cleared.text == '{"message":"Complaint addresses for this domain have been removed"}\n'
    assert items(client, path) == []


def test_a_domain_that_is_not_there_has_no_complaints(client: Client) -> None:
    refused = client.get("/v3/nowhere.example/complaints/a@x.com")
    assert (refused.status_code, refused.json()) == (404, {"message": "domain not found"})
