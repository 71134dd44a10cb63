"""What Mailgun's Python package is used for, section by section."""

from collections.abc import Awaitable, Callable

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from mailgun.builders import MailgunTemplateBuilder
from tests.clients.package_desk import Desk, body_of

A, B = "https://example.com/a", "https://example.com/b"
CSV = "text/csv"


async def domains(desk: Desk) -> None:
    mailgun, name = desk.mailgun, f"new.{desk.domain}"
    assert body_of(await mailgun.domains.create(data={"name": name}))["domain"]["state"] == "unverified"
    verified = body_of(await mailgun.domains.put(domain=name, verify=True))
    assert verified["domain"]["state"] == "active"
    assert body_of(await mailgun.domains_verify.put(domain=name))["domain"]["state"] == "active"
    changed = body_of(await mailgun.domains.put(domain=name, data={"spam_action": "tag"}))
    assert changed["domain"]["spam_action"] == "tag"
    assert body_of(await mailgun.domains.get(domain=name))["domain"]["name"] == name
    for page in (await mailgun.domains.get(), await mailgun.domainlist.get(filters={"limit": 5})):
        assert {name, desk.domain} <= {item["name"] for item in body_of(page)["items"]}
    set_up = body_of(await mailgun.domains_connection.put(domain=name, data={"require_tls": "true"}))
    assert set_up["require-tls"] is True
    assert body_of(await mailgun.domains_connection.get(domain=name))["connection"]["require_tls"] is True
    prefix = body_of(await mailgun.domains_webprefix.put(domain=name, data={"web_prefix": "python"}))
    assert prefix["message"] == "Domain web prefix updated", prefix
    gone = {"message": "Domain will be deleted in the background"}
    assert body_of(await mailgun.domains.delete(domain=name)) == gone
    assert (await mailgun.domains.get(domain=name)).status_code == 404
    second = {"name": f"second.{desk.domain}"}
    assert body_of(await mailgun.domainlist.create(data=second))["domain"]["name"] == second["name"]
    assert await mailgun.ping()


async def tracking(desk: Desk) -> None:
    mailgun, domain = desk.mailgun, desk.domain
    click, opened = {"active": "htmlonly"}, {"active": "yes", "place_at_the_top": "yes"}
    changed = body_of(await mailgun.domains_tracking_click.put(domain=domain, data=click))
    assert changed["click"] == {"active": "htmlonly"}
    body_of(await mailgun.domains_tracking_open.put(domain=domain, data=opened))
    footer = {"active": "yes", "html_footer": "<p>Bye</p>", "text_footer": "Bye"}
    body_of(await mailgun.domains_tracking_unsubscribe.put(domain=domain, data=footer))
    told = body_of(await mailgun.domains_tracking.get(domain=domain))["tracking"]
    assert told["open"] == {"active": True, "place_at_the_top": True}
    assert told["unsubscribe"]["html_footer"] == "<p>Bye</p>"
    for off in (mailgun.domains_tracking_click, mailgun.domains_tracking_unsubscribe):
        body_of(await off.put(domain=domain, data={"active": "no"}))


async def dkim(desk: Desk) -> None:
    mailgun, domain = desk.mailgun, desk.domain
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    about = {"signing_domain": domain, "selector": "own"}
    files = [("pem", ("server.key", pem))]
    made = body_of(await mailgun.dkim_keys.create(data={**about, "bits": "2048"}, files=files))
    assert made["selector"] == "own"
    body_of(await mailgun.dkim.create(data={"signing_domain": domain, "selector": "stock"}))
    asked = {"page": "", "limit": "10", "signing_domain": domain}
    listed = body_of(await mailgun.dkim_keys.get(filters=asked))["items"]
    assert {"own", "stock"} <= {item["selector"] for item in listed}
    assert body_of(await mailgun.domains_keys.get(domain=domain))["items"]
    body_of(await mailgun.dkim_keys.delete(filters=about))
    body_of(await mailgun.domains_dkimauthority.put(domain=domain, data={"self": "true"}))
    named = body_of(await mailgun.domains_dkimselector.put(domain=domain, data={"dkim_selector": "s"}))
    assert named["message"]
    safe = f"safe.{domain}"
    body_of(await mailgun.domains.create(data={"name": safe, "use_automatic_sender_security": "true"}))
    rotation = {"rotation_enabled": "true", "rotation_interval": "30d"}
    turning = body_of(await mailgun.dkim_management_rotation.put(domain=safe, data=rotation))["domain"]
    assert turning["rotation_interval"] == "720h0m0s"
    body_of(await mailgun.domains.put(domain=safe, verify=True))
    assert body_of(await mailgun.dkim_management_rotate.create(domain=safe))["message"]


