"""What Mailgun's Python package is used for: blocklists, traps, reports."""

from tests.clients.package_desk import Desk, Story, body_of

JSON = {"Content-Type": "application/json"}


async def watched(desk: Desk) -> None:
    mailgun, name = desk.mailgun, f"watched.{desk.domain}"
    about = {"domain": name}
    added = body_of(await mailgun.inboxready_domains.create(filters=about))
    assert added["message"] == "The domain has been added"
    verified = body_of(await mailgun.inboxready_domains_verify.put(data=about))
    assert verified["message"] == "Domain pending verification"
    assert [each["name"] for each in await mailgun.inboxready_domains.stream()] == [name]
    gone = body_of(await mailgun.inboxready_domains.delete(filters=about))
    assert gone["message"] == f"{name} has been removed from InboxReady"


async def blocklists(desk: Desk) -> None:
    mailgun, ip = desk.mailgun, "203.0.113.77"
    body_of(await mailgun.inboxready_domains.create(data={"domain": desk.domain}))
    made = body_of(await mailgun.inboxready_ip_addresses.create(data={"ip": ip}, headers=JSON), 201)
    assert made["state"] == "healthy"
    for what in ({"ip": ip, "blocklist": "CBL"}, {"domain": desk.domain, "blocklist": "SURBL"}):
        listing = {**what, "rejects": False}
        assert desk.client.post("/_emulator/blocklists", json=listing).status_code == 200
    (kept,) = body_of(await mailgun.inboxready_ip_addresses.get())["items"]
    assert (kept["ip"], kept["state"]) == (ip, "listed")
    (told,) = body_of(await mailgun.monitoring_domains.get())["domains"]
    assert told["state"] == "listed"
    (event,) = body_of(await mailgun.monitoring_domains_events.get())["events"]
    assert event["event"] == "domain_listed"
    listed = body_of(await mailgun.domains_blocklists.get(domain=desk.domain))["blocklists"]
    assert [each["name"] for each in listed] == ["SURBL"]


async def spam_traps(desk: Desk) -> None:
    await desk.send("spamtrap@example.net")
    (day,) = body_of(await desk.mailgun.spamtraps.get())["items"]
    assert day["pristine"] == 1


async def dmarc(desk: Desk) -> None:
    mailgun = desk.mailgun
    assert body_of(await mailgun.dmarc_setup.get())["InstanceID"]
    assert body_of(await mailgun.dmarc_referral.get())["referral_uri"]
    assert body_of(await mailgun.dmarc_referral.create(data={"email": "a@example.com"}))["referral_uri"]
    (told,) = body_of(await mailgun.dmarc_domains.get())["domains"]
    assert told["total"] > 0


async def postmasters(desk: Desk) -> None:
    await desk.send("bob@gmail.com")
    await desk.send("bob@outlook.com")
    for below in (
        "gpt_domains",
        "gpt_domains_list",
        "gpt_domainsfbl",
        "gpt_addresses",
        "gpt_addresses_list",
        "gpt_summary",
        "gpt_summary_domains",
        "gpt_summary_errors",
        "gpt_summary_addresses",
        "snds",
    ):
        told = body_of(await getattr(desk.mailgun, f"reputationanalytics_{below}").get())
        assert told["total"] > 0 or below == "gpt_domainsfbl"


async def inspection(desk: Desk) -> None:
    analyses = desk.mailgun.inspect_analyze
    made = body_of(await analyses.create(data={"html": "<img src='x'>"}, headers=JSON))["items"]
    assert [each["test_id"] for each in body_of(await analyses.get())["items"]] == [made["id"]]
    one = getattr(desk.mailgun, f"inspect_analyze_{made['id']}")
    assert body_of(await one.get())["meta"]["count"] > 0
    assert body_of(await one.delete())["message"] == "deleted"


STORIES: tuple[Story, ...] = (watched, blocklists, spam_traps, dmarc, postmasters, inspection)

UNREACHABLE: dict[str, set[str]] = {
    "the package knows only the address of another version": {"GET /v1/spamtraps"},
    "its router makes slashes of underscores": {
        "GET /v1/inboxready/ip_addresses",
        "GET /v1/reputationanalytics/gpt/addresses_list",
        "GET /v1/reputationanalytics/gpt/domains_list",
        "POST /v1/inboxready/ip_addresses",
    },
    "its router leaves the dots out of what is no keyword": {
        "DELETE /v1/inboxready/ip/addresses/{ip}",
        "DELETE /v1/inboxready/ip_addresses/{ip}",
        "GET /v1/dmarc/domains/{domain}",
        "GET /v1/dmarc/domains/{domain}/s/{source}",
        "GET /v1/dmarc/domains/{domain}/s/{source}/h/{host}",
        "GET /v1/dmarc/domains/{domain}/s/{source}/h/{host}/ip/{ip}",
        "GET /v1/dmarc/records/{domain}",
        "GET /v1/inboxready/ip/addresses/{ip}",
        "GET /v1/inboxready/ip_addresses/{ip}",
        "GET /v1/monitoring/domains/{domain}/blocklists",
        "GET /v1/monitoring/domains/{domain}/events",
        "GET /v1/reputationanalytics/gpt/addresses/{address}",
        "GET /v1/reputationanalytics/gpt/domains/{domain}",
        "GET /v1/reputationanalytics/gpt/domains/{domain}/addresses",
        "GET /v1/reputationanalytics/gpt/domainsfbl/{domain}",
        "GET /v1/reputationanalytics/snds/{ip}",
        "PUT /v1/inboxready/ip/addresses/{ip}",
        "PUT /v1/inboxready/ip_addresses/{ip}",
    },
    "its router makes no such address": {
        "GET /v1/blocklist-monitoring/blocklists",
        "GET /v1/blocklist-monitoring/events",
        "GET /v1/maverick-score/grouped",
        "GET /v1/maverick-score/total",
    },
}
"""Operations that are there and that the package has no way to, by the reason."""
