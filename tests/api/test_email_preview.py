from base64 import b64encode
from typing import Any

import pytest
from tests import plain
from tests.api.answers import refused
from tests.api.placed import advance
from tests.conftest import Client

HTML = "<style>p{color:red}</style><p>Hi <b>Bob</b></p><img alt='Logo' src='http://x.com/a.png'>"
NOT_FOUND = {"error": {"name": "TestNotFound", "message": "test not found"}}
FEW = ["outlook19", "gmail_ios17"]


def create(client: Client, version: str = "v1", **fields: Any) -> str:
    asked = {"subject": "Hello <you>", "html": HTML, "clients": FEW, **fields}
    made = client.post(f"/{version}/preview/tests", json=asked)
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


def usage(client: Client) -> tuple[int, ...]:
    names = ["email_preview_count", "email_preview_failed_count"]
    asked = {"metrics": names, "dimensions": ["time"], "include_aggregates": True}
    told = client.post("/v1/analytics/usage/metrics", json=asked).json()["aggregates"]["metrics"]
    return tuple(told[name] for name in names)


def test_screenshots_come_one_after_another(client: Client) -> None:
    made = client.post(
        "/v1/preview/tests", json={"subject": "Hi", "html": HTML, "clients": FEW, "reference_id": "123ABC"}
    ).json()
    test_id = made["id"]
    assert made == {"id": test_id, "reference_id": "123ABC", "customer_id": ""}
    info = client.get(f"/v1/preview/tests/{test_id}").json()
    date = info.pop("date")
    assert info == {"subject": "Hi", "completed": [], "processing": FEW, "bounced": []}
    assert client.get(f"/v1/preview/tests/{test_id}/results").json()["outlook19"] == {
        "id": "outlook19",
        "display_name": "Outlook 2019",
        "client": "Outlook 2019",
        "os": "Windows 10",
        "category": "Application",
        "browser": "",
        "screenshots": {},
        "thumbnail": "",
        "full_thumbnail": "",
        "status": "Processing",
        "status_details": {"submitted": date, "completed": 0, "bounce_code": "", "bounce_message": ""},
    }
    advance(client, "16s")
    info = client.get(f"/v1/preview/tests/{test_id}").json()
    assert (info["completed"], info["processing"]) == (FEW[:1], FEW[1:])
    advance(client, "10s")
    assert client.get(f"/v1/preview/tests/{test_id}").json()["completed"] == FEW
    assert usage(client) == (1, 0)


def test_screenshots_are_served_to_anybody(client: Client) -> None:
    test_id = create(client, image_blocking="yes")
    early = f"{client.base_url}/v1/preview/tests/{test_id}/screenshots/outlook19"
    assert plain.get(early).status_code == 404
    advance(client, "1m")
    told = client.get(f"/v1/preview/tests/{test_id}/results").json()["outlook19"]
    assert (told["status"], set(told["screenshots"])) == ("Complete", {"default", "no_images"})
    shown = plain.get(told["screenshots"]["default"])
    assert shown.headers["Content-Type"].startswith("image/svg+xml")
    assert b"Hello &lt;you&gt;" in shown.content
    assert b"Hi Bob" in shown.content
    assert b"[image: Logo]" in shown.content
    assert b"[image" not in plain.get(told["screenshots"]["no_images"]).content
    assert b'width="160"' in plain.get(told["thumbnail"]).content
    assert b'width="320"' in plain.get(told["full_thumbnail"]).content
    client.delete(f"/v1/preview/tests/{test_id}")
    refused(plain.get(told["thumbnail"]), 404, NOT_FOUND)


def test_what_is_empty_bounces(client: Client) -> None:
    test_id = create(client, html="<p> </p>")
    advance(client, "1m")
    assert client.get(f"/v1/preview/tests/{test_id}").json()["bounced"] == FEW
    told = client.get(f"/v1/preview/tests/{test_id}/results").json()["gmail_ios17"]
    details = told["status_details"]
    assert (told["status"], told["screenshots"], details["bounce_code"]) == ("Bounced", {}, "EMPTY_CONTENT")
    assert details["bounce_message"] == "The message has neither text nor images"
    assert usage(client) == (0, 1)


def test_the_content_is_told_in_three_ways(client: Client) -> None:
    path = f"/v1/preview/tests/{create(client)}/content"
    assert client.get(path).json() == {"content": HTML}
    inlined = '<p style="color: red;">Hi <b>Bob</b></p>'
    assert client.get(f"{path}/inlinecss").json()["content"].startswith(inlined)
    assert client.get(f"{path}/textonly").json()["content"].startswith("Hi Bob")


