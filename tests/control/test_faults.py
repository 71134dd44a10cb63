import json
import re
from typing import Any

import httpx2
import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.openapi.document import names
from mailgun_emulator.openapi.operations import operations
from mailgun_emulator.pipeline.reasons import REASONS
from mailgun_emulator.testing import Emulator
from mailgun_emulator.web.routing import operation_names

PATH = "/_emulator/faults"


def add(client: Client, **asked: Any) -> dict[str, Any]:
    made = client.post(PATH, json=asked)
    assert made.status_code == 200, made.text
    return dict(made.json())


def send(client: Client, domain: str, to: str = "bob@x.com", **fields: str) -> httpx2.Response:
    message = {"from": f"ann@{domain}", "to": to, "subject": "Hi", "text": "hello", **fields}
    return client.post(f"/v3/{domain}/messages", data=message)


def statuses(client: Client, domain: str, count: int) -> list[int]:
    return [send(client, domain).status_code for _ in range(count)]


def test_a_fault_is_made_told_and_deleted(client: Client, account: Account) -> None:
    asked = {
        "match": {"method": "POST", "path": "/v3/*/messages", "domain": account.domain, "nth": 2},
        "do": {"status": 429, "message": "Slow down", "retry_after": "1m30s", "delay": 0.01},
        "times": 2,
    }
    made = add(client, **asked)
    assert re.fullmatch(r"[0-9a-f]{24}", made["id"])
    told = {"status": 429, "message": "Slow down", "retry_after": 90.0, "delay": 0.01}
    assert made == {**asked, "do": told, "id": made["id"], "seen": 0, "hits": 0}
    assert client.get(PATH).json() == {"items": [made]}
    assert statuses(client, account.domain, 4) == [200, 429, 429, 200]
    path = f"{PATH}/{made['id']}"
    assert client.get(path).json() == {**made, "seen": 4, "hits": 2}
    assert client.delete(path).json() == {"message": "Fault deleted"}
    for gone in (client.get(path), client.delete(path)):
        assert gone.status_code == 404
        assert gone.json() == {
            "message": f"There is no fault {made['id']}; GET /_emulator/faults lists those there are."
        }


def test_all_faults_are_deleted_at_once(client: Client, account: Account) -> None:
    add(client, do={"status": 500})
    add(client, do={"status": 503})
    assert client.delete(PATH).json() == {"message": "Faults deleted"}
    assert client.get(PATH).json() == {"items": []}
    assert send(client, account.domain).status_code == 200


def test_faults_are_the_accounts_own_and_go_with_a_reset(
    server_url: str, client: Client, account: Account
) -> None:
    made = add(client, do={"status": 500})
    other = plain.post(f"{server_url}/_emulator/accounts").json()
    assert plain.get(f"{server_url}{PATH}", params={"account": other["id"]}).json() == {"items": []}
    path = f"{server_url}{PATH}/{made['id']}"
    assert plain.get(path, params={"account": other["id"]}).status_code == 404
    assert plain.delete(path, params={"account": other["id"]}).status_code == 404
    assert plain.get(path, params={"account": account.id}).json() == made
    domains = f"{server_url}/v4/domains"
    assert plain.get(domains, auth=("api", other["api_key"])).status_code == 200
    assert plain.get(domains, auth=("api", account.api_key)).status_code == 500
    client.post(f"/_emulator/accounts/{account.id}/reset")
    assert client.get(PATH).json() == {"items": []}
    assert client.get("/v4/domains").status_code == 200


def test_a_deleted_account_takes_its_faults_along(server_url: str, client: Client, account: Account) -> None:
    add(client, do={"status": 500})
    assert client.delete(f"/_emulator/accounts/{account.id}").status_code == 200
    assert plain.get(f"{server_url}/v4/domains", auth=("api", account.api_key)).status_code in (200, 401)