async def credentials(desk: Desk) -> None:
    mailgun, domain = desk.mailgun, desk.domain
    for endpoint, login in (("domains_credentials", "alice"), ("credentials", "bob")):
        secret = {"login": f"{login}@{domain}", "password": "secret-password"}
        made = body_of(await getattr(mailgun, endpoint).create(domain=domain, data=secret))
        assert made["message"] == "Created 1 credentials pair(s)"
    listed = body_of(await mailgun.domains_credentials.get(domain=domain))
    assert [item["mailbox"] for item in listed["items"]] == [
        f"{login}@{domain}" for login in ("alice", "bob")
    ]
    changed = await mailgun.domains_credentials.put(
        domain=domain, login=f"alice@{domain}", data={"password": "another-secret"}
    )
    assert body_of(changed)["message"] == "Password changed"
    gone = body_of(await mailgun.domains_credentials.delete(domain=domain, login="alice"))
    assert gone["spec"] == f"alice@{domain}"
    assert body_of(await mailgun.domains_credentials.delete(domain=domain))["count"] == 1


async def messages(desk: Desk) -> None:
    mailgun, domain = desk.mailgun, desk.domain
    files = [("attachment", ("notes.txt", b"some notes", "text/plain"))]
    data = {
        "from": f"Ann <ann@{domain}>",
        "to": ["bob@example.org", "eve@example.org"],
        "subject": "Files",
        "text": "See the file.",
        "o:tag": ["one", "two"],
    }
    sent = body_of(await mailgun.messages.create(data=data, files=files, domain=domain))
    assert sent["message"] == "Queued. Thank you."
    mime = f"From: ann@{domain}\r\nTo: bob@example.org\r\nSubject: MIME\r\n\r\nHi\r\n".encode()
    to = {"to": "bob@example.org"}
    body_of(await mailgun.mimemessage.create(data=to, files=[("message", ("x.mime", mime))], domain=domain))
    desk.client.drain()
    asked = {"event": "delivered", "message-id": sent["id"][1:-1], "limit": 1}
    event = body_of(await mailgun.events.get(domain=domain, filters=asked))["items"][0]
    assert event["tags"] == ["one", "two"]
    url = event["storage"]["url"]
    stored = body_of(await mailgun.resend_message.get(domain=domain, storage_url=url))
    attached = await mailgun.resend_message.get(storage_url=stored["attachments"][0]["url"])
    assert attached.content == b"some notes"
    again = {"to": "kim@example.org"}
    resent = body_of(await mailgun.resend_message.create(domain=domain, storage_url=url, data=again))
    assert resent["message"] == "Queued. Thank you."
    body_of(await mailgun.resend_message.delete(storage_url=url))
    assert (await mailgun.resend_message.get(storage_url=url)).status_code == 404
    queues = body_of(await mailgun.domains_sendingqueues.get(domain=domain))
    assert queues["regular"]["is_disabled"] is False
    assert body_of(await mailgun.envelopes.delete(domain=domain))["message"] == "done"


async def events(desk: Desk) -> None:
    for number in range(3):
        await desk.send(f"r{number}@example.org", **{"o:tag": "streamed"})
    at = desk.client.get("/_emulator/clock").json()["now"]
    span = {"begin": at + 60, "end": at - 3600}
    asked = {"event": "accepted", "tags": "streamed", "limit": 100, **span}
    found = body_of(await desk.mailgun.events.get(domain=desk.domain, filters=asked))
    assert [item["recipient"] for item in found["items"]] == [f"r{n}@example.org" for n in (2, 1, 0)]
    # The package loses the token in the path of `next`: it reads the first page again until `next` is the same
    # twice, which without a span it never is, with Mailgun as here.
    streamed = await desk.mailgun.events.stream(domain=desk.domain, filters=asked)
    assert [item["id"] for item in streamed] == 2 * [item["id"] for item in found["items"]]