def test_content_may_be_base64_or_a_mime(client: Client) -> None:
    coded = b64encode("<p>Grüße</p>".encode("latin-1")).decode()
    one = create(client, html=coded, transfer_encoding="base64", charset="latin-1")
    mime = "Subject: x\nContent-Type: text/html; charset=utf-8\n\n<p>Hi</p>"
    two = create(client, html="", mime=mime)
    plain_mime = b64encode(
        "Subject: x\nContent-Type: text/plain; charset=latin-1\n\nGrüße <3".encode("latin-1")
    )
    three = create(client, html="", mime=plain_mime.decode(), transfer_encoding="base64")
    contents = [
        client.get(f"/v1/preview/tests/{each}/content").json()["content"] for each in (one, two, three)
    ]
    assert contents == ["<p>Grüße</p>", "<p>Hi</p>", "<pre>Grüße &lt;3</pre>"]


@pytest.mark.parametrize(("clients", "taken"), [(None, 17), ([], 17), ("outlook19,gmail_ios17", 2)])
def test_clients_may_be_named_in_a_row_or_not_at_all(client: Client, clients: Any, taken: int) -> None:
    told = client.get(f"/v1/preview/tests/{create(client, clients=clients)}").json()
    assert len(told["processing"]) == taken


def test_headers_of_a_test_are_told_in_the_list(client: Client) -> None:
    create(client, headers='{"X-Campaign": "spring"}')
    assert client.get("/v1/preview/tests").json()[0]["headers"] == {"X-Campaign": "spring"}


def test_screenshots_are_made_anew_so_many_times(client: Client) -> None:
    test_id = create(client)
    advance(client, "1m")
    path = f"/v1/preview/tests/{test_id}/results/reprocess"
    told = client.put(path, json={"clients": ["outlook19", "thunderbird"]}).json()
    sent = told["outlook19"]["screenshot"].pop("sent")
    assert told == {
        "outlook19": {
            "success": True,
            "remaining_reprocesses": 19,
            "regional": False,
            "screenshot": {"id": "outlook19", "type": "resubmit", "completed": 0},
        },
        "thunderbird": {
            "success": False,
            "remaining_reprocesses": 19,
            "regional": False,
            "reason": "thunderbird is no client of this test",
        },
    }
    assert client.get(f"/v1/preview/tests/{test_id}").json()["processing"] == ["outlook19"]
    advance(client, "16s")
    shot = client.get(f"/v1/preview/tests/{test_id}/results").json()["outlook19"]
    assert (shot["status"], shot["status_details"]["submitted"]) == ("Complete", sent)
    for _ in range(19):
        client.put(path, json={"clients": ["outlook19"]})
    last = client.put(path, json={"clients": ["outlook19"]}).json()["outlook19"]
    assert (last["success"], last["reason"]) == (False, "no reprocesses remain")
    refused(client.put(path, json={"clients": []}), 400, {"Reason": "Missing mandatory parameter: clients"})


def test_tests_are_listed_and_found(client: Client) -> None:
    first = create(client, subject="Spring", headers={"X-One": "1"})
    advance(client, "1d")
    second = create(client, subject="Autumn", version="v2")

    def found(**asked: Any) -> list[str]:
        return [each["id"] for each in client.get("/v2/preview/tests", params=asked).json()]

    assert found() == [second, first]
    one = client.get("/v1/preview/tests", params={"subject": "spring"}).json()
    date = one[0]["date"]
    told = {"id": first, "date": date, "type": "email-test", "subject": "Spring", "headers": {"X-One": "1"}}
    assert one == [told]
    assert found(**{"from": date + 60}) == [second]
    assert found(to=date + 60) == [first]
    assert found(results=1, page=2) == [first]
    assert found(results=1) == [second]


@pytest.mark.parametrize("version", ["v2", "v1/preview/v2"])
def test_newer_paths_are_about_the_same_tests(client: Client, version: str) -> None:
    base = f"/{version}/tests" if "/" in version else f"/{version}/preview/tests"
    test_id = client.post(base, json={"subject": "Hi", "html": HTML, "clients": FEW}).json()["id"]
    assert [each["id"] for each in client.get(base).json()] == [test_id]
    assert client.get("/v1/preview/tests").json() == client.get(base).json()
    refused(client.post(base, json={}), 400, {"Reason": "Missing mandatory parameter: subject"})
    refused(client.get(f"{base}?results=0"), 400, {"Reason": "Invalid parameter: results is invalid"})


def test_newer_paths_tell_of_and_delete_a_test(client: Client) -> None:
    test_id = create(client)
    for rest in ("", "/results"):
        newer = client.get(f"/v2/preview/tests/{test_id}{rest}").json()
        assert newer == client.get(f"/v1/preview/tests/{test_id}{rest}").json()
        refused(client.get(f"/v2/preview/tests/nothing{rest}"), 404, NOT_FOUND)
    assert client.get("/v2/preview/tests/clients").json() == client.get("/v1/preview/tests/clients").json()
    assert client.delete(f"/v2/preview/tests/{test_id}").json() == {"success": True}
    refused(client.delete(f"/v2/preview/tests/{test_id}"), 404, NOT_FOUND)
    assert client.get("/v1/preview/tests").json() == []


