"""Templates and their versions over HTTP."""

from typing import Any

import pytest
from tests.conftest import Account, Client

STORED = "new version of the template has been stored"


@pytest.fixture
def base(account: Account) -> str:
    return f"/v3/{account.domain}/templates"


def create(client: Client, base: str, name: str = "welcome", **fields: Any) -> dict[str, Any]:
    response = client.post(base, data={"name": name, **fields})
    assert response.status_code == 200, response.text
    return dict(response.json()["template"])


def add(client: Client, base: str, tag: str, name: str = "welcome", **fields: Any) -> dict[str, Any]:
    response = client.post(f"{base}/{name}/versions", data={"tag": tag, "template": f"<p>{tag}", **fields})
    assert response.status_code == 200, response.text
    assert response.json()["message"] == STORED
    return dict(response.json()["template"]["version"])


def active_tag(client: Client, base: str, name: str = "welcome") -> str | None:
    found = client.get(f"{base}/{name}", params={"active": "yes"}).json()["template"].get("version")
    return str(found["tag"]) if found else None


def refused(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["message"]


def test_a_template_with_content_has_an_active_version(client: Client, base: str) -> None:
    response = client.post(
        base,
        data={
            "name": "Welcome",
            "description": "Greets",
            "template": "<p>Hi {{name}}</p>",
            "tag": "V1",
            "comment": "first",
            "createdBy": "ann",
            "headers": '{"subject": "Hi {{name}}", "Reply-To": "us@x.com"}',
        },
    )
    assert response.json()["message"] == "template has been stored"
    template = response.json()["template"]
    assert list(template) == ["name", "description", "createdAt", "createdBy", "id", "version"]
    assert (template["name"], template["description"], template["createdBy"]) == ("welcome", "Greets", "ann")
    assert template["createdAt"].endswith(" UTC")
    version = template["version"]
    assert list(version) == [
        *("tag", "template", "engine", "mjml", "createdAt"),
        *("comment", "active", "id", "headers"),
    ]
    assert version["tag"] == "v1"
    assert version["engine"] == "handlebars"
    assert version["active"] is True
    assert version["headers"] == {"Subject": "Hi {{name}}", "Reply-To": "us@x.com"}
    assert client.get(f"{base}/WELCOME/versions/V1").json() == {"template": template}


def test_a_template_without_content_has_no_version(client: Client, base: str) -> None:
    assert "version" not in create(client, base, "bare")
    assert "version" not in client.get(f"{base}/bare", params={"active": "yes"}).json()["template"]
    assert add(client, base, "one", "bare")["active"] is True


def test_the_first_version_is_called_initial(client: Client, base: str) -> None:
    version = create(client, base, template="x")["version"]
    assert version["tag"] == "initial"
    assert "headers" not in version


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "Missing mandatory parameter: name"),
        ({"name": ""}, "Missing mandatory parameter: name"),
        ({"name": "a/b"}, "Invalid parameter: name is invalid"),
        (
            {"name": "a", "template": "x", "engine": "jinja"},
            "Invalid parameter: engine jinja is not supported",
        ),
        ({"name": "a", "template": "x", "headers": "no JSON"}, "Invalid parameter: headers is invalid"),
        ({"name": "a", "template": "x", "headers": '{"To": "x"}'}, "Invalid parameter: headers is invalid"),
        ({"name": "a", "template": "x" * 102_401}, "template is larger than 100 KB"),
    ],
)
def test_what_can_not_be_stored_is_refused_and_leaves_nothing(
    client: Client, base: str, fields: dict[str, str], message: str
) -> None:
    assert refused(client.post(base, data=fields)) == (400, message)
    assert client.get(base).json()["items"] == []


def test_names_are_unique_in_any_case(client: Client, base: str) -> None:
    create(client, base, "welcome")
    assert refused(client.post(base, data={"name": "WELCOME"})) == (400, "duplicate template")


def test_names_may_hold_any_letters(client: Client, base: str) -> None:
    create(client, base, "Grüße aus Köln", template="x")
    assert client.get(f"{base}/grüße aus köln").json()["template"]["name"] == "grüße aus köln"


