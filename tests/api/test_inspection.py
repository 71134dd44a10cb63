import re
from base64 import b64encode
from typing import Any

from tests.api.answers import refused
from tests.conftest import Client

PATH = "/v1/inspect/analyze"
GOOD = (
    '<html lang="en"><head><title>Hi</title></head><body><img alt="Logo" src="https://x.org/a.png">'
    '<a href="https://x.org/u">Unsubscribe</a></body></html>'
)


def analysed(client: Client, **asked: str) -> dict[str, Any]:
    made = client.post(PATH, json=asked)
    assert made.status_code == 200, made.text
    result: dict[str, Any] = client.get(made.json()["items"]["links"]["self"]).json()
    return result


def found(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {each["slug"]: each for each in result["items"]["features"]}


def test_an_analysis_is_made_listed_told_and_deleted(client: Client) -> None:
    made = client.post(PATH, json={"html": GOOD}).json()
    test_id = made["items"]["id"]
    assert re.fullmatch(r"[0-9a-f]{24}", test_id)
    link = {"self": f"{client.base_url}{PATH}/{test_id}".replace("//v1", "/v1")}
    assert made == {"meta": {"status": "Completed", "version": 1}, "items": {"id": test_id, "links": link}}
    listed = client.get(PATH, params={"status": "Completed"}).json()
    (item,) = listed["items"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", item.pop("created_at"))
    assert item == {"test_id": test_id, "status": "Completed", "version": 1, "links": link}
    assert client.get(PATH, params={"status": "Failed"}).json()["items"] == []
    assert client.get(PATH, params={"skip": 1}).json()["meta"] == {"total": 1, "skip": 1, "limit": 100}
    result = client.get(f"{PATH}/{test_id}").json()
    assert result["meta"]["count"] == 0
    assert result["items"] == {"id": test_id, "version": 1, "features": []}
    assert client.delete(f"{PATH}/{test_id}").json() == {"message": "deleted"}
    assert client.get(PATH).json()["meta"]["total"] == 0
    refused(client.get(f"{PATH}/{test_id}"), 404, {"message": "test not found"})
    refused(client.delete(f"{PATH}/{test_id}"), 404, {"message": "test not found"})


def test_what_clients_do_not_show_is_found_with_its_line(client: Client) -> None:
    html = (
        '<p>\n<div style="display: flex; border-radius:3px">\n<video src="v"></video>'
        "<style>\n@media print { p { position: fixed } }\n</style>"
    )
    result = analysed(client, html=html)
    features = found(result)
    assert {"css-display-flex", "css-border-radius", "html-video", "css-at-media", "css-position"} <= set(
        features
    )
    flex = features["css-display-flex"]
    assert flex["instances"] == [{"line": 2, "code": "display: flex"}]
    assert (flex["support"]["n"], flex["support"]["a"]) == (["outlook-windows"], ["gmail", "gmail-android"])
    assert [each["line"] for each in features["css-at-media"]["instances"]] == [4]
    assert result["meta"]["application_support"]["desktop"]["n"] >= 4
    path = f"{PATH}/{result['items']['id']}"
    one = client.get(path, params={"slug": "html-video", "application_type": "mobile"}).json()
    assert found(one)["html-video"]["support"] == {
        "y": ["ios", "samsung-email"],
        "a": [],
        "n": ["gmail-android"],
    }
    partly = client.get(path, params={"support_type": "a", "application_type": "desktop"}).json()
    assert "css-display-flex" not in found(partly)


def test_what_is_wrong_with_an_email_is_found(client: Client) -> None:
    html = '<img src="x"><a href="#">top</a><a href="http://x.org">x</a>' + "x" * 104_500
    features = found(analysed(client, html=html))
    assert set(features) == {
        "image-alt",
        "link-target",
        "link-insecure",
        "html-lang",
        "html-title",
        "unsubscribe",
        "message-size",
    }
    assert features["message-size"]["support"]["n"] == ["gmail", "gmail-android"]


def test_a_whole_message_is_looked_at(client: Client) -> None:
    mime = (
        "From: a@example.com\r\nSubject: BUY THIS NOW\r\nList-Unsubscribe: <https://x.org/u>\r\n"
        f"Content-Type: text/html\r\n\r\n{GOOD.replace('Unsubscribe', 'more')}"
    )
    assert {"spam-subj-all-caps", "spam-missing-mid"} <= set(found(analysed(client, mime=mime)))
    encoded = b64encode(mime.encode()).decode()
    assert "unsubscribe" not in found(analysed(client, mime=encoded, transfer_encoding="base64"))
    quoted = analysed(client, html="<img src=3D'x'>", transfer_encoding="quoted-printable")
    assert found(quoted)["image-alt"]["instances"][0]["code"] == "<img src='x'>"


def test_what_makes_no_sense_is_refused(client: Client) -> None:
    assert client.post(PATH, json={}, auth=("api", "")).status_code == 401
    refused(client.post(PATH, json={}), 400, {"message": "one of html, url, mime is required"})
    refused(client.post(PATH, json={"url": "https://x.org"}), 400, {"message": "unable to fetch url"})
    for asked in ({"transfer_encoding": "x"}, {"charset": "x"}, {"transfer_encoding": "base64"}):
        refused(client.post(PATH, json={"html": "x", **asked}), 400, {"message": "unable to decode content"})
    for html in ("é", "!!!!"):
        asked = {"html": html, "transfer_encoding": "base64"}
        refused(client.post(PATH, json=asked), 400, {"message": "unable to decode content"})
    assert client.get(PATH).json()["items"] == []
    refused(
        client.get(PATH, params={"status": "x"}),
        400,
        {"message": "status must be one of Processing, Completed, Failed"},
    )
    path = f"{PATH}/{analysed(client, html=GOOD)['items']['id']}"
    bad = {"message": "support_type must be one of y, a, n, u"}
    refused(client.get(path, params={"support_type": "x"}), 400, bad)
    bad = {"message": "application_type must be one of web, mobile, desktop"}
    refused(client.get(path, params={"application_type": "x"}), 400, bad)
