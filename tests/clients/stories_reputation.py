"""What Mailgun's Python package is used for: warm-up and dynamic pools."""

from tests.clients.package_desk import Desk, Story, body_of


async def warmups(desk: Desk) -> None:
    desk.client.post("/v3/ips/request/new")
    ip = desk.client.get("/v3/ips").json()["items"][-1]
    desk.client.post(f"/v3/ip_warmups/{ip}")
    (told,) = body_of(await desk.mailgun.ip_warmups.get(filters={"limit": 5}))["items"]
    assert (told["ip"], told["stage_number"]) == (ip, 1)
    desk.client.delete(f"/v3/ip_warmups/{ip}")
    assert body_of(await desk.mailgun.ip_warmups.get())["items"] == []


async def dynamic_pools(desk: Desk) -> None:
    """The package's router makes `dynamic/pools` of a domain's `dynamic_pools`."""
    mailgun, name = desk.mailgun, f"dynamic.{desk.domain}"
    assert body_of(await mailgun.dynamic_pools.get())["pools"] == []
    for _ in range(3):
        desk.client.post("/v3/ips/request/new")
    ips = desk.client.get("/v3/ips").json()["items"][-3:]
    pools = dict(zip(("good_reputation", "poor_reputation", "new_senders"), ips, strict=True))
    desk.client.post("/v3/dynamic_pools/all", data=pools)
    assert body_of(await mailgun.dynamic_pools.get())["new_senders"] == ips[2:]
    body_of(await mailgun.domains.create(data={"name": name}))
    instead = {"replacement_ip": "shared"}
    enrolled = await mailgun.domains_dynamic_pools.create(domain=name, data=instead)
    assert body_of(enrolled) == {"message": "success"}
    assert body_of(await mailgun.domains_ips.get(domain=name))["items"] == ips[2:]
    removed = await mailgun.domains_dynamic_pools.delete(domain=name, filters=instead)
    assert body_of(removed) == {"message": "success"}
    desk.client.delete("/v3/dynamic_pools/all")
    body_of(await mailgun.domains.delete(domain=name))


STORIES: tuple[Story, ...] = (warmups, dynamic_pools)

UNREACHABLE: dict[str, set[str]] = {
    "its router makes no such address": {
        "DELETE /v1/dynamic_pools/domains/{name}/override",
        "DELETE /v3/domains/{name}/dynamic_pools",
        "DELETE /v3/dynamic_pools/all",
        "DELETE /v3/ip_warmups/{addr}",
        "GET /v1/dynamic_pools/domains",
        "GET /v1/dynamic_pools/domains/{name}/history",
        "GET /v1/dynamic_pools/domains/{name}/preview",
        "GET /v1/dynamic_pools/history",
        "GET /v3/domains/dynamic_pools/assignable",
        "GET /v3/ip_warmups/{addr}",
        "PATCH /v3/dynamic_pools/{pool_name}",
        "POST /v3/domains/all/dynamic_pools/enroll",
        "POST /v3/domains/{name}/dynamic_pools",
        "POST /v3/dynamic_pools/all",
        "POST /v3/dynamic_pools/{pool_name}/{ip}",
        "POST /v3/ip_warmups/{addr}",
        "PUT /v1/dynamic_pools/domains/{name}/override",
    },
}
"""Operations that are there and that the package has no way to, by the reason."""