def test_templates_are_paged_by_name(client: Client, base: str) -> None:
    for name in ("d", "b", "a b", "c", "e"):
        create(client, base, name, template=name)
    first = client.get(base, params={"limit": 2}).json()
    assert [each["name"] for each in first["items"]] == ["a b", "b"]
    url = str(client.base_url).rstrip("/") + base
    assert first["paging"] == {
        "first": f"{url}?limit=2",
        "last": f"{url}?page=last&limit=2",
        "next": f"{url}?page=next&p=b&limit=2",
        "previous": f"{url}?page=previous&p=a+b&limit=2",
    }
    seen, page = [], first
    while page["items"]:
        seen += [each["name"] for each in page["items"]]
        page = client.get(page["paging"]["next"]).json()
    assert seen == ["a b", "b", "c", "d", "e"]
    back = client.get(page["paging"]["previous"]).json()
    assert [each["name"] for each in back["items"]] == ["c", "d"]
    assert [each["name"] for each in client.get(first["paging"]["last"]).json()["items"]] == ["d", "e"]
    assert [each["name"] for each in client.get(base, params={"page": "prev", "p": "c"}).json()["items"]] == [
        "a b",
        "b",
    ]
    assert refused(client.get(base, params={"limit": 101})) == (
        400,
        "Limit parameter can't be larger than 100",
    )


def test_a_list_tells_active_versions_when_asked(client: Client, base: str) -> None:
    create(client, base, "a", template="A")
    create(client, base, "b")
    page = client.get(base, params={"active": "yes"}).json()
    assert [each.get("version", {}).get("template") for each in page["items"]] == ["A", None]
    assert "active=yes" in page["paging"]["next"]
    assert all("version" not in each for each in client.get(base).json()["items"])


def test_a_description_is_changed(client: Client, base: str) -> None:
    create(client, base)
    response = client.put(f"{base}/welcome", data={"description": "other"})
    assert response.json() == {"message": "template has been updated", "template": {"name": "welcome"}}
    assert client.get(f"{base}/welcome").json()["template"]["description"] == "other"
    assert refused(client.put(f"{base}/welcome", data={"x": "y"})) == (
        400,
        "No fields are provided to update",
    )


def test_templates_are_deleted_with_their_versions(client: Client, base: str) -> None:
    create(client, base, "a", template="A")
    create(client, base, "b", template="B")
    assert client.delete(f"{base}/A").json() == {
        "message": "template has been deleted",
        "template": {"name": "a"},
    }
    assert refused(client.get(f"{base}/a")) == (404, "template not found")
    assert refused(client.delete(f"{base}/a")) == (404, "template not found")
    assert client.delete("/v3/unknown.example.org/templates").status_code == 404
    assert refused(client.get(f"{base}/a/versions/initial")) == (404, "template not found")
    assert client.delete(base).json() == {"message": "templates have been deleted"}
    assert client.get(base).json()["items"] == []
    assert "version" not in create(client, base, "a")
    assert client.get(f"{base}/a/versions").json()["template"]["versions"] == []


def test_one_version_is_active(client: Client, base: str) -> None:
    create(client, base, template="x", tag="v1")
    assert add(client, base, "V2")["active"] is False
    assert active_tag(client, base) == "v1"
    assert add(client, base, "v3", active="yes")["active"] is True
    assert active_tag(client, base) == "v3"
    client.put(f"{base}/welcome/versions/v2", data={"active": "yes"})
    versions = client.get(f"{base}/welcome/versions").json()["template"]["versions"]
    assert [(each["tag"], each["active"]) for each in versions] == [
        ("v1", False),
        ("v2", True),
        ("v3", False),
    ]
    assert all("template" not in each and "headers" not in each for each in versions)
    response = client.delete(f"{base}/welcome/versions/v2")
    assert response.json() == {
        "message": "version has been deleted",
        "template": {"name": "welcome", "version": {"tag": "v2"}},
    }
    assert active_tag(client, base) is None


def test_versions_are_refused(client: Client, base: str) -> None:
    create(client, base, template="x", tag="v1")
    url = f"{base}/welcome/versions"
    assert refused(client.post(url, data={"tag": "a"})) == (400, "Missing mandatory parameter: template")
    assert refused(client.post(url, data={"template": "a"})) == (400, "Missing mandatory parameter: tag")
    assert refused(client.post(url, data={"tag": "V1", "template": "a"})) == (
        409,
        "version v1 already exists",
    )
    assert refused(client.post(url, data={"tag": "a/b", "template": "a"})) == (
        400,
        "Invalid parameter: tag is invalid",
    )
    for nothing in ({}, {"template": ""}):
        assert refused(client.put(f"{url}/v1", data=nothing)) == (400, "No fields are provided to update")
    for method in ("GET", "PUT", "DELETE"):
        assert refused(client.request(method, f"{url}/v9")) == (404, "template version not found")
    assert refused(client.put(f"{url}/v9/copy/v2")) == (404, "template version not found")
    assert refused(client.get(f"{base}/other/versions")) == (404, "template not found")
    assert len(client.get(url).json()["template"]["versions"]) == 1


