"""What Mailgun's Python package is used for: IPs and IP pools."""

from tests.clients.package_desk import Desk, Story, body_of


async def ips(desk: Desk) -> None:
    mailgun = desk.mailgun
    allowed = body_of(await mailgun.ips_request_new.get())["allowed"]["dedicated"]
    body_of(await mailgun.ips_request_new.create())
    assert body_of(await mailgun.ips_request_new.get())["allowed"]["dedicated"] == allowed - 1
    shared, one, *_ = body_of(await mailgun.ips.get())["items"]
    assert one in body_of(await mailgun.ips.get(filters={"dedicated": "true"}))["items"]
    assert body_of(await mailgun.ips.get(ip=one))["dedicated"] is True
    assert body_of(await mailgun.ips_details_all.get())["total_count"] > 1
    given = {"ip": one}
    assert body_of(await mailgun.domains_ips.create(domain=desk.domain, data=given))["message"] == "success"
    assert body_of(await mailgun.domains_ips.get(domain=desk.domain))["items"] == [one]
    (found,) = body_of(await mailgun.ips_domains.get(ip=one))["items"]
    assert found == {"ips": [one], "domain": desk.domain}
    body_of(await mailgun.domains_ips.delete(domain=desk.domain, ip=one))
    assert body_of(await mailgun.domains_ips.get(domain=desk.domain))["items"] == [shared]


async def ip_pools(desk: Desk) -> None:
    mailgun = desk.mailgun
    for _ in range(2):
        body_of(await mailgun.ips_request_new.create())
    one, two = body_of(await mailgun.ips.get(filters={"dedicated": "true"}))["items"][-2:]
    pool = {"name": "test_pool1", "description": "Test", "ips": [one]}
    pool_id = body_of(await mailgun.ippools.create(data=pool))["pool_id"]
    changes = {"name": "test_pool3", "description": "Test3"}
    assert body_of(await mailgun.ippools.patch(data=changes, pool_id=pool_id))["message"] == "success"
    (told,) = body_of(await mailgun.ippools.get())["ip_pools"]
    assert (told["name"], told["ips"]) == ("test_pool3", [one])
    assert body_of(await mailgun.ip_pools.put(pool_id=pool_id, ip=two))["message"] == "started"
    assert body_of(await mailgun.ip_pools.get(pool_id=pool_id))["details"]["ips"] == [one, two]
    body_of(await mailgun.domains_ips.create(domain=desk.domain, data={"pool_id": pool_id}))
    assert body_of(await mailgun.domains_ips.get(domain=desk.domain))["items"] == [one, two]
    body_of(await mailgun.ip_pools.delete(pool_id=pool_id, ip=two))
    desk.client.drain()
    assert body_of(await mailgun.domains_ips.get(domain=desk.domain))["items"] == [one]
    successor = {"ip": "shared"}
    body_of(await mailgun.domains_ips.delete(domain=desk.domain, ip="ip_pool", filters=successor))
    body_of(await mailgun.ippools.delete(pool_id=pool_id, filters=successor))
    assert body_of(await mailgun.ip_pools.get())["ip_pools"] == []


async def pools_of_subaccounts(desk: Desk) -> None:
    mailgun = desk.mailgun
    made = desk.client.post("/_emulator/accounts", json={"parent": desk.account.id}).json()
    body_of(await mailgun.ips_request_new.create())
    ip = body_of(await mailgun.ips.get(filters={"dedicated": "true"}))["items"][-1]
    pool = {"name": "Shared out", "description": "", "ip": ip}
    pool_id = body_of(await mailgun.ippools.create(data=pool))["pool_id"]
    about = {"subaccountId": made["id"], "data": {"pool_id": pool_id}}
    assert body_of(await mailgun.subaccount_ip_pool.put(**about))["message"] == "started"
    desk.client.drain()
    assert (await mailgun.subaccount_ip_pools.get(subaccountId=made["id"])).status_code == 404
    gone = {"subaccountId": made["id"], "filters": {"pool_id": pool_id}}
    assert body_of(await mailgun.subaccount_ip_pool.delete(**gone))["message"] == "started"
    desk.client.drain()
    body_of(await mailgun.ippools.delete(pool_id=pool_id, filters={"ip": "shared"}))


STORIES: tuple[Story, ...] = (ips, ip_pools, pools_of_subaccounts)

UNREACHABLE: dict[str, set[str]] = {
    "the package knows only the address of another version": {
        "DELETE /v1/ip_pools/{pool_id}",
        "DELETE /v3/domains/{name}/ips/{ip}",
        "GET /v1/ip_pools",
        "GET /v3/domains/{domain}/ips",
        "PATCH /v1/ip_pools/{pool_id}",
        "POST /v1/ip_pools",
        "POST /v3/domains/{domain}/ips",
    },
    "its router makes no such address": {
        "DELETE /v3/domains/{name}/pool/{ip}",
        "DELETE /v3/ip_pools/{pool_id}/delegate",
        "DELETE /v3/ips/{ip}/domains",
        "GET /v3/ip_pools/{pool_id}/domains",
        "GET /v3/ips/{ip}/domains",
        "GET /v5/accounts/subaccounts/ip_pools/all",
        "POST /v3/ip_pools/{pool_id}/ips.json",
        "POST /v3/ips/{addr}/ip_band",
        "POST /v3/ips/{ip}/domains",
        "PUT /v3/ip_pools/{pool_id}/delegate",
        "PUT /v5/accounts/subaccounts/{subaccountId}/ip",
    },
}
"""Operations that are there and that the package has no way to, by the reason."""
