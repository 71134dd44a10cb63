from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests import plain

from mailgun_emulator.testing import EmulatorError, Mailgun

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_clock_moves_as_it_is_told(mailgun: Mailgun) -> None:
    begin = mailgun.clock.freeze(NEW_YEAR)
    assert (begin, mailgun.clock.is_frozen) == (NEW_YEAR.timestamp(), True)
    mailgun.clock.advance(days=1, hours=2, minutes=3, seconds=4)
    mailgun.clock.advance("1h30m")
    mailgun.clock.advance(5)
    mailgun.clock.advance(timedelta(minutes=1))
    assert mailgun.clock.now - begin == 86400 + 2 * 3600 + 3 * 60 + 4 + 5400 + 5 + 60
    assert repr(mailgun.clock) == "<AccountClock 2026-01-02T03:34:09.000Z, frozen>"
    mailgun.clock.resume()
    assert not mailgun.clock.is_frozen
    assert mailgun.clock.reset() > mailgun.clock.freeze("2026-01-01T00:00:00Z")


@pytest.mark.parametrize("how_far", [{}, {"span": "1h", "hours": 1}])
def test_how_far_the_clock_moves_is_said_in_one_way(mailgun: Mailgun, how_far: dict[str, object]) -> None:
    with pytest.raises(TypeError, match="Say how far"):
        mailgun.clock.advance(**how_far)  # type: ignore[arg-type]
    with pytest.raises(EmulatorError, match="advance is no duration"):
        mailgun.clock.advance("soon")


def test_what_falls_due_happens_on_the_way(mailgun: Mailgun) -> None:
    sent = mailgun.send("deferred+2@example.com")
    mailgun.clock.advance(hours=8)
    assert [each.event for each in sent.events] == ["accepted", "failed", "failed", "delivered"]


def test_outcomes_are_asked_for(mailgun: Mailgun) -> None:
    rule = mailgun.outcomes.add(
        "*@slow.example", code=421, attempts=1, then=[{"event": "opened", "after": "5m"}]
    )
    sent = mailgun.send("ann@slow.example")
    mailgun.clock.advance(hours=1)
    assert [each.event for each in sent.events] == ["accepted", "failed", "delivered", "opened"]
    assert [(each["id"], each["hits"]) for each in mailgun.outcomes.list()] == [(rule["id"], 1)]
    mailgun.outcomes.delete(rule["id"])
    mailgun.outcomes.add(tag="x", code=550)
    mailgun.outcomes.clear()
    assert mailgun.outcomes.list() == []
    with pytest.raises(EmulatorError, match="code"):
        mailgun.outcomes.add(code=300)


def test_the_next_request_fails(mailgun: Mailgun) -> None:
    mailgun.fail_next(429, retry_after=30)
    with pytest.raises(EmulatorError) as refused:
        mailgun.send()
    assert refused.value.status == 429
    mailgun.send()
    assert [each.status for each in mailgun.requests(method="POST")] == [429, 200]


def test_outcomes_are_replaced(mailgun: Mailgun) -> None:
    rules = mailgun.outcomes.put([{"match": {"tag": "x"}, "code": 550}, {"match": {"tag": "y"}, "code": 451}])
    assert [rule["code"] for rule in mailgun.outcomes.list()] == [550, 451]
    mailgun.outcomes.replace(rules[1]["id"], {"match": {"tag": "y"}, "code": 552})
    assert mailgun.outcomes.get(rules[1]["id"])["code"] == 552
    message = mailgun.send(fields={"o:tag": "y"})
    assert mailgun.wait_for_event("failed", message=message).code == 552


def test_a_message_may_be_sent_and_only_its_answer_lost(mailgun: Mailgun) -> None:
    fault = mailgun.faults.add(cut=True, after=True, operation="send_message", times=1)
    with pytest.raises(EmulatorError):
        mailgun.send(subject="Twice?")
    assert mailgun.faults.get(fault["id"])["hits"] == 1
    mailgun.assert_sent(subject="Twice?", count=1)


def test_mailgun_may_take_no_messages_for_a_reason(mailgun: Mailgun) -> None:
    mailgun.faults.add(reason="large-batches", every=2)
    mailgun.send()
    with pytest.raises(EmulatorError, match="large batches"):
        mailgun.send()
    mailgun.send()


