"""Whatever is sent to any operation, in any of its parameters: it is answered, and never by a failure of the server.

Which odd value is tried where is drawn, the same in every run.
"""

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import httpx2
from tests.conftest import Client, serving
from tests.fixtures.filling import done, fill

DOCUMENT = Path(__file__).parents[2] / "openapi" / "mailgun-emulator.json"
TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "-1",
    "0",
    "nan",
    "inf",
    "1e400",
    "9" * 30,
    "9" * 10_000,
    "٣",
    "½",
    "2\ufeff",
    "😀",
    "null",
    "true",
    "[1]",
    '{"a": []}',
    "[" * 300,
    "a\r\nb: c",
    "%",
    "{0}",
    "{{",
    "../..",
    "'\"><",
    "0000-00-00",
    "Thu, 99 Foo 0000 99:99:99 +9999",
    "-62135596801",
    "253402300800",
    "9" * 30 + "d",
    "(",
    "(a+)+$",
    "@",
    "a@",
    "*",
    "::",
    "1.2.3.4/99",
    "http://[",
    "https://x:99999999/",
    "a,,b;",
    "x" * 1000,
)
JSONS = (
    "null",
    "true",
    "0",
    "-1",
    "1e308",
    "1e999",
    "NaN",
    "-Infinity",
    "9" * 400,
    "9" * 5000,
    "0.1",
    "18446744073709551616",
    '""',
    '"\\u0000"',
    '"\\ud800"',
    '["\\udfff"]',
    '"nan"',
    "[]",
    "[null]",
    "[[]]",
    "[{}]",
    "[1, [2]]",
    "{}",
    '{"": null}',
    '{"a": 1}',
    '{"\\u0000": {}}',
    '[{"name": []}]',
    '{"name": {}}',
    "[" * 200 + "]" * 200,
    '["a", "a"]',
)
BODIES = (b"", b"\xff\xfe", b"null", b"[]", b'"x"', b"{", b"7", b"a=%ff%00&a[0]=1", b"--x\r\n\r\n")
KINDS = (
    "application/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "multipart/form-data",
    "text/plain",
    "application/yaml",
    "",
)
NOT_ASKED = ("/stream", "/_emulator/reset", "/_emulator/accounts/{account_id}", "/_emulator/clock", "/wait")
"""Has no end, or takes away what the others are asked about; or waits."""


class Operation(NamedTuple):
    """`query` and `fields` are the names of its parameters."""

    method: str
    path: str
    query: list[str]
    fields: list[str]


def operations() -> Iterator[Operation]:
    """Those that delete come last."""
    made = json.loads(DOCUMENT.read_text())
    schemas = made["components"]["schemas"]
    for path, methods in made["paths"].items():
        for method, about in methods.items():
            query = [each["name"] for each in about.get("parameters", ()) if each["in"] == "query"]
            content = about.get("requestBody", {}).get("content", {})
            schema: dict[str, Any] = next((each.get("schema", {}) for each in content.values()), {})
            schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
            if not any(each in path for each in NOT_ASKED):
                yield Operation(method.upper(), path, query, list(schema.get("properties", ())))


def requests(known: dict[str, str]) -> Iterator[tuple[str, str, bytes, str]]:
    """Method, target, body and its type. What is not odd about one is as it may be, as far as it is known."""
    draw = Random(5)
    for method, path, query, fields in sorted(operations(), key=lambda each: each.method == "DELETE"):
        names = {each[1:-1]: known.get(each[1:-1], "x") for each in path.split("/") if each.startswith("{")}
        filled = path.format_map({name: quote(value, safe="") for name, value in names.items()})
        usual = {name: known.get(name, "x") for name in fields}
        for name in names:
            odd = {**names, name: draw.choice(TEXTS[2:]).replace("..", "")}
            yield method, path.format_map({key: quote(value, safe="") for key, value in odd.items()}), b"", ""
        for name in query:
            yield method, f"{filled}?{urlencode({name: draw.choice(TEXTS)})}", b"", ""
        for name in fields:
            yield method, filled, urlencode({**usual, name: draw.choice(TEXTS)}).encode(), KINDS[1]
            whole = json.dumps({**usual, name: "ODD"}).replace('"ODD"', draw.choice(JSONS))
            yield method, filled, whole.encode(), KINDS[0]
        yield method, filled, draw.choice(BODIES), draw.choice(KINDS)


def what_is_known(client: Client, domain: str) -> dict[str, str]:
    """Of a filled account: what parameters may be."""

    def first(path: str, *keys: str | int) -> str:
        found: Any = done(client.get(path))
        for key in keys:
            found = found[key]
        return str(found)

    event = done(client.get(f"/v3/{domain}/events?event=accepted"))["items"][0]
    return {
        "domain": domain,
        "storage_key": event["storage"]["key"],
        "message_id": event["storage"]["key"],
        "list_address": f"news@{domain}",
        "member_address": "m1@example.org",
        "address": "old@example.net",
        "name": "welcome",
        "tag": "v1",
        "webhook_name": "complained",
        "webhook_id": first("/v1/webhooks", "webhooks", 0, "webhook_id"),
        "route_id": first("/v3/routes", "items", 0, "id"),
        "key_id": first("/v1/keys", "items", 0, "id"),
        "user_id": first("/v5/users", "users", 0, "id"),
        "pool_id": first("/v3/ip_pools", "ip_pools", 0, "pool_id"),
        "ip": first("/v3/ips?dedicated=yes", "items", 0),
        "subaccount_id": first("/v5/accounts/subaccounts", "subaccounts", 0, "id"),
        "result": first("/v4/inbox/results", "items", 0, "result_id"),
        "test_id": first("/v1/preview/tests", 0, "id"),
        "login": "ann",
        "list_id": "customers",
        "from": f"ann@{domain}",
        "to": "bob@example.org",
        "html": "<p>Hi</p>",
        "email": "ann@example.net",
        "url": "http://127.0.0.1:9/hook",
        "timeout": "0",
    }


def test_nothing_that_is_sent_makes_the_server_fail() -> None:
    with serving() as server, Client(base_url=server.url) as client:
        account = client.post("/_emulator/accounts").json()
        client.auth = httpx2.BasicAuth("api", account["api_key"])
        domains = client.get("/v4/domains").json()["items"]
        sandbox = next(each["name"] for each in domains if each["type"] == "sandbox")
        fill(client, account["domain"], sandbox)
        known = what_is_known(client, account["domain"])
        failures = []
        key = b64encode(f"api:{account['api_key']}".encode()).decode()
        with closing(HTTPConnection(server.url.removeprefix("http://"), timeout=60)) as connection:
            for method, target, body, kind in requests(known):
                headers = {"Authorization": f"Basic {key}", **({"Content-Type": kind} if kind else {})}
                connection.request(method, target, body, headers)
                answer = connection.getresponse()
                answer.read()
                if answer.status >= 500:
                    failures.append(f"{answer.status} {method} {target[:200]} {kind} {body[:300]!r}")
        assert not failures, "\n".join(failures)
        assert client.get("/v4/domains").status_code == 200