async def suppressions(desk: Desk) -> None:
    """All four lists alike; a JSON list goes with a Content-Type of its own."""
    kinds = {
        "bounces": ("bounce_address", {"address": "a@x.com", "code": 550, "error": "none"}),
        "complaints": ("complaint_address", {"address": "a@x.com"}),
        "unsubscribes": ("unsubscribe_address", {"address": "a@x.com", "tag": "*"}),
        "whitelists": ("whitelist_address", {"address": "a@x.com", "reason": "a friend"}),
    }
    domain = desk.domain
    for kind, (name, entry) in kinds.items():
        found = getattr(desk.mailgun, kind)
        body_of(await found.create(domain=domain, data=entry))
        one = body_of(await found.get(domain=domain, **{name: "a@x.com"}))
        assert (one.get("address") or one["value"]) == "a@x.com"
        if kind != "whitelists":
            several = [{"address": f"{letter}@x.com"} for letter in "bc"]
            as_json = {"Content-Type": "application/json"}
            body_of(await found.create(domain=domain, data=several, headers=as_json))
            streamed = await found.stream(domain=domain, filters={"limit": 2})
            assert [item["address"] for item in streamed] == ["a@x.com", "b@x.com", "c@x.com"]
        listed = [("file", ("list.csv", b"address\nd@x.com\n", CSV))]
        imports = getattr(desk.mailgun, f"{kind}_import")
        body_of(await imports.create(domain=domain, files=listed), 202)
        desk.client.drain()
        body_of(await found.get(domain=domain, **{name: "d@x.com"}))
        body_of(await found.delete(domain=domain, **{name: "a@x.com"}))
        assert (await found.get(domain=domain, **{name: "a@x.com"})).status_code == 404
        body_of(await found.delete(domain=domain))
        assert body_of(await found.get(domain=domain))["items"] == []


async def reports(desk: Desk) -> None:
    mailgun = desk.mailgun
    await desk.send(**{"o:tag": "report"})
    logs = body_of(await mailgun.analytics_logs.create(data={"events": ["delivered"], "duration": "1d"}))
    assert {item["event"] for item in logs["items"]} == {"delivered"}
    asked = {"dimensions": ["time"], "duration": "1m", "include_aggregates": True}
    metrics = body_of(await mailgun.analytics_metrics.create(data={**asked, "metrics": ["delivered_count"]}))
    assert metrics["aggregates"]["metrics"]["delivered_count"] > 0
    usage = {**asked, "metrics": ["processed_count"]}
    told = body_of(await mailgun.analytics_usage_metrics.create(data=usage))
    assert told["aggregates"]["metrics"]["processed_count"] > 0
    wanted = {"dimensions": ["entity-name"]}
    for endpoint in (mailgun.bounce_classification, mailgun.bounceclassification_metrics):
        as_json = {"Content-Type": "application/json"}
        assert body_of(await endpoint.create(data=wanted, headers=as_json))["items"] == []


async def tags(desk: Desk) -> None:
    mailgun, domain = desk.mailgun, desk.domain
    await desk.send(**{"o:tag": "news"})
    listed = body_of(
        await mailgun.analytics_tags.create(data={"pagination": {"sort": "tag:asc", "limit": 9}})
    )
    assert "news" in [item["tag"] for item in listed["items"]]
    for change in (mailgun.analytics_tags.update, mailgun.analytics_tags.put):
        assert body_of(await change(data={"tag": "news", "description": "d"}))["message"] == "Tag updated"
    assert body_of(await mailgun.analytics_tags_limits.get())["count"] > 0
    assert "news" in [item["tag"] for item in body_of(await mailgun.tags.get(domain=domain))["items"]]
    assert body_of(await mailgun.tags.get(domain=domain, tag_name="news"))["description"] == "d"
    named = {"domain": domain, "tag_name": "news"}
    body_of(await mailgun.tags.put(**named, data={"description": "new"}))
    stats = body_of(await mailgun.tags_stats.get(**named, filters={"event": "accepted"}))
    assert stats["stats"][-1]["accepted"]["total"] == 1
    for by in ("countries", "devices", "providers"):
        body_of(await getattr(mailgun, f"tags_stats_aggregates_{by}").get(**named))
        told = getattr(mailgun, f"domains_tag_{by}").get
        body_of(await told(domain=domain, filters={"tag": "news"}))
    assert body_of(await mailgun.domains_limits_tag.get(domain=domain))["count"] > 0
    body_of(await mailgun.tags.delete(**named))
    await desk.send(**{"o:tag": "old"})
    assert body_of(await mailgun.analytics_tags.delete(data={"tag": "old"}))["message"] == "Tag deleted"