@pytest.mark.parametrize(
    ("match", "met"),
    [
        ({}, ["list", "domain", "bounces", "send"]),
        ({"method": "post"}, ["send"]),
        ({"path": "/v3/*"}, ["bounces", "send"]),
        ({"path": "*/BOUNCES"}, ["bounces"]),
        ({"operation": "send_message"}, ["send"]),
        ({"operation": "list_domains_v3"}, []),
        ({"operation": "list_*"}, ["list", "bounces"]),
        ({"domain": "*"}, ["domain", "bounces", "send"]),
        ({"domain": "other.*"}, []),
        ({"method": "GET", "domain": "*"}, ["domain", "bounces"]),
    ],
)
def test_a_fault_is_met_by_what_fits(
    client: Client, account: Account, match: dict[str, str], met: list[str]
) -> None:
    add(client, match=match, do={"status": 500})
    answers = {
        "list": client.get("/v4/domains"),
        "domain": client.get(f"/v4/domains/{account.domain}"),
        "bounces": client.get(f"/v3/{account.domain}/bounces"),
        "send": send(client, account.domain),
    }
    assert [name for name, answer in answers.items() if answer.status_code == 500] == met


@pytest.mark.parametrize(
    ("match", "times", "expected"),
    [
        ({"nth": 3}, None, [200, 200, 500, 200, 200, 200]),
        ({"nth": 3}, 2, [200, 200, 500, 500, 200, 200]),
        ({"every": 2}, None, [200, 500, 200, 500, 200, 500]),
        ({"every": 2}, 1, [200, 500, 200, 200, 200, 200]),
        ({}, 2, [500, 500, 200, 200, 200, 200]),
    ],
)
def test_a_fault_counts_what_fits(
    client: Client, account: Account, match: dict[str, int], times: int | None, expected: list[int]
) -> None:
    add(client, match={"operation": "send_message", **match}, do={"status": 500}, times=times)
    client.get("/v4/domains")
    assert statuses(client, account.domain, 6) == expected


def test_the_first_fault_whose_turn_it_is_takes_effect(client: Client, account: Account) -> None:
    add(client, do={"status": 500}, times=1)
    add(client, match={"nth": 2}, do={"status": 502})
    add(client, do={"status": 503})
    assert statuses(client, account.domain, 4) == [500, 503, 502, 503]


def test_chance_is_the_same_with_the_same_seed() -> None:
    runs = []
    for _ in range(2):
        with Emulator(seed=7) as server, Client(base_url=server.url, auth=("api", "key-emulator")) as client:
            add(client, match={"probability": 0.5}, do={"status": 500})
            runs.append([client.get("/v4/domains").status_code for _ in range(20)])
    assert runs[0] == runs[1]
    assert set(runs[0]) == {200, 500}


def test_the_emulator_itself_and_links_in_messages_meet_no_faults(client: Client) -> None:
    add(client, do={"status": 500})
    for path in (PATH, "/_emulator/clock", "/_emulator/health"):
        assert client.get(path).status_code == 200
    assert client.get("/o/nothing").status_code == 404


def test_who_has_no_account_meets_no_fault(server_url: str, client: Client) -> None:
    add(client, do={"status": 500})
    assert plain.get(f"{server_url}/v4/domains").status_code == 401


def test_a_key_nobody_has_speaks_for_the_default_account() -> None:
    with Emulator() as server, Client(base_url=server.url) as client:
        add(client, do={"status": 500})
        assert client.get("/v4/domains", auth=("api", "anything")).status_code == 500
        assert client.get("/v4/domains").status_code == 401
    with Emulator(strict=True) as server, Client(base_url=server.url) as client:
        add(client, do={"status": 500})
        assert client.get("/v4/domains", auth=("api", "anything")).status_code == 401


SENDING = "/v3/{domain}/messages"
NOT_ALLOWED = "Domain {domain} is not allowed to send"