def test_faults_are_asked_for(mailgun: Mailgun) -> None:
    fault = mailgun.faults.add(503, method="POST", path="/v3/*/messages")
    for _ in range(2):
        with pytest.raises(EmulatorError, match="503"):
            mailgun.send()
    assert [(each["id"], each["hits"]) for each in mailgun.faults.list()] == [(fault["id"], 2)]
    mailgun.faults.delete(fault["id"])
    mailgun.faults.add(cut=True, times=1)
    with pytest.raises(EmulatorError, match="was not answered"):
        mailgun.send()
    mailgun.faults.add(quota={"messages": 1, "per": "hour"})
    mailgun.send()
    with pytest.raises(EmulatorError, match="429"):
        mailgun.send()
    mailgun.faults.clear()
    mailgun.send()
    assert mailgun.faults.list() == []


def test_posts_to_webhooks_fail(mailgun: Mailgun) -> None:
    receiver = mailgun.webhooks.receiver(["delivered"])
    mailgun.faults.add(500, webhook=receiver.url, times=1)
    mailgun.send()
    mailgun.drain()
    assert mailgun.webhooks.deliveries()[0].status == 500
    mailgun.clock.advance(minutes=10)
    assert receiver.wait("delivered")


def test_requests_tell_what_was_asked_and_answered(mailgun: Mailgun) -> None:
    mailgun.send(subject="Told")
    (request,) = mailgun.requests(path="/v3/*/messages")
    assert (request.method, request.path, request.status) == ("POST", f"/v3/{mailgun.domain}/messages", 200)
    assert request.operation
    assert request.duration_ms > 0
    assert "Told" in str(request.request)
    assert "Queued. Thank you." in str(request.response["body"])
    assert repr(request) == f"<ApiRequest POST /v3/{mailgun.domain}/messages: 200>"
    with pytest.raises(EmulatorError):
        mailgun.send("nobody")
    assert [each.status for each in mailgun.requests(failed=True)] == [400]


def test_requests_are_forgotten(mailgun: Mailgun) -> None:
    mailgun.send()
    mailgun.delete_requests()
    assert mailgun.requests() == []


def test_an_unknown_option_leaves_a_hint(mailgun: Mailgun) -> None:
    mailgun.send(fields={"o:tags": "x"})
    (request,) = mailgun.requests(hinted=True)
    assert "o:tags" in request.hints[0]


def test_the_account_goes_back_to_a_snapshot(mailgun: Mailgun) -> None:
    mailgun.send(subject="Before")
    mailgun.drain()
    mailgun.snapshot()
    mailgun.bounce(mailgun.send(subject="After"))
    mailgun.restore()
    assert [each.subject for each in mailgun.messages] == ["Before"]
    mailgun.assert_delivered(mailgun.send(subject="Again"))


def test_a_snapshot_is_kept_as_a_file(mailgun: Mailgun) -> None:
    mailgun.send(subject="Before")
    mailgun.snapshot("one")
    file = mailgun.snapshots.download("one")
    mailgun.snapshots.delete("one")
    assert mailgun.snapshots.list() == []
    with pytest.raises(EmulatorError, match="There is no snapshot one"):
        mailgun.restore("one")
    mailgun.send(subject="After")
    mailgun.snapshots.upload("again", file)
    assert [(each["name"], each["account"]) for each in mailgun.snapshots.list()] == [("again", mailgun.id)]
    mailgun.restore("again")
    assert [each.subject for each in mailgun.messages] == ["Before"]


def test_domains_are_verified_and_disabled_as_they_are_told(mailgun: Mailgun) -> None:
    assert mailgun.domains.set_dns({"spf": "missing"})["spf"] == "missing"
    assert mailgun.domains.dns()["dkim"] == "found"
    verified = mailgun.client.call("PUT", f"/v4/domains/{mailgun.domain}/verify")
    assert {each["valid"] for each in verified["sending_dns_records"]} == {"invalid", "valid"}
    until = datetime.fromtimestamp(mailgun.clock.now, UTC) + timedelta(days=1)
    told = mailgun.domains.disable(reason="of a test", until=until)
    assert told["disabled"]["reason"] == "of a test"
    path = f"/v4/domains/{mailgun.domain}"
    assert mailgun.client.call("GET", path)["domain"]["state"] == "disabled"
    mailgun.domains.enable(mailgun.domain)
    assert mailgun.client.call("GET", path)["domain"]["state"] == "unverified"
    with pytest.raises(EmulatorError, match="not found"):
        mailgun.domains.dns("nowhere.example.com")


