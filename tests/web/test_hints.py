"""One test for each kind of hint, which is in the header and never in the body."""

import base64
from collections.abc import Iterator
from typing import Any

import httpx2
import orjson
import pytest
from tests import plain
from tests.conftest import Account, Client

from mailgun_emulator.testing import Emulator

HINT = "X-Mailgun-Emulator-Hint"
HOW = "log in by HTTP Basic with the user name `api` and an API key as password"
STRICT_KEY = "key-strict"


@pytest.fixture(scope="module")
def strict_url() -> Iterator[str]:
    with Emulator(strict=True, api_key=STRICT_KEY, signing_key="signs") as server:
        yield server.url


def send(client: Client, account: Account, **fields: Any) -> httpx2.Response:
    message = {"from": f"ann@{account.domain}", "to": "bob@example.com", "subject": "Hi", "text": "x"}
    files = fields.pop("files", None)
    return client.post(f"/v3/{account.domain}/messages", data={**message, **fields}, files=files)


def hints_of(answer: httpx2.Response) -> str | None:
    hint = answer.headers.get(HINT)
    assert hint is None or hint not in answer.text
    return hint


def test_a_request_that_is_right_has_no_hint(client: Client, account: Account) -> None:
    options = {"o:tag": ["a", "b"], "h:X-Own": "1", "v:own": "1", "o:tracking": "yes", "o:native-send": "yes"}
    variables = {"recipient-variables": '{"bob@example.com": {"id": 1}}', "text": "%recipient.id%"}
    answer = send(client, account, **options, **variables)
    assert answer.status_code == 200
    assert HINT not in answer.headers


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("o:tags", "`o:tags` is not a Mailgun option; did you mean `o:tag`?"),
        ("o:tracking_opens", "`o:tracking_opens` is not a Mailgun option; did you mean `o:tracking-opens`?"),
        ("o:deliveryTime", "`o:deliveryTime` is not a Mailgun option; did you mean `o:deliverytime`?"),
        ("O:tag", "`O:tag` is not a Mailgun option; did you mean `o:tag`?"),
        ("o:nothing-like-it", "`o:nothing-like-it` is not a Mailgun option: it is ignored"),
        ("t:variable", "`t:variable` is not a field of this operation; did you mean `t:variables`?"),
        ("html_body", "`html_body` is not a field of this operation; did you mean `html`?"),
        ("bcc_", "`bcc_` is not a field of this operation; did you mean `bcc`?"),
        (
            "recipient_variables",
            "`recipient_variables` is not a field of this operation; did you mean `recipient-variables`?",
        ),
        ("subjct", "`subjct` is not a field of this operation; did you mean `subject`?"),
        ("attachments", "`attachments` is not a field of this operation; did you mean `attachment`?"),
        ("tag", "`tag` is not a field of this operation; did you mean `o:tag`?"),
        ("testmode", "`testmode` is not a field of this operation; did you mean `o:testmode`?"),
        ("reply_to", "`reply_to` is not a field of this operation; did you mean `h:Reply-To`?"),
        ("header:X-Own", "`header:X-Own` is not a field of this operation; did you mean `h:X-Own`?"),
        ("H:X-Own", "`H:X-Own` is not a field of this operation; did you mean `h:X-Own`?"),
        ("var:own", "`var:own` is not a field of this operation; did you mean `v:own`?"),
        ("unheard-of", "`unheard-of` is not a field of this operation: it is ignored"),
    ],
)
def test_a_field_that_nothing_looks_at(client: Client, account: Account, name: str, text: str) -> None:
    answer = send(client, account, **{name: "x"})
    assert answer.status_code == 200
    assert hints_of(answer) == text


def test_the_fields_of_any_form_are_known(client: Client, account: Account) -> None:
    answer = client.post(f"/v3/{account.domain}/bounces", data={"address": "a@example.com", "cod": "550"})
    assert hints_of(answer) == "`cod` is not a field of this operation; did you mean `code`?"
    answer = client.get(f"/v3/{account.domain}/events", params={"limit": 5, "recepient": "a@example.com"})
    assert hints_of(answer) == "`recepient` is not a field of this operation; did you mean `recipient`?"