@pytest.mark.parametrize(
    ("method", "path", "do", "status", "body"),
    [
        ("POST", SENDING, {"status": 401}, 401, "Forbidden"),
        ("GET", "/v1/keys", {"status": 401}, 401, {"message": "Invalid private key"}),
        ("POST", SENDING, {"status": 402}, 402, {"message": "upgrade your account to enable this feature"}),
        (
            "GET",
            "/v2/x509/email.{domain}/status",
            {"status": 402},
            402,
            {"Reason": "upgrade your account to enable this feature"},
        ),
        ("POST", SENDING, {"status": 403}, 403, {"message": NOT_ALLOWED + ": Account disabled"}),
        ("GET", "/v3/routes", {"status": 403}, 403, {"message": "Forbidden"}),
        ("POST", SENDING, {"status": 404}, 404, {"message": "Domain not found: {domain}"}),
        ("GET", "/v4/domains/{domain}", {"status": 404}, 404, {"message": "Domain not found"}),
        ("GET", "/v3/{domain}/bounces", {"status": 404}, 404, {"message": "domain not found"}),
        ("GET", "/v3/routes", {"status": 404}, 404, {"message": "Not Found"}),
        ("POST", SENDING, {"status": 413}, 413, {"message": "request size exceeds 52.4MiB limit"}),
        ("GET", "/v3/lists/pages", {"status": 429}, 429, {"message": "Too Many Requests"}),
        ("GET", "/v3/domains/{domain}/webhooks", {"status": 429}, 429, {"retry-seconds": 60}),
        ("GET", "/v4/domains", {"status": 429, "retry_after": 5}, 429, {"retry-seconds": 5}),
        ("GET", "/v2/x509/email.{domain}/status", {"status": 429}, 429, {"Description": "Too Many Requests"}),
        ("POST", SENDING, {"status": 500}, 500, {"message": "Internal Server Error"}),
        ("POST", SENDING, {"status": 502}, 502, {"message": "Bad Gateway"}),
        ("GET", "/v4/domains", {"status": 503}, 503, {"message": "Service Unavailable"}),
        ("GET", "/v4/domains", {"status": 599}, 599, {"message": "Status 599"}),
        ("POST", SENDING, {"status": 400, "message": "No"}, 400, {"message": "No"}),
        ("POST", SENDING, {"status": 401, "message": "No"}, 401, "No"),
        ("POST", SENDING, {"reason": "large-batches"}, 403, {"message": NOT_ALLOWED + " large batches yet"}),
        (
            "POST",
            SENDING + ".mime",
            {"reason": "account-inactive"},
            403,
            {"message": NOT_ALLOWED + ": Account Inactivity"},
        ),
        (
            "POST",
            SENDING,
            {"reason": "recipient-limit"},
            400,
            {"message": NOT_ALLOWED + ": recipient limit exceeded"},
        ),
        (
            "POST",
            SENDING,
            {"reason": "too-many-per-second", "retry_after": "2m"},
            429,
            {
                "message": NOT_ALLOWED
                + ": account-requests-per-sec limit exceeded, try again after 120 seconds"
            },
        ),
    ],
)
def test_a_status_has_mailguns_own_body(
    server_url: str,
    client: Client,
    account: Account,
    method: str,
    path: str,
    do: dict[str, Any],
    status: int,
    body: dict[str, Any] | str,
) -> None:
    add(client, do=do)
    url = server_url + path.format(domain=account.domain)
    answer = plain.request(method, url, auth=("api", account.api_key))
    assert answer.status_code == status
    if isinstance(body, str):
        assert answer.text == body
        assert answer.headers["www-authenticate"] == 'Basic realm="MG API"'
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    else:
        assert (
            answer.text == json.dumps(body, separators=(",", ":")).replace("{domain}", account.domain) + "\n"
        )
        assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.headers["access-control-allow-origin"] == "*"
    (fault,) = client.get(PATH).json()["items"]
    hint = f"Refused by a fault: DELETE /_emulator/faults/{fault['id']} ends it"
    assert answer.headers["x-mailgun-emulator-hint"] == hint


def test_a_reason_refuses_messages_alone(client: Client, account: Account) -> None:
    add(client, do={"reason": "account-disabled"})
    assert client.get("/v4/domains").status_code == 200
    assert send(client, account.domain).status_code == 403


def test_too_many_requests_are_told_when_to_come_again(client: Client, account: Account) -> None:
    client.post("/_emulator/clock", json={"freeze": "Mon, 20 Dec 2021 20:33:00 UTC"})
    add(client, do={"status": 429, "retry_after": 21})
    answer = send(client, account.domain)
    assert answer.json() == {
        "message": f"Domain {account.domain} is not allowed to send: request limit exceeded, "
        "try again after Mon, 20 Dec 2021 20:33:21 UTC"
    }
    told = {
        name: answer.headers[name] for name in answer.headers if name.startswith(("retry-", "x-ratelimit"))
    }
    assert told == {
        "retry-after": "21",
        "x-ratelimit-limit": "300",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": "1640032401",
    }


def test_a_fault_that_answers_changes_nothing(client: Client, account: Account) -> None:
    add(client, do={"status": 503}, times=2)
    assert send(client, account.domain).status_code == 503
    assert client.post("/v4/domains", data={"name": f"new.{account.domain}"}).status_code == 503
    assert client.get(f"/v3/{account.domain}/events").json()["items"] == []
    assert client.get(f"/v4/domains/new.{account.domain}").status_code == 404


