"""Mailing lists: addresses that stand for many, and their members (facts/sending.md, 9)."""

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from mailgun_emulator.state import list_members, list_uploads, mailing_lists
from mailgun_emulator.state.list_uploads import Format
from mailgun_emulator.state.mailing_lists import ListDetails
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import CurrentFields, form, takes
from mailgun_emulator.web.mailing_lists import (
    ChangedListMember,
    ChangedMailingList,
    CurrentCsvFile,
    DeletedListMember,
    DeletedMailingList,
    ListMemberForm,
    ListMemberPages,
    ListMemberPagesForm,
    ListMembers,
    ListMembersForm,
    MailingListChangeForm,
    MailingListForm,
    MailingListPages,
    MailingListPagesForm,
    MailingLists,
    MailingListsForm,
    MembersCsvForm,
    MembersFilterForm,
    MembersJsonForm,
    NewListMemberForm,
    OneListMember,
    OneMailingList,
    Pretty,
    UploadedMembers,
    between,
    items_of,
    keyset_of,
    links,
    list_view,
    member_view,
    skip_and_limit,
)
from mailgun_emulator.web.paging import in_order
from mailgun_emulator.web.views import Done, Responses, refusals

router = APIRouter(tags=["Mailing Lists"])

MOST_AT_ONCE = 100
"""More members than that are put on the list in the background."""
NO_TASK = "0" * 32
REFUSED = refusals(400)
REFUSED_OR_NOT_FOUND: Responses = {**REFUSED, 404: {"model": Done}}

# The operations on lists


@router.get("/v3/lists", response_model=MailingLists, responses=REFUSED)
@takes(MailingListsForm)
async def list_mailing_lists(tx: CurrentTx, fields: CurrentFields) -> Response:
    """List the account's mailing lists in alphabetical order, or the one that has an address."""
    address = str(fields.first("address") or "")
    found = mailing_lists.list_page(tx, address=address, **skip_and_limit(fields))
    return Pretty({"items": [*map(list_view, found)], "total_count": mailing_lists.count(tx, address)})


@router.post("/v3/lists", response_model=ChangedMailingList, responses=REFUSED)
async def create_mailing_list(
    tx: CurrentTx, asked: Annotated[MailingListForm, form(MailingListForm)]
) -> Response:
    """Make a mailing list, without members."""
    made = mailing_lists.create(tx, **asked.model_dump())
    return Pretty({"list": list_view(made), "message": "Mailing list has been created"})


@router.put("/v3/lists", include_in_schema=False)
async def update_no_list(_: CurrentTx) -> Response:
    """Who forgets the address gets a page, as recorded (facts/sending.md, 9)."""
    page = "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    return Response(page, 404, media_type="text/html")


@router.get("/v3/lists/pages", response_model=MailingListPages, responses=REFUSED)
@takes(MailingListPagesForm)
async def page_mailing_lists(request: Request, tx: CurrentTx, fields: CurrentFields) -> Response:
    """Page through the account's mailing lists in alphabetical order."""
    asked = keyset_of(fields)
    found = in_order(asked, mailing_lists.list_page(tx, **between(asked)))
    urls = links(request, asked, [each.spelled for each in found])
    return Pretty({"items": [*map(list_view, found)], "paging": urls})


@router.get("/v3/lists/{list_address}", response_model=OneMailingList, responses=REFUSED_OR_NOT_FOUND)
async def get_mailing_list(tx: CurrentTx, list_address: str) -> Response:
    """Look a mailing list up."""
    return Pretty({"list": list_view(mailing_lists.get(tx, list_address))})


@router.put("/v3/lists/{list_address}", response_model=ChangedMailingList, responses=REFUSED_OR_NOT_FOUND)
async def update_mailing_list(
    tx: CurrentTx, list_address: str, asked: Annotated[MailingListChangeForm, form(MailingListChangeForm)]
) -> Response:
    """Change a mailing list, its address included."""
    changed = mailing_lists.change(tx, mailing_lists.get(tx, list_address), **asked.given())
    return Pretty({"list": list_view(changed), "message": "Mailing list has been updated"})


@router.delete("/v3/lists/{list_address}", response_model=DeletedMailingList, responses=REFUSED_OR_NOT_FOUND)
async def delete_mailing_list(tx: CurrentTx, list_address: str) -> Response:
    """Delete a mailing list with its members."""
    listed = mailing_lists.get(tx, list_address)
    mailing_lists.delete_list(tx, listed)
    return Pretty({"address": listed.spelled, "message": "Mailing list has been removed"})


# The operations on members


@router.get("/v3/lists/{list_address}/members", response_model=ListMembers, responses=REFUSED_OR_NOT_FOUND)
@takes(ListMembersForm)
async def list_list_members(tx: CurrentTx, list_address: str, fields: CurrentFields) -> Response:
    """List the members in alphabetical order, or the one that has an address."""
    listed = mailing_lists.get(tx, list_address)
    wanted: dict[str, Any] = {
        "only": str(fields.first("address") or ""),
        "subscribed": MembersFilterForm.of(fields).subscribed,
    }
    found = list_members.list_page(tx, listed, **wanted, **skip_and_limit(fields))
    total = list_members.count(tx, listed, **wanted)
    return Pretty({"items": [*map(member_view, found)], "total_count": total})