def test_what_clients_repeat_from_the_path_is_no_mistake(client: Client, account: Account) -> None:
    """Go sends the name of a template with its change, Java the domain and the tag."""
    client.post(f"/v3/{account.domain}/templates", data={"name": "greeting"})
    path = f"/v3/{account.domain}/templates/greeting"
    assert hints_of(client.put(path, data={"name": "greeting", "description": "x"})) is None
    renamed = client.put(path, data={"name": "welcome", "description": "x"})
    assert hints_of(renamed) == "`name` is not a field of this operation: it is ignored"
    send(client, account, **{"o:tag": "spring"})
    path = f"/v3/{account.domain}/tags/spring"
    repeated = {"domain": account.domain, "tag": "spring", "description": "x"}
    assert hints_of(client.put(path, data=repeated)) is None


def test_what_older_clients_ask_of_a_validation_is_no_mistake(client: Client) -> None:
    asked = {"address": "bob@example.com", "mailbox_verification": "true"}
    assert hints_of(client.get("/v4/address/validate", params=asked)) is None


def test_a_list_of_objects_is_not_what_a_form_has(client: Client, account: Account) -> None:
    path = f"/v3/{account.domain}/messages"
    answer = client.post(path, data={"from": "a@b.com", "text": "x", "to[0][email]": "bob@example.com"})
    assert answer.json() == {"message": "to parameter is missing"}
    assert hints_of(answer) == (
        "`to[0][email]` is not a field of this operation: forms have no objects; repeat `to`, once for each"
    )


def test_at_most_ten_hints_are_given(client: Client, account: Account) -> None:
    answer = send(client, account, **{f"unheard-of-{number}": "x" for number in range(20)})
    assert answer.headers[HINT].count("; ") == 9


def test_addresses_as_json(client: Client, account: Account) -> None:
    answer = send(client, account, to='["bob@example.com", {}]')
    assert answer.status_code == 400
    assert hints_of(answer) == (
        "`to` is not read as JSON: repeat it, once for each address, or separate them by commas"
    )


def test_a_message_as_json(client: Client, account: Account) -> None:
    path = f"/v3/{account.domain}/messages"
    answer = client.post(path, json={"from": "ann@example.com", "to": "bob@example.com", "text": "x"})
    assert answer.json() == {"message": "from parameter is missing"}
    assert (
        hints_of(answer)
        == "The body is JSON, which messages are not read from: send it as multipart/form-data"
    )


def test_a_message_that_is_no_form(client: Client, account: Account) -> None:
    kind = {"Content-Type": "text/plain"}
    answer = client.post(f"/v3/{account.domain}/messages", content=b"from=a&to=b", headers=kind)
    assert (
        hints_of(answer) == "No fields were found in the body, which is text/plain: send multipart/form-data"
    )


def test_a_form_without_its_boundary(client: Client, account: Account) -> None:
    kind = {"Content-Type": "multipart/form-data"}
    answer = client.post(f"/v3/{account.domain}/messages", content=b"--b\r\n", headers=kind)
    assert answer.status_code == 400
    assert hints_of(answer) == (
        "The Content-Type header has no boundary: leave that header to the HTTP client"
    )


def test_an_attachment_that_is_no_file(client: Client, account: Account) -> None:
    answer = send(client, account, attachment="the file's content")
    assert answer.status_code == 200
    assert hints_of(answer) == "`attachment` came without a file name and was left out: send it as a file"


def test_a_mime_that_is_no_file(client: Client, account: Account) -> None:
    path = f"/v3/{account.domain}/messages.mime"
    answer = client.post(path, data={"to": "bob@example.com", "message": "From: a"}, files={"x": b"y"})
    assert answer.json() == {"message": "'message' parameter is not a file"}
    assert answer.headers[HINT].startswith("The part `message` needs a file name, as any uploaded file has")


def test_a_variable_of_a_template_that_was_not_given(client: Client, account: Account) -> None:
    text = "{{greeting}} {{user.name}} {{gone}} {{#if coupon}}{{coupon}}{{/if}} {{#each items}}{{price}}{{/each}}"
    client.post(f"/v3/{account.domain}/templates", data={"name": "welcome", "template": text})
    variables = {"greeting": "Hi", "user": {"nmae": "Bob"}, "items": [{"price": 1}, {"price": None}]}
    answer = send(client, account, template="welcome", **{"t:variables": orjson.dumps(variables).decode()})
    assert answer.status_code == 200
    where = "which was not given: not in t:variables, nor as v:NAME, nor in h:X-Mailgun-Variables"
    assert hints_of(answer) == (
        f"Template welcome prints `gone`, {where}; Template welcome prints `user.name`, {where}"
    )