async def stats(desk: Desk) -> None:
    mailgun = desk.mailgun
    await desk.send()
    asked = {"event": ["accepted", "delivered"], "duration": "1d"}
    for told in (
        await mailgun.stats_total.get(domain=desk.domain, filters=asked),
        await mailgun.stats_total.get(filters=asked),
        await mailgun.stats_filter.get(filters={**asked, "filter": f"domain:{desk.domain}"}),
    ):
        assert body_of(told)["stats"][-1]["accepted"]["total"] > 0
    now = desk.client.get("/_emulator/clock").json()["now"]
    hour = {"event": "accepted", "timestamp": now, "resolution": "hour"}
    each = body_of(await mailgun.stats_total_domains.get(filters=hour))["stats"]
    assert desk.domain in [item["domain"] for item in each]


async def templates(desk: Desk) -> None:
    mailgun, named = desk.mailgun, {"domain": desk.domain, "template_name": "welcome"}
    template = (
        MailgunTemplateBuilder("Welcome")
        .set_description("greets")
        .set_template_content("<p>Hi {{fname}}</p>")
        .set_engine("handlebars")
        .set_tag("v1")
        .set_version_comment("the first")
        .set_headers({"Subject": "Hi {{fname}}"})
        .build()
    )
    made = body_of(await mailgun.templates.create(domain=desk.domain, data=template))["template"]
    assert (made["name"], made["version"]["tag"]) == ("welcome", "v1")
    body_of(await mailgun.templates.put(**named, data={"description": "new"}))
    assert body_of(await mailgun.templates.get(**named, filters={"active": "yes"}))["template"]["version"]
    page = body_of(await mailgun.templates.get(domain=desk.domain, filters={"limit": 1}))
    assert [item["description"] for item in page["items"]] == ["new"]
    assert [item["name"] for item in await mailgun.templates.stream(domain=desk.domain)] == ["welcome"]
    second = MailgunTemplateBuilder().set_template_content("<b>Hi</b>").set_tag("v2").set_active(active=True)
    body_of(await mailgun.templates.create(**named, versions=True, data=second.build()))
    comment = {"comment": "second"}
    body_of(await mailgun.templates.put(**named, versions=True, tag="v2", data=comment))
    found = body_of(await mailgun.templates.get(**named, versions=True, tag="v2"))["template"]["version"]
    assert (found["comment"], found["active"]) == ("second", True)
    copied = mailgun.templates.put(
        **named, versions=True, tag="v2", copy=True, new_tag="v3", filters={"comment": "c"}
    )
    assert body_of(await copied)["version"]["tag"] == "v3"
    versions = body_of(await mailgun.templates.get(**named, versions=True))["template"]["versions"]
    assert [version["tag"] for version in versions] == ["v1", "v2", "v3"]
    body_of(await mailgun.templates.delete(**named, versions=True, tag="v1"))
    body_of(await mailgun.templates.delete(**named))
    body_of(await mailgun.templates.delete(domain=desk.domain))


async def routes(desk: Desk) -> None:
    mailgun = desk.mailgun
    given = {
        "priority": 1,
        "description": "Ours",
        "expression": 'match_recipient(".*@example.com")',
        "action": ["forward('http://x/')", "stop()"],
    }
    route = body_of(await mailgun.routes.create(data=given))["route"]
    assert body_of(await mailgun.routes.get(filters={"skip": 0, "limit": 5}))["items"] == [route]
    assert body_of(await mailgun.routes.get(route_id=route["id"])) == {"route": route}
    changed = body_of(await mailgun.routes.put(route_id=route["id"], data={"priority": 2}))
    assert (changed["priority"], changed["message"]) == (2, "Route has been updated")
    matched = body_of(await mailgun.routes_match.get(filters={"address": "bob@example.com"}))
    assert matched["route"]["id"] == route["id"]
    assert body_of(await mailgun.routes.delete(route_id=route["id"]))["message"] == "Route has been deleted"