def test_a_version_is_changed_where_asked_to(client: Client, base: str) -> None:
    create(client, base, template="x", tag="v1", comment="c", headers='{"From": "a@x.com"}')
    url = f"{base}/welcome/versions/v1"
    response = client.put(url, data={"template": "y"})
    assert response.json() == {
        "message": "version has been updated",
        "template": {"name": "welcome", "version": {"tag": "v1"}},
    }
    version = client.get(url).json()["template"]["version"]
    assert (version["template"], version["comment"], version["headers"]) == ("y", "c", {"From": "a@x.com"})
    client.put(url, data={"headers": "{}", "comment": "d"})
    version = client.get(url).json()["template"]["version"]
    assert (version["template"], version["comment"], "headers" in version) == ("y", "d", False)


def test_a_version_is_copied_over_what_is_there(client: Client, base: str) -> None:
    create(client, base, template="x", tag="v1", comment="c", headers='{"Subject": "s"}')
    url = f"{base}/welcome/versions"
    copied = client.put(f"{url}/v1/copy/V2", params={"comment": "copied"}).json()
    assert copied["message"] == "version has been copied"
    assert copied["version"] == copied["template"]
    version = copied["version"]
    assert (version["tag"], version["template"], version["comment"]) == ("v2", "x", "copied")
    assert (version["active"], version["headers"]) == (False, {"Subject": "s"})
    client.put(f"{url}/v2", data={"template": "y"})
    client.put(f"{url}/v2/copy/v1")
    version = client.get(f"{url}/v1").json()["template"]["version"]
    assert (version["template"], version["active"], version["comment"]) == ("y", True, "copied")


def test_versions_are_paged_by_tag(client: Client, base: str) -> None:
    create(client, base)
    for tag in ("c", "a", "b"):
        add(client, base, tag)
    page = client.get(f"{base}/welcome/versions", params={"limit": 2}).json()
    assert [each["tag"] for each in page["template"]["versions"]] == ["a", "b"]
    page = client.get(page["paging"]["next"]).json()
    assert [each["tag"] for each in page["template"]["versions"]] == ["c"]
    page = client.get(page["paging"]["next"]).json()
    assert page["template"]["versions"] == []
    page = client.get(page["paging"]["previous"]).json()
    assert [each["tag"] for each in page["template"]["versions"]] == ["a", "b"]


def test_a_template_has_forty_versions_and_a_domain_a_hundred_templates_at_most(
    client: Client, base: str
) -> None:
    create(client, base, template="x")
    for number in range(39):
        add(client, base, f"v{number}")
    url = f"{base}/welcome/versions"
    assert client.post(url, data={"tag": "more", "template": "x"}).status_code == 400
    assert client.put(f"{url}/v1/copy/more").status_code == 400
    assert client.put(f"{url}/v1/copy/v2").status_code == 200
    for number in range(99):
        create(client, base, f"t{number}")
    assert client.post(base, data={"name": "more"}).status_code == 400
    assert len(client.get(base).json()["items"]) == 100


def test_templates_belong_to_one_domain(client: Client, base: str, account: Account) -> None:
    create(client, base)
    other = f"other-{account.domain}"
    client.post("/v3/domains", data={"name": other})
    assert refused(client.get(f"/v3/{other}/templates/welcome")) == (404, "template not found")
    assert refused(client.get("/v3/unknown.example.com/templates")) == (404, "domain not found")
    client.delete(f"/v3/domains/{account.domain}")
    assert refused(client.get(base)) == (404, "domain not found")


def test_a_template_is_created_from_json(client: Client, base: str) -> None:
    body = {"name": "j", "template": "x", "headers": {"Subject": "s"}, "active": True}
    assert client.post(base, json=body).json()["template"]["version"]["headers"] == {"Subject": "s"}