def test_recipient_variables_are_not_the_templates(client: Client, account: Account) -> None:
    client.post(f"/v3/{account.domain}/templates", data={"name": "welcome", "template": "Hi {{name}}"})
    variables = {"recipient-variables": '{"bob@example.com": {"name": "Bob"}}'}
    answer = send(client, account, template="welcome", **variables)
    assert hints_of(answer) == (
        "Template welcome prints `name`, which only the recipient-variables have: "
        'give it as t:variables={"name": "%recipient.name%"}'
    )


def test_a_template_that_is_not_there(client: Client, account: Account) -> None:
    answer = send(client, account, template="nowhere")
    assert hints_of(answer) == "The message will fail: template nowhere not found"


def test_a_placeholder_that_nobody_gave(client: Client, account: Account) -> None:
    variables = {"recipient-variables": '{"bob@example.com": {"name": "Bob"}}'}
    answer = send(client, account, text="Hi %recipient.nmae%, %recipient.name%", **variables)
    assert hints_of(answer) == (
        "`%recipient.nmae%` stays as it is: the variables of bob@example.com have no such name"
    )


def test_a_placeholder_without_any_variables(client: Client, account: Account) -> None:
    answer = send(client, account, text="Hi %recipient.name%")
    assert hints_of(answer) == "`%recipient.name%` stays as it is: no recipient-variables were given"


def test_the_members_of_a_list_may_have_what_is_not_given(client: Client, account: Account) -> None:
    address = f"list@{account.domain}"
    client.post("/v3/lists", data={"address": address})
    client.post(f"/v3/{account.domain}/templates", data={"name": "welcome", "template": "Hi {{name}}"})
    assert HINT not in send(client, account, to=address, text="Hi %recipient.name%").headers
    assert HINT not in send(client, account, to=address, template="welcome").headers


# Paths


@pytest.mark.parametrize(
    ("method", "path", "text"),
    [
        ("POST", "/v4/{}/messages", "This path is known below /v3, not below /v4"),
        (
            "POST",
            "/v3/v3/{}/messages",
            "The path begins with a version twice, /v3/v3: the base URL has one already",
        ),
        (
            "POST",
            "/{}/messages",
            "The path begins with no version: with /v3 in front of it it is known",
        ),
        ("POST", "/api/v3/{}/messages", "Nothing stands before /v3 in Mailgun's paths: leave out /api"),
        ("GET", "/v3/{}/bouncs", "No such path. Nearest: /v3/{{}}/bounces"),
        ("GET", "/v1/analytics/metric", "No such path. Nearest: /v1/analytics/metrics"),
    ],
)
def test_a_path_that_is_not_there(
    client: Client, account: Account, method: str, path: str, text: str
) -> None:
    answer = client.request(method, path.format(account.domain))
    assert answer.status_code == 404
    assert hints_of(answer) == text.replace("{{}}", "{}")


def test_a_method_that_is_not_the_paths(client: Client, account: Account) -> None:
    answer = client.get(f"/v3/{account.domain}/messages")
    assert answer.status_code == 405
    assert hints_of(answer) == "GET is no method of this path: it knows POST"


def test_a_domain_that_the_account_does_not_have(client: Client, account: Account) -> None:
    names = {each["name"] for each in client.get("/v3/domains").json()["items"]}
    (sandbox,) = names - {account.domain}
    answer = client.get("/v3/nowhere.example.org/bounces")
    assert answer.status_code == 404
    assert hints_of(answer) == (
        f"The account has no domain nowhere.example.org; it has {account.domain}, {sandbox}"
    )


def test_a_domain_that_is_misspelled(client: Client) -> None:
    client.post("/v3/domains", data={"name": "mg.example.com"})
    answer = client.get("/v3/domains/mg.exmaple.com")
    assert answer.status_code == 404
    assert hints_of(answer) == ("The account has no domain mg.exmaple.com; did you mean mg.example.com?")


