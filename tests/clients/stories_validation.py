"""What Mailgun's Python package is used for: validation of addresses."""

from tests.clients.package_desk import Desk, Story, body_of

FILE = {"file": ("list.csv", b"email\nbounce@example.com\nbob@example.org\n", "text/csv")}
ONE_OF_TWO = {"catch_all": 0, "deliverable": 1, "do_not_send": 0, "undeliverable": 1, "unknown": 0}


async def single(desk: Desk) -> None:
    mailgun, without = desk.mailgun, {"provider_lookup": "false"}
    asked = {"address": "bounce@example.com"}
    assert body_of(await mailgun.addressvalidate.get(filters=asked))["result"] == "undeliverable"
    unknown = body_of(await mailgun.addressvalidate.create(data=asked, filters=without))
    assert unknown["reason"] == ["no_data"]
    several = {"addresses": "Ann <ann@example.org>,nobody"}
    parsed = {"parsed": ["Ann <ann@example.org>"], "unparseable": ["nobody"]}
    assert body_of(await mailgun.addressparse.get(filters=several)) == parsed
    assert body_of(await mailgun.address_validate.get(filters=asked))["risk"] == "high"


async def lists(desk: Desk) -> None:
    """The package's router puts the name where a part of the address would be."""
    customers = desk.mailgun.address_validate_bulk_customers
    made = body_of(await customers.create(files=FILE))
    assert made == {"id": "customers", "message": "The validation job was submitted."}
    desk.client.drain()
    job = body_of(await customers.get())
    assert (job["status"], job["summary"]["result"]) == ("uploaded", ONE_OF_TWO)
    assert body_of(await desk.mailgun.address_bulk.get(filters={"limit": 2}))["total"] == 1
    assert body_of(await customers.delete()) == {"message": "Validation job canceled."}


async def previews(desk: Desk) -> None:
    preview = desk.mailgun.address_validate_preview_sample
    body_of(await preview.create(files=FILE))
    desk.client.drain()
    listed = body_of(await desk.mailgun.address_preview.get())["previews"]
    assert [each["id"] for each in listed] == ["sample"]
    assert body_of(await preview.get())["preview"]["summary"]["result"]["deliverable"] == 50
    body_of(await preview.put())
    assert (await preview.delete()).status_code == 204
    desk.client.drain()
    assert body_of(await desk.mailgun.address_validate_bulk_sample.get())["quantity"] == 2


async def mailing_lists(desk: Desk) -> None:
    mailgun, address = desk.mailgun, f"validated@{desk.domain}"
    body_of(await mailgun.lists.create(data={"address": address}))
    body_of(await mailgun.lists_members.create(address=address, data={"address": "bob@example.org"}))
    assert body_of(await mailgun.lists.create(address=address, validate=True))["id"] == address
    desk.client.drain()
    assert body_of(await mailgun.lists.get(address=address, validate=True))["quantity"] == 1
    assert body_of(await mailgun.lists.delete(address=address, validate=True))["message"]
    body_of(await mailgun.lists.delete(address=address))


STORIES: tuple[Story, ...] = (single, lists, previews, mailing_lists)

UNREACHABLE = {
    "its router knows only the newer version": {
        "GET /v3/address/parse",
        "GET /v3/address/private/parse",
        "GET /v3/address/private/validate",
        "GET /v3/address/validate",
    },
    "results are downloaded without the package": {"GET /v4/address/validate/bulk/{list_id}/{file}"},
}
"""Operations that are there and that the package has no way to, by the reason."""
