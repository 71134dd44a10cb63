import re
from typing import Any

from tests.api.answers import refused
from tests.api.watched import now, send, watch
from tests.conftest import Account, Client

DOMAINS = "/v1/dmarc/domains"


def told(client: Client, path: str, **asked: Any) -> dict[str, Any]:
    answer = client.get(path, params=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_the_record_is_told_and_whether_it_is_there(client: Client, account: Account) -> None:
    record = told(client, f"/v1/dmarc/records/{account.domain}")
    inbox = r"mailto:[0-9a-f]{8}@inbox\.ondmarc\.com"
    assert re.fullmatch(
        rf"v=DMARC1; p=none; pct=100; fo=1; ri=3600; rua={inbox}; ruf={inbox};", record["entry"]
    )
    assert record == {"entry": record["entry"], "current": record["entry"], "configured": True}
    client.post("/v4/domains", data={"name": "new.example.com"})
    record = told(client, "/v1/dmarc/records/new.example.com")
    assert (record["current"], record["configured"]) == ("", False)
    client.put("/v4/domains/new.example.com/verify")
    assert told(client, "/v1/dmarc/records/new.example.com")["configured"] is True
    refused(client.get("/v1/dmarc/records/no.example.com"), 404, {"message": "domain not found"})


def test_the_setup_and_the_referral_are_told(client: Client) -> None:
    setup = told(client, "/v1/dmarc/setup")
    assert list(setup) == ["InstanceID", "LastAccessed", "CreatedAt", "UpdatedAt"]
    assert re.fullmatch(r"[0-9a-f]{48}", setup["InstanceID"])
    assert told(client, "/v1/dmarc/setup")["InstanceID"] == setup["InstanceID"]
    link = told(client, "/v1/dmarc/referral")["referral_uri"]
    assert re.fullmatch(r"https://redsift\.com/partners/mailgun\?token=[0-9a-f]{32}", link)
    posted = client.post("/v1/dmarc/referral", json={"email": "ann@example.com"}).json()["referral_uri"]
    assert posted != link
    for bad in (
        client.get("/v1/dmarc/referral", params={"email": "nobody"}),
        client.post("/v1/dmarc/referral", json={"email": "nobody"}),
    ):
        refused(bad, 400, {"message": "email is invalid"})


def test_reports_lead_from_the_domain_down_to_the_ip(client: Client, account: Account) -> None:
    watch(client, account.domain)
    send(client, account.domain, "a@gmail.com", "b@yahoo.com", "bounce@example.com")
    verdicts = {"passed": 2, "failed": 0, "quarantined": 0, "rejected": 0, "total": 2}
    listed = told(client, DOMAINS)
    assert listed["domains"] == [{"domain": account.domain, **verdicts}]
    (day,) = listed["pfqr_chart"]
    assert day == {"timestamp": int(now(client) // 86400 * 86400), **verdicts}
    domain = told(client, f"{DOMAINS}/{account.domain}")
    assert domain == {
        "domain": account.domain,
        **verdicts,
        "sources": [{"source": "mailgun", **verdicts}],
        "pfqr_chart": [day],
    }
    path = f"{DOMAINS}/{account.domain}/s/mailgun"
    (host,) = told(client, path)["hosts"]
    path += f"/h/{host.pop('host')}"
    assert host == verdicts
    (ip,) = told(client, path)["ips"]
    path += f"/ip/{ip['ip']}"
    assert [each["total"] for each in told(client, path)["days"]] == [2]
    delivered = client.get(f"/v3/{account.domain}/events", params={"event": "delivered"}).json()["items"][0]
    assert ip["ip"] == delivered["envelope"]["sending-ip"]


def test_what_is_not_authenticated_fails(client: Client, account: Account) -> None:
    watch(client, account.domain)
    client.put(f"/_emulator/domains/{account.domain}/dns", json={"spf": "wrong", "dkim": "wrong"})
    send(client, account.domain, "a@gmail.com")
    client.put(f"/v4/domains/{account.domain}/verify")
    (domain,) = told(client, DOMAINS)["domains"]
    assert (domain["passed"], domain["failed"]) == (0, 1)


def test_only_the_days_that_are_asked_for_are_told(client: Client, account: Account) -> None:
    watch(client, account.domain)
    send(client, account.domain, "a@gmail.com")
    before = int(now(client))
    client.post("/_emulator/clock", json={"advance": "20d"})
    send(client, account.domain, "a@gmail.com", "b@gmail.com")
    path = f"{DOMAINS}/{account.domain}"
    assert told(client, path)["total"] == 2
    assert told(client, path, **{"from": before, "to": before})["total"] == 1
    assert told(client, path, **{"from": before, "to": int(now(client))})["total"] == 3


def test_what_makes_no_sense_is_refused(client: Client, account: Account) -> None:
    watch(client, account.domain)
    send(client, account.domain, "a@gmail.com")
    for asked, message in (
        ({"from": "yesterday", "to": "1"}, "from must be a UNIX timestamp"),
        ({"from": "1"}, "from and to must be given together"),
        ({"from": "9", "to": "5"}, "from must be before to"),
    ):
        for path in ("", f"/{account.domain}", f"/{account.domain}/s/mailgun"):
            refused(client.get(DOMAINS + path, params=asked), 400, {"message": message})
    unknown = f"{DOMAINS}/{account.domain}/s"
    for path in ("other", "other/h/x", "mailgun/h/x", "mailgun/h/x/ip/1.2.3.4"):
        answer = client.get(f"{unknown}/{path}")
        refused(answer, 404, {"message": "not found"})
        assert answer.headers["x-mailgun-emulator-hint"].startswith("Nothing was delivered")
    refused(client.get(f"{DOMAINS}/no.example.com"), 404, {"message": "domain not found"})
