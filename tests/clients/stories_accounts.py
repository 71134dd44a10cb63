"""What Mailgun's Python package is used for: accounts, subaccounts, users and what opens them."""

from tests.clients.package_desk import Desk, Story, body_of


async def settings(desk: Desk) -> None:
    """The package's router writes slashes for underscores."""
    mailgun = desk.mailgun
    name = desk.account.name
    assert body_of(await mailgun.accounts.put(data={"name": name}))["message"]
    pii = {"webhooks_redact_pii": '{"enabled":false}'}
    assert body_of(await mailgun.accounts_features.put(data=pii)) == {"success": True}
    key = body_of(await mailgun.accounts_http_signing_key.get())["http_signing_key"]
    assert key == desk.account.signing_key
    assert body_of(await mailgun.accounts_http_signing_key.create())["http_signing_key"] != key
    assert body_of(await mailgun.accounts_resend_activation_email.create()) == {"success": True}


async def users(desk: Desk) -> None:
    mailgun = desk.mailgun
    filters = {"role": "admin", "limit": "0", "skip": "0"}
    (master,) = body_of(await mailgun.users.get(filters=filters))["users"]
    assert body_of(await mailgun.users.get(user_id=master["id"])) == master
    assert (await mailgun.users.get(user_id="me")).status_code == 403


async def allowed_addresses(desk: Desk) -> None:
    addresses = desk.mailgun.ip_whitelist
    office = {"ip_address": "127.0.0.1", "description": ""}
    assert body_of(await addresses.create(data={"address": "127.0.0.1"})) == {"addresses": [office]}
    described = body_of(await addresses.put(data={"address": "127.0.0.1", "description": "Office"}))
    assert body_of(await addresses.get()) == described
    assert body_of(await addresses.delete(filters={"address": "127.0.0.1"})) == {"addresses": []}


async def mailboxes(desk: Desk) -> None:
    asked = {"mailbox": "old", "password": "secret-1"}
    body_of(await desk.mailgun.mailboxes.create(data=asked, domain=desk.domain))
    listed = body_of(await desk.mailgun.mailboxes.get(domain=desk.domain))
    assert [each["mailbox"] for each in listed["items"]] == [f"old@{desk.domain}"]
    assert desk.client.delete(f"/v3/{desk.domain}/mailboxes/old").status_code == 200


async def account_templates(desk: Desk) -> None:
    """The package's router goes to the account's where no domain is named."""
    assert body_of(await desk.mailgun.templates.get())["items"] == []


async def subaccounts(desk: Desk) -> None:
    """Ids stand in the names, as there is no other way to them."""
    mailgun = desk.mailgun
    made = body_of(await mailgun.accounts_subaccounts.create(data={"name": "Python"}))["subaccount"]
    assert body_of(await mailgun.accounts_subaccounts.get(filters={"filter": "Pyth"}))["total"] == 1
    own = f"accounts_subaccounts_{made['id']}"
    assert body_of(await getattr(mailgun, own).get())["subaccount"] == made
    limit = getattr(mailgun, f"{own}_limit_custom_monthly")
    assert body_of(await limit.put(data={"limit": "5000"})) == {"success": True}
    assert body_of(await limit.get()) == {"limit": 5000, "current": 0, "period": "1m"}
    assert body_of(await limit.delete()) == {"success": True}
    off = {"validations": '{"enabled": false}'}
    told = body_of(await getattr(mailgun, f"{own}_features").put(data=off))
    assert told == {"features": {"validations": {"enabled": False}}}
    for verb, status in (("disable", "disabled"), ("enable", "open")):
        changed = body_of(await getattr(mailgun, f"{own}_{verb}").create())
        assert changed["subaccount"]["status"] == status
    header = {"X-Mailgun-On-Behalf-Of": made["id"]}
    gone = body_of(await mailgun.accounts_subaccounts.delete(headers=header))
    assert gone == {"message": "Subaccount successfully deleted"}


async def message_limit(desk: Desk) -> None:
    mailgun = desk.mailgun
    limit = mailgun.accounts_limit_custom_monthly
    assert body_of(await limit.put(data={"limit": "1000"})) == {"success": True}
    many = ", ".join(f"r{number}@example.com" for number in range(1000))
    await desk.send(many, **{"o:testmode": "yes"})
    assert body_of(await limit.get())["current"] >= 1000
    refused = await mailgun.messages.create(
        data={"from": f"a@{desk.domain}", "to": "bob@gmail.com", "text": "x"}, domain=desk.domain
    )
    assert "Account disabled" in body_of(refused, 403)["message"]
    assert body_of(await mailgun.accounts_limit_custom_enable.put()) == {"success": True}
    await desk.send()
    assert body_of(await limit.delete()) == {"success": True}


STORIES: tuple[Story, ...] = (
    settings,
    users,
    allowed_addresses,
    mailboxes,
    account_templates,
    subaccounts,
    message_limit,
)

UNREACHABLE: dict[str, set[str]] = {
    "a story has the account's key, which is nobody's own": {"GET /v5/users/me"},
    "its router makes no such address": {
        "DELETE /v2/ip/whitelist",
        "DELETE /v3/{domain}/mailboxes/{login}",
        "GET /v2/ip/whitelist",
        "GET /v3/exports",
        "GET /v3/exports/{export_id}",
        "GET /v3/exports/{export_id}/download_url",
        "GET /v3/exports/{export_id}/file",
        "GET /v5/accounts/http_signing_key",
        "POST /v2/ip/whitelist",
        "POST /v3/exports",
        "POST /v5/accounts/http_signing_key",
        "POST /v5/accounts/resend_activation_email",
        "PUT /v2/ip/whitelist",
        "PUT /v3/{domain}/mailboxes/{login}",
    },
}
"""Operations that are there and that the package has no way to, by the reason."""
