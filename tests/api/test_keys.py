from tests.conftest import Client


def test_a_key_is_made_listed_and_deleted(client: Client) -> None:
    made = client.post("/v1/keys", data={"role": "basic", "description": "for a test"})
    assert made.status_code == 200
    key = made.json()["key"]
    assert key["secret"].endswith(key["id"])
    assert key["id"] in [item["id"] for item in client.get("/v1/keys").json()["items"]]
    assert client.delete(f"/v1/keys/{key['id']}").json() == {"message": "key deleted"}
    gone = client.delete(f"/v1/keys/{key['id']}")
    assert (gone.status_code, gone.json()) == (404, {"message": "no key matching id"})


def test_a_key_of_an_unknown_kind_is_refused(client: Client) -> None:
    refused = client.get("/v1/keys", params={"kind": "other"})
    assert refused.status_code == 400
    assert refused.json() == {"message": "expected `kind` param to be one of [domain user web] or absent"}
