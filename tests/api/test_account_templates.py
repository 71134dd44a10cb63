from tests import plain
from tests.conftest import Account, Client


def test_the_templates_of_all_domains_are_listed_by_name(
    client: Client, account: Account, server_url: str
) -> None:
    second = f"second.{account.domain}"
    client.post("/v4/domains", data={"name": second})
    for domain, names in ((account.domain, ("welcome", "bye")), (second, ("welcome",))):
        for name in names:
            made = {"name": name, "template": "Hi", "description": f"of {domain}"}
            assert client.post(f"/v3/{domain}/templates", data=made).status_code == 200
    listed = client.get("/v4/templates")
    assert listed.status_code == 200
    items = listed.json()["items"]
    found = [(each["name"], each["domain"]) for each in items]
    both = sorted([account.domain, second])
    assert found == [("bye", account.domain), *(("welcome", domain) for domain in both)]
    own = client.get(f"/v3/{account.domain}/templates").json()["items"][0]
    assert items[0] == {**own, "domain": account.domain}
    page, seen = client.get("/v4/templates", params={"limit": 1}).json(), []
    while page["items"]:
        seen += page["items"]
        page = client.get(page["paging"]["next"]).json()
    assert seen == items
    back = client.get(page["paging"]["previous"]).json()["items"]
    assert back == items[-2:-1]
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    assert client.get("/v4/templates", auth=("api", other["api_key"])).json()["items"] == []
    client.delete(f"/v3/domains/{second}")
    client.drain()
    assert len(client.get("/v4/templates").json()["items"]) == 2


def test_a_limit_that_is_none_is_refused(client: Client) -> None:
    refused = client.get("/v4/templates", params={"limit": "x"})
    assert (refused.status_code, refused.json()) == (400, {"message": "Invalid parameter: limit is invalid"})