@router.post(
    "/v3/lists/{list_address}/members", response_model=ChangedListMember, responses=REFUSED_OR_NOT_FOUND
)
async def create_list_member(
    tx: CurrentTx, list_address: str, asked: Annotated[NewListMemberForm, form(NewListMemberForm)]
) -> Response:
    """Put somebody on a list."""
    listed = mailing_lists.get(tx, list_address)
    member = list_members.read(asked.model_dump(exclude={"upsert"}))
    made = list_members.create(tx, listed, member, upsert=asked.upsert)
    return Pretty({"member": member_view(made), "message": "Mailing list member has been created"})


@router.post(
    "/v3/lists/{list_address}/members.json", response_model=UploadedMembers, responses=REFUSED_OR_NOT_FOUND
)
@takes(MembersJsonForm)
async def upload_list_members(tx: CurrentTx, list_address: str, fields: CurrentFields) -> Response:
    """Put up to 1,000 on a list; if they are more than 100, in the background."""
    listed = mailing_lists.get(tx, list_address, quoted=True)
    items, upsert = items_of(fields), MembersJsonForm.of(fields).upsert
    if len(items) > MOST_AT_ONCE:
        how = Format(list_uploads.JSON, subscribed=True, upsert=upsert)
        return started(listed, list_uploads.start(tx, listed, list_uploads.in_parts(items), how))
    list_members.put_many(tx, listed, [list_members.read(item) for item in items], upsert=upsert)
    view = list_view(mailing_lists.get(tx, list_address))
    return Pretty({"list": view, "message": "Mailing list has been updated", "task-id": NO_TASK})


@router.post(
    "/v3/lists/{list_address}/members.csv", response_model=UploadedMembers, responses=REFUSED_OR_NOT_FOUND
)
async def upload_list_members_as_csv(
    file: CurrentCsvFile, tx: CurrentTx, list_address: str, fields: CurrentFields
) -> Response:
    """Put the members that a CSV file names on a list, in the background."""
    listed = mailing_lists.get(tx, list_address, quoted=True)
    if file.refusal is not None:
        raise file.refusal
    asked = MembersCsvForm.of(fields)
    how = Format(list_uploads.CSV, subscribed=asked.subscribed, upsert=asked.upsert)
    return started(listed, list_uploads.start(tx, listed, file.parts, how))


def started(listed: ListDetails, task_id: str) -> Response:
    message = "Mailing list upload started in background"
    return Pretty({"list": list_view(listed), "message": message, "task-id": task_id})


@router.get(
    "/v3/lists/{list_address}/members/pages", response_model=ListMemberPages, responses=REFUSED_OR_NOT_FOUND
)
@takes(ListMemberPagesForm)
async def page_list_members(
    request: Request, tx: CurrentTx, list_address: str, fields: CurrentFields
) -> Response:
    """Page through the members in alphabetical order."""
    listed, asked = mailing_lists.get(tx, list_address), keyset_of(fields)
    subscribed = MembersFilterForm.of(fields).subscribed
    found = in_order(asked, list_members.list_page(tx, listed, subscribed=subscribed, **between(asked)))
    common = {} if subscribed is None else {"subscribed": "yes" if subscribed else "no"}
    urls = links(request, asked, [each.spelled for each in found], **common)
    return Pretty({"items": [*map(member_view, found)], "paging": urls})


@router.get(
    "/v3/lists/{list_address}/members/{member_address}",
    response_model=OneListMember,
    responses=REFUSED_OR_NOT_FOUND,
)
async def get_list_member(tx: CurrentTx, list_address: str, member_address: str) -> Response:
    """Look a member of a list up."""
    listed = mailing_lists.get(tx, list_address)
    return Pretty({"member": member_view(list_members.get(tx, listed, member_address))})


@router.put(
    "/v3/lists/{list_address}/members/{member_address}",
    response_model=ChangedListMember,
    responses=REFUSED_OR_NOT_FOUND,
)
async def update_list_member(
    tx: CurrentTx,
    list_address: str,
    member_address: str,
    asked: Annotated[ListMemberForm, form(ListMemberForm)],
) -> Response:
    """Change a member of a list, the address included; what is not given stays."""
    listed = mailing_lists.get(tx, list_address)
    known = list_members.get(tx, listed, member_address)
    given = list_members.read({**asked.model_dump(), "address": asked.address or known.spelled})
    changed = list_members.change(tx, listed, known, given)
    return Pretty({"member": member_view(changed), "message": "Mailing list member has been updated"})


@router.delete(
    "/v3/lists/{list_address}/members/{member_address}",
    response_model=DeletedListMember,
    responses=REFUSED_OR_NOT_FOUND,
)
async def delete_list_member(tx: CurrentTx, list_address: str, member_address: str) -> Response:
    """Take somebody off a list."""
    gone = list_members.delete_member(tx, mailing_lists.get(tx, list_address), member_address)
    told = {"member": {"address": gone.spelled}, "message": "Mailing list member has been deleted"}
    return Pretty(told)