def test_what_happens_is_told_as_it_happens(mailgun: Mailgun) -> None:
    with closing(mailgun.stream("message", "event")) as stream:
        assert next(stream).kind == "listening"
        mailgun.send()
        told = [next(stream) for _ in range(3)]
    assert sorted((each.kind, each.data.get("event")) for each in told) == [
        ("event", "accepted"),
        ("event", "delivered"),
        ("message", None),
    ]


def test_the_account_is_emptied(mailgun: Mailgun) -> None:
    mailgun.send()
    mailgun.clock.advance(days=1)
    mailgun.reset()
    assert mailgun.messages == []
    mailgun.assert_delivered(mailgun.send())


def test_what_is_exported_can_be_loaded(mailgun: Mailgun, tmp_path: Path) -> None:
    path = f"/v3/{mailgun.domain}/templates"
    mailgun.client.call(
        "POST", path, [("name", "welcome"), ("template", "Hello {{name}}"), ("description", "")]
    )
    exported = mailgun.export()
    file = tmp_path / "account.yaml"
    file.write_text(exported)
    mailgun.reset()
    mailgun.load(file)
    assert mailgun.render_template("welcome", variables={"name": "Ann"})["html"] == "Hello Ann"
    mailgun.reset()
    mailgun.load(exported)
    assert mailgun.render_template("welcome", variables={"name": "Bob"})["html"] == "Hello Bob"
    assert mailgun.export("json").startswith("{")
    with pytest.raises(EmulatorError):
        mailgun.load({"accounts": "many"})


def test_a_template_is_rendered_without_being_stored(mailgun: Mailgun) -> None:
    told = mailgun.render_template(content="<b>{{x}}</b>", variables={"x": 1})
    assert told["html"] == "<b>1</b>"


def test_the_environment_finds_the_account(mailgun: Mailgun) -> None:
    assert mailgun.env == {
        "MAILGUN_API_URL": mailgun.url,
        "MAILGUN_API_KEY": mailgun.api_key,
        "MAILGUN_DOMAIN": mailgun.domain,
        "MAILGUN_WEBHOOK_SIGNING_KEY": mailgun.signing_key,
    }
    assert mailgun.smtp_port


def test_a_subaccount_that_a_program_made_is_watched_like_any_account(mailgun: Mailgun) -> None:
    key = ("api", mailgun.api_key)
    made = plain.post(f"{mailgun.url}/v5/accounts/subaccounts", auth=key, data={"name": "Shop"}).json()
    shop = mailgun.subaccount("Shop")
    assert shop.id == made["subaccount"]["id"]
    message = {"from": "a@shop.example.com", "to": "bob@x.com", "subject": "Hi", "text": "hi"}
    sent = plain.post(
        f"{mailgun.url}/v3/shop.example.com/messages",
        auth=key,
        data=message,
        headers={"X-Mailgun-On-Behalf-Of": shop.id},
    )
    assert sent.status_code == 200
    assert shop.wait_for_message(to="bob@x.com").subject == "Hi"
    assert mailgun.find_messages() == []
    with pytest.raises(LookupError, match=r"has no subaccount 'Shops', but \['Shop'\]"):
        mailgun.subaccount("Shops")


def test_a_subaccount_that_was_deleted_is_not_taken_for_another_of_its_name(mailgun: Mailgun) -> None:
    key, path = ("api", mailgun.api_key), f"{mailgun.url}/v5/accounts/subaccounts"
    former, made = (
        plain.post(path, auth=key, data={"name": "Shop"}).json()["subaccount"]["id"] for _ in range(2)
    )
    gone = plain.delete(path, auth=key, headers={"X-Mailgun-On-Behalf-Of": former})
    assert gone.status_code == 200
    assert mailgun.subaccount("Shop").id == made