def test_a_misspelled_domain_that_is_made_by_its_first_message(client: Client, account: Account) -> None:
    client.post("/v3/domains", data={"name": "mg.example.com"})
    message = {"from": "ann@example.com", "to": "bob@example.com", "text": "x"}
    answers = [client.post("/v3/mg.exmaple.com/messages", data=message) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert hints_of(answers[0]) == (
        "The account had no domain mg.exmaple.com, which a message makes; did you mean mg.example.com?"
    )
    assert hints_of(answers[1]) is None


def test_a_domain_that_is_another_accounts(client: Client, server_url: str) -> None:
    other = Account(**plain.post(f"{server_url}/_emulator/accounts").json())
    name = "only-theirs.example.net"
    plain.post(f"{server_url}/v3/domains", data={"name": name}, auth=("api", other.api_key))
    answer = client.get(f"/v3/domains/{name}")
    assert answer.status_code == 404
    assert hints_of(answer) == (f"The account has no domain {name}: it is another account's than the key")


def test_a_domain_that_may_be_in_the_other_region(client: Client) -> None:
    answer = client.get("/v3/nowhere.example.org/bounces", headers={"Host": "api.eu.mailgun.net"})
    assert answer.headers[HINT].endswith(
        "; A domain is in one region: this request went to api.eu.mailgun.net (EU), "
        "the other is api.mailgun.net (US)"
    )


# Keys


def basic(login: str) -> str:
    return "Basic " + base64.b64encode(login.encode()).decode()


@pytest.mark.parametrize(
    ("header", "text"),
    [
        (None, f"No Authorization header came: {HOW}"),
        ("Bearer key-strict", f"Mailgun takes no Bearer token: {HOW}"),
        ("Digest x", f"The Authorization header does not begin with `Basic `: {HOW}"),
        ("Basic ???", f"What stands behind `Basic ` is not user:password in base64: {HOW}"),
        (basic("api"), f"What stands behind `Basic ` is not user:password in base64: {HOW}"),
        (basic("api:"), f"The password is empty: {HOW}"),
        (basic("key-strict:"), f"The key came as the user name: {HOW}"),
        (
            basic("key-strict:x"),
            f"Mailgun's user name is `api`, not `key-strict`; The key came as the user name: {HOW}",
        ),
        (basic("bob:x"), "Mailgun's user name is `api`, not `bob`; No account has this key"),
        (basic("api:x"), "No account has this key"),
        (
            basic("api: 'key-strict'\n"),
            "There are quotes or white space around the key: without them it is known",
        ),
        (basic("api:pubkey-1"), "This is a public key: it opens nothing but the validation of addresses"),
        (basic("api:signs"), "This is the key that webhooks are signed with, not an API key"),
        (
            basic("api:" + "0f" * 16),
            "No account has this key. It looks like one that webhooks are signed with, not like an API key",
        ),
    ],
)
def test_why_a_401_is_a_401(strict_url: str, header: str | None, text: str) -> None:
    answer = plain.get(f"{strict_url}/v3/domains", headers={"Authorization": header} if header else {})
    assert (answer.status_code, answer.text) == (401, "Forbidden")
    assert hints_of(answer) == text


def test_a_user_name_that_mailgun_does_not_have(server_url: str, account: Account) -> None:
    answer = plain.get(f"{server_url}/v3/domains", auth=("bob", account.api_key))
    assert answer.status_code == 200
    assert hints_of(answer) == "Mailgun's user name is `api`, not `bob`"


def test_a_key_that_opens_nothing_any_more(client: Client, server_url: str, account: Account) -> None:
    made = client.post("/v1/keys", data={"role": "basic", "kind": "user"}).json()["key"]
    client.delete(f"/v1/keys/{made['id']}")
    answer = plain.get(f"{server_url}/v3/domains", auth=("api", made["secret"]))
    assert (answer.status_code, hints_of(answer)) == (401, "This key was deleted")


def test_a_key_that_has_expired(client: Client, server_url: str, account: Account) -> None:
    made = client.post("/v1/keys", data={"role": "basic", "kind": "user", "expiration": 60}).json()["key"]
    client.post("/_emulator/clock", json={"advance": "1h"}, params={"account": account.id})
    answer = plain.get(f"{server_url}/v3/domains", auth=("api", made["secret"]))
    assert (answer.status_code, hints_of(answer)) == (401, "This key has expired")


def test_a_key_that_only_sends(client: Client, server_url: str, account: Account) -> None:
    asked = {"role": "sending", "kind": "domain", "domain_name": account.domain}
    made = client.post("/v1/keys", data=asked).json()["key"]
    answer = plain.get(f"{server_url}/v3/domains", auth=("api", made["secret"]))
    assert answer.status_code == 401
    assert hints_of(answer) == (f"The key is a sending key of {account.domain}: it only sends its messages")


def test_a_key_in_quotes_opens_the_default_account_as_any_does(server_url: str, account: Account) -> None:
    answer = plain.get(f"{server_url}/v3/domains", auth=("api", f'"{account.api_key}"'))
    assert answer.status_code == 200
    assert hints_of(answer) == "There are quotes or white space around the key"


def test_a_method_that_analytics_does_not_have(client: Client) -> None:
    answer = client.get("/v1/analytics/logs")
    assert answer.status_code == 404
    assert hints_of(answer) == "GET is no method of this path: it knows POST"