def test_clients_are_listed_and_the_usual_ones_taken(client: Client) -> None:
    known = client.get("/v1/preview/tests/clients").json()
    assert known["gmailcom_chrome"] == {
        "id": "gmailcom_chrome",
        "client": "Gmail",
        "os": "Windows 11",
        "category": "Web",
        "browser": "Chrome",
        "rotate": False,
        "default": True,
    }
    assert "browser" not in known["iphone15_ios17"]
    taken = client.get(f"/v1/preview/tests/{create(client, clients=[])}").json()["processing"]
    assert taken == [name for name, each in known.items() if each["default"]]


def test_a_deleted_test_is_gone(client: Client) -> None:
    test_id = create(client)
    assert client.delete(f"/v1/preview/tests/{test_id}").json() == {"success": True}
    refused(client.get(f"/v1/preview/tests/{test_id}"), 404, NOT_FOUND)
    assert client.get("/v1/preview/tests").json() == []


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"subject": None}, "Invalid parameter: subject is invalid"),
        ({"subject": ""}, "Invalid parameter: subject is invalid"),
        ({"html": ""}, "one of html, mime or url is required"),
        ({"html": "", "url": "http://example.com/"}, "url could not be fetched"),
        ({"html": "!", "transfer_encoding": "base64"}, "html could not be decoded"),
        ({"html": "aGk=", "transfer_encoding": "base64", "charset": "none"}, "html could not be decoded"),
        ({"html": "aGk=", "transfer_encoding": "base64", "charset": "a\0b"}, "html could not be decoded"),
        ({"html": "XHVkODAw", "transfer_encoding": "base64", "charset": "unicode_escape"}, "html could not be decoded"),
        ({"headers": "X-Campaign: spring"}, "Invalid parameter: headers is invalid"),
        ({"clients": ["pine"]}, "invalid client: pine"),
        ({"clients": [{"id": "outlook19"}]}, "Invalid parameter: clients is invalid"),
        ({"image_blocking": "maybe"}, "Invalid parameter: image_blocking is invalid"),
    ],
)  # fmt: skip
def test_a_wrong_test_is_refused_and_changes_nothing(
    client: Client, fields: dict[str, Any], reason: str
) -> None:
    asked = {"subject": "Hi", "html": HTML, "clients": FEW, **fields}
    refused(client.post("/v1/preview/tests", json=asked), 400, {"Reason": reason})
    assert client.get("/v1/preview/tests").json() == []
    assert usage(client) == (0, 0)


@pytest.mark.parametrize("fields", [{"results": "201"}, {"from": "yesterday"}])
def test_a_wrong_list_is_refused(client: Client, fields: dict[str, str]) -> None:
    reason = f"Invalid parameter: {next(iter(fields))} is invalid"
    refused(client.get("/v1/preview/tests", params=fields), 400, {"Reason": reason})


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""), ("DELETE", ""), ("GET", "/results"), ("GET", "/content"), ("GET", "/content/inlinecss"),
        ("GET", "/content/textonly"), ("PUT", "/results/reprocess"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(client: Client, method: str, path: str) -> None:
    answer = client.request(method, f"/v1/preview/tests/nothing{path}", json={"clients": ["outlook19"]})
    refused(answer, 404, NOT_FOUND)


def test_a_wrong_key_is_refused_as_previews_word_it(client: Client) -> None:
    with Client(base_url=client.base_url) as nobody:
        answer = nobody.get("/v1/preview/tests/nothing/results")
    refused(answer, 401, {"Reason": "Invalid private key"})


def test_a_limit_counts_what_succeeded_even_if_it_was_deleted(client: Client) -> None:
    limit = {"name": "one", "metric": "email_preview_success_count", "comparator": ">=", "limit": "1"}
    client.post("/v1/thresholds/limits", json={**limit, "dimension": "subaccount", "period": "1d"})
    create(client, html="<p></p>")
    client.delete(f"/v1/preview/tests/{create(client)}")
    refused_one = client.post("/v1/preview/tests", json={"subject": "Hi", "html": HTML})
    assert refused_one.status_code == 403
    advance(client, "2d")
    create(client)


def test_accounts_do_not_see_each_others_previews(client: Client) -> None:
    test_id = create(client)
    auth = ("api", client.post("/_emulator/accounts").json()["api_key"])
    assert client.get("/v1/preview/tests", auth=auth).json() == []
    refused(client.get(f"/v1/preview/tests/{test_id}/results", auth=auth), 404, NOT_FOUND)