async def lists(desk: Desk) -> None:
    mailgun, address = desk.mailgun, f"devs@{desk.domain}"
    body_of(await mailgun.lists.create(domain=desk.domain, data={"address": address}))
    assert body_of(await mailgun.lists.put(address=address, data={"name": "Devs"}))["list"]["name"] == "Devs"
    assert body_of(await mailgun.lists.get(address=address))["list"]["address"] == address
    assert body_of(await mailgun.lists.get(filters={"limit": 5}))["total_count"] == 1
    assert [item["address"] for item in body_of(await mailgun.lists_pages.get())["items"]] == [address]
    members = {"members": '[{"address": "Al <al@x.com>", "vars": {"age": 26}}, "bob@x.com"]', "upsert": True}
    body_of(await mailgun.lists_members.create(address=address, data=members, multiple=True))
    more = {"address": "cat@x.com", "subscribed": True}
    body_of(await mailgun.lists_members.create(address=address, data=more))
    one = {"address": address, "member_address": "bob@x.com"}
    changed = body_of(await mailgun.lists_members.put(**one, data={"subscribed": False}))
    assert changed["member"]["subscribed"] is False
    assert body_of(await mailgun.lists_members.get(**one))["member"] == changed["member"]
    assert body_of(await mailgun.lists_members.get(address=address))["total_count"] == 3
    streamed = await mailgun.lists_members_pages.stream(address=address, filters={"limit": 2})
    assert [item["address"] for item in streamed] == ["al@x.com", "bob@x.com", "cat@x.com"]
    assert len(body_of(await mailgun.lists_members_pages.get(address=address))["items"]) == 3
    body_of(await mailgun.lists_members.delete(**one))
    await desk.send(address, text="%recipient.age%")
    asked = {"event": "delivered", "list": address}
    found = body_of(await mailgun.events.get(domain=desk.domain, filters=asked))["items"]
    assert {event["recipient"] for event in found} == {"al@x.com", "cat@x.com"}
    body_of(await mailgun.lists.delete(address=address))


async def webhooks(desk: Desk) -> None:
    mailgun, domain = desk.mailgun, desk.domain
    for hooks in (mailgun.domains_webhooks, mailgun.webhooks):
        body_of(await hooks.create(domain=domain, data={"id": "clicked", "url": [A]}))
        changed = await hooks.put(domain=domain, webhook_name="clicked", data={"url": [A, B]})
        assert body_of(changed)["webhook"] == {"urls": [A, B]}
        found = body_of(await hooks.get(domain=domain, webhook_name="clicked"))
        assert found == {"webhook": {"urls": [A, B]}}
        assert set(body_of(await hooks.get(domain=domain))["webhooks"]) == {"clicked"}
        body_of(await hooks.delete(domain=domain, webhook_name="clicked"))
    assert (await mailgun.domains_webhooks_clicked.get(domain=domain)).status_code == 404
    account = mailgun.account_webhooks
    made = body_of(await account.create(data={"url": A, "event_types": ["opened"]}))["webhook_id"]
    changed = await account.put(webhook_id=made, data={"url": B, "event_types": ["clicked"]})
    assert changed.status_code == 204
    assert body_of(await account.get(webhook_id=made))["url"] == B
    assert len(body_of(await account.get())["webhooks"]) == 1
    assert (await account.delete(webhook_id=made)).status_code == 204
    other = body_of(await account.create(data={"url": A, "event_types": ["opened"]}))["webhook_id"]
    assert (await account.delete(filters={"webhook_ids": other})).status_code == 204
    assert body_of(await account.get())["webhooks"] == []


async def keys(desk: Desk) -> None:
    mailgun = desk.mailgun
    about = {"role": "sending", "kind": "domain", "domain_name": desk.domain, "description": "x"}
    made = body_of(await mailgun.keys.create(data=about))["key"]
    listed = body_of(await mailgun.keys.get(filters={"domain_name": desk.domain, "kind": "domain"}))
    assert made["id"] in [item["id"] for item in listed["items"]]
    assert body_of(await mailgun.keys.delete(key_id=made["id"]))["message"] == "key deleted"
    assert body_of(await mailgun.keys_public.create())["key"].startswith("pubkey-")


async def sandbox(desk: Desk) -> None:
    """The package's router makes `/v5/sandbox/auth/recipients` of it, with a slash."""
    friend = {"email": "friend@example.com"}
    body_of(await desk.mailgun.sandbox_auth_recipients.create(filters=friend))
    listed = body_of(await desk.mailgun.sandbox_auth_recipients.get())["recipients"]
    assert [item["email"] for item in listed] == ["friend@example.com"]


async def certificates(desk: Desk) -> None:
    """The last story: it takes until the certificate has run out."""
    mailgun, host = desk.mailgun, f"email.{desk.domain}"
    body_of(await mailgun.x509.create(domain=host), 202)
    desk.client.drain()
    assert body_of(await mailgun.x509_status.get(domain=host))["status"] == "active"
    assert desk.client.post("/_emulator/clock", json={"advance": "91d"}).status_code == 200
    body_of(await mailgun.x509.put(domain=host), 202)


STORIES: tuple[Callable[[Desk], Awaitable[None]], ...] = (
    domains,
    tracking,
    dkim,
    credentials,
    messages,
    events,
    suppressions,
    reports,
    tags,
    stats,
    templates,
    routes,
    lists,
    webhooks,
    keys,
    sandbox,
    certificates,
)
