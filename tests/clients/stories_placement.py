"""What Mailgun's Python package is used for: inbox placement and previews."""

from tests.clients.package_desk import Desk, Story, body_of

HTML = "<style>p{color:red}</style><p>Hi %recipient.first_name%</p>"


async def seed_lists(desk: Desk) -> None:
    """The package takes for a test's id whatever the address ends in."""
    mailgun = desk.mailgun
    made = body_of(
        await mailgun.inbox_seedlists.create(data={"name": "Python", "provider_filter": "gmail.com"})
    )
    address = made["target_email"]
    assert body_of(await mailgun.inbox_seedlists.get())["items"] == [made]
    assert body_of(await mailgun.inbox_seedlists.get(test_id=address))["seedlist"] == made
    changed = body_of(await mailgun.inbox_seedlists.put(test_id=address, data={"regen": "true"}))
    assert changed["previous_mailing_list"] == made["mailing_list"]
    attributes = body_of(await mailgun.inbox_seedlists_a.get())["items"]["values"]
    values = body_of(await mailgun.inbox_seedlists_a.get(test_id=attributes[0]))["items"]["values"]
    assert values == ["Python"]
    filters = body_of(await mailgun.inbox_seedlists.get(test_id="_filters"))
    assert filters["supported_filters"]["filters"]
    assert body_of(await mailgun.inbox_providers.get())["items"][0]["domain"] == "gmail.com"
    assert (await mailgun.inbox_seedlists.delete(test_id=address)).status_code == 200
    # The package's smoke test asks this, whatever the answer is: Mailgun documents nothing at /v4/inbox itself.
    assert (await mailgun.inbox.get(filters={"domain": desk.domain})).status_code == 404


async def tests(desk: Desk) -> None:
    mailgun = desk.mailgun
    test = {"domain": desk.domain, "from": f"user@{desk.domain}", "subject": "testSubject", "html": HTML}
    tid = body_of(await mailgun.inbox_tests.create(data=test))["tid"]
    assert body_of(await mailgun.inbox_tests.get(test_id=tid))["status"] == "processing"
    desk.client.post("/_emulator/clock", json={"advance": "10m"})
    assert body_of(await mailgun.inbox_tests.get())["status"] == "complete"
    counters = body_of(await mailgun.inbox_tests.get(test_id=tid, counters=True))["counters"]
    assert counters["all"]["inbox"] == 36
    checks = body_of(await mailgun.inbox_tests.get(test_id=tid, checks=True))["checks"]
    address = checks[0]["email"]
    one = body_of(await mailgun.inbox_tests.get(test_id=tid, checks=True, address=address))
    assert one["check"]["destination"] == "inbox"
    result = body_of(await mailgun.inbox_results.get(test_id=tid))["result"]
    assert body_of(await mailgun.inbox_results.get())["items"] == [result]
    assert body_of(await mailgun.inbox_results_a.get())["items"]["values"]
    subjects = body_of(await mailgun.inbox_results_a.get(test_id="subject"))["items"]["values"]
    assert subjects == ["testSubject"]
    assert body_of(await mailgun.inbox_results.get(test_id="_filters"))["supported_filters"]
    shared = body_of(await mailgun.inbox_sharing.put(test_id=tid, data={"enabled": "true"}))["sharing"]
    assert body_of(await mailgun.inbox_sharing.get(test_id=tid))["sharing"] == shared
    public = body_of(await mailgun.inbox_sharing_public.get(test_id=shared["url_id"]))["result"]
    assert public["result_id"] == tid
    assert body_of(await mailgun.inbox_results.delete(test_id=tid)) == {"message": "deleted"}
    second = body_of(await mailgun.inbox_tests.create(data=test))["tid"]
    assert body_of(await mailgun.inbox_tests.delete(test_id=second)) == {"message": "deleted"}


async def previews(desk: Desk) -> None:
    mailgun = desk.mailgun
    asked = {"subject": "Hi", "html": HTML, "clients": ["outlook19"]}
    test_id = body_of(await mailgun.preview_tests.create(data=asked))["id"]
    desk.client.post("/_emulator/clock", json={"advance": "1m"})
    assert [each["id"] for each in (await mailgun.preview_tests.get()).json()] == [test_id]
    one = getattr(mailgun, f"preview_tests_{test_id}")
    assert body_of(await one.get())["completed"] == ["outlook19"]
    results = getattr(mailgun, f"preview_tests_{test_id}_results")
    assert body_of(await results.get())["outlook19"]["status"] == "Complete"
    anew = getattr(mailgun, f"preview_tests_{test_id}_results_reprocess")
    assert body_of(await anew.put(data={"clients": ["outlook19"]}))["outlook19"]["success"] is True
    for way, content in (("", HTML), ("_inlinecss", '<p style="color: red;">'), ("_textonly", "Hi ")):
        told = body_of(await getattr(mailgun, f"preview_tests_{test_id}_content{way}").get())
        assert told["content"].startswith(content)
    assert "outlook19" in body_of(await mailgun.preview_tests_clients.get())
    assert body_of(await one.delete()) == {"success": True}
    second = body_of(await mailgun.preview_v2_tests.create(data=asked))["id"]
    assert [each["id"] for each in (await mailgun.preview_v2_tests.get()).json()] == [second]


STORIES: tuple[Story, ...] = (seed_lists, tests, previews)

UNREACHABLE: dict[str, set[str]] = {
    "the package knows only the address of another version": {
        "GET /v3/inbox/tests",
        "POST /v3/inbox/tests",
        "GET /v3/inbox/tests/{test_id}",
        "DELETE /v3/inbox/tests/{test_id}",
        "GET /v3/inbox/tests/{test_id}/checks",
        "GET /v3/inbox/tests/{test_id}/checks/{address}",
        "GET /v3/inbox/tests/{test_id}/counters",
        "GET /v2/preview/tests",
        "POST /v2/preview/tests",
        "GET /v2/preview/tests/clients",
        "GET /v2/preview/tests/{test_id}",
        "DELETE /v2/preview/tests/{test_id}",
        "GET /v2/preview/tests/{test_id}/results",
    },
    "whoever has its address looks at it": {
        "GET /v1/preview/tests/{test_id}/screenshots/{client_id}",
        "GET /v4/inbox/sharing/public/{share_id}/page",
    },
}
"""Operations that are there and that the package has no way to, by the reason."""