def test_every_operation_is_known_by_its_name_in_the_document() -> None:
    shown = [operation for operation in operations() if operation.route.include_in_schema]
    for operation, name in zip(shown, names(shown), strict=True):
        assert name in operation_names(operation.route)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "body.do: Field required"),
        ({"do": {}}, "body.do: name what goes wrong: status, reason, delay, cut, malformed, slow or quota"),
        (
            {"do": {"message": "No"}},
            "body.do: name what goes wrong: status, reason, delay, cut, malformed, slow or quota",
        ),
        (
            {"do": {"statuses": 1}},
            "body.do: statuses is not known here; possible are status, reason, message, retry_after, delay, cut, "
            "after, malformed, slow, quota",
        ),
        (
            {"match": {"host": "x"}, "do": {"cut": True}},
            "body.match: host is not known here; possible are method, path, operation, domain, webhook, nth, every, "
            "probability",
        ),
        ({"do": {"status": 200}}, "body: status is 4xx or 5xx: what succeeds is no fault"),
        ({"do": {"status": 600}}, "body.do.status: Input should be less than or equal to 599"),
        (
            {"do": {"delay": "soon"}},
            "body.do.delay: this is no duration; write it as 90s, 15m, 8h, 3d, 1h30m or as seconds",
        ),
        ({"do": {"slow": "1h"}}, "body.do.slow: Input should be less than or equal to 300"),
        ({"do": {"cut": True, "slow": 1}}, "body.do: cut and slow don't go together"),
        ({"do": {"delay": 1, "message": "No"}}, "body.do: message goes with status or reason"),
        ({"do": {"delay": 1, "after": True}}, "body.do: after goes with cut, malformed or slow"),
        (
            {"do": {"status": 500, "cut": True, "after": True}},
            "body.do: after does not go with status or reason, which change nothing",
        ),
        (
            {"do": {"malformed": True, "after": False}},
            "body.do: half an answer, a malformed or a slow one needs one: give a status, or leave out after",
        ),
        (
            {"do": {"reason": "large-batches", "status": 400}},
            "body.do: status of large-batches is 403: leave it out",
        ),
        (
            {"do": {"reason": "bad-luck"}},
            f"body.do.reason: there is no such reason; possible are {', '.join(REASONS)}",
        ),
        ({"do": {"quota": {"per": "day"}}}, "body.do.quota: name messages or requests"),
        (
            {"do": {"quota": {"requests": 1, "per": "year"}}},
            "body.do.quota.per: Input should be 'second', 'minute', 'hour' or 'day'",
        ),
        (
            {"do": {"quota": {"requests": 1, "per": "day"}, "delay": 1}},
            "body.do: quota goes with nothing else",
        ),
        (
            {"do": {"quota": {"requests": 1, "per": "day"}}, "times": 1},
            "body: times does not go with a quota",
        ),
        (
            {"match": {"path": "/v3/*"}, "do": {"quota": {"messages": 1, "per": "day"}}},
            "body: path does not go with this quota; possible are domain",
        ),
        (
            {"match": {"path": "messages"}, "do": {"status": 500}},
            "body.match.path: String should match pattern '^[/*]'",
        ),
        (
            {"match": {"path": "/_emulator/clock"}, "do": {"status": 500}},
            "body.match: /_emulator itself has no faults; path is one of Mailgun's API",
        ),
        ({"match": {"nth": 1, "every": 2}, "do": {"status": 500}}, "body.match: name nth or every, not both"),
        (
            {"match": {"operation": "send_mesage"}, "do": {"status": 500}},
            "body.match.operation: no operation is called send_mesage; the nearest is send_message",
        ),
        (
            {"match": {"webhook": "*", "path": "/v3/*"}, "do": {"cut": True}},
            "body.match: path does not go with webhook; possible are webhook, domain, nth, every, probability",
        ),
        (
            {"match": {"webhook": "*"}, "do": {"slow": 1}},
            "body: slow is not done to webhooks; possible are status, message, delay, cut, after",
        ),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_what_is_wrong(
    client: Client, asked: dict[str, Any], message: str
) -> None:
    refused = client.post(PATH, json=asked)
    assert refused.json() == {"message": message}
    assert refused.status_code == 400
    assert client.get(PATH).json() == {"items": []}
