"""Mailing lists and their members as requests tell them and as answers show them (facts/sending.md, 9)."""

import asyncio
from typing import Annotated, Any, ClassVar

import orjson
from fastapi import Depends, Request, Response
from pydantic import BaseModel, BeforeValidator, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, json_text
from mailgun_emulator.state import list_uploads
from mailgun_emulator.state.list_members import Member
from mailgun_emulator.state.list_uploads import CsvFile
from mailgun_emulator.state.mailing_lists import ListDetails
from mailgun_emulator.web import paging
from mailgun_emulator.web.forms import Fields, Flag, Form, Upload, read_fields, takes
from mailgun_emulator.web.paging import KeysetRequest, Paging, keyset, link

MOST_ON_PAGE = 100
MOST_MEMBERS = 1000


class MissingMembers(BadRequest):
    """Mailgun's own text is not known."""

    message = "'members' parameter is missing"


class MembersAreNoJson(BadRequest):
    """Mailgun's own text is not known."""

    message = "'members' parameter is not a valid JSON"


class TooManyMembers(BadRequest):
    """Mailgun's own text is not known."""

    message = f"Too many members, max is {MOST_MEMBERS}"


# What is read from a request


class MailingListForm(Form):
    invalid: ClassVar[str] = "'{name}' parameter is invalid"
    address: str = Field("", description="The list's, `devs@example.com` or `Developers <devs@example.com>`.")
    name: str | None = None
    description: str = ""
    access_level: str = Field("", description="Who may post: `readonly`, `members` or `everyone`.")
    reply_preference: str = Field("", description="Where replies go: `list` or `sender`.")


class MailingListChangeForm(MailingListForm):
    """What is not given stays; `list-id` is what the header of that name says."""

    list_id: str = Field("", alias="list-id", description="What `List-Id` says.")

    def given(self) -> dict[str, str]:
        told = self.model_dump(exclude_unset=True, exclude_none=True)
        return {
            name: each for name, each in told.items() if each or name in ("name", "description", "list_id")
        }


class MailingListsForm(Form):
    limit: int = Field(MOST_ON_PAGE, description="Most entries on a page, 100 at most.")
    skip: int = Field(0, description="How many to pass over.")
    address: str = Field("", description="The only one wanted.")


class MailingListPagesForm(Form):
    limit: int = Field(MOST_ON_PAGE, description="Most entries on a page, 100 at most.")
    page: str = Field("", description="`first`, `next`, `prev` or `last`.")
    address: str = Field("", description="Where next and prev begin.")


class MembersFilterForm(Form):
    invalid: ClassVar[str] = "'{name}' parameter is invalid"
    subscribed: Annotated[Flag | None, BeforeValidator(lambda value: None if value == "" else value)] = Field(
        None, description="Only those who are, or who are not."
    )


class ListMembersForm(MailingListsForm, MembersFilterForm):
    pass


class ListMemberPagesForm(MailingListPagesForm, MembersFilterForm):
    pass


class ListMemberForm(Form):
    """`vars` is a JSON object, for `%recipient.KEY%`."""

    invalid: ClassVar[str] = "'{name}' parameter is invalid"
    address: str | None = Field(None, description="`bob@example.com` or `Bob <bob@example.com>`.")
    name: str | None = None
    vars: Any = Field(None, description="A JSON object.")
    subscribed: Flag | None = Field(None, description="`yes` for a new member unless told otherwise.")


class NewListMemberForm(ListMemberForm):
    upsert: Flag = Field(default=False, description="Change the member if there is one already.")


class MembersJsonForm(Form):
    invalid: ClassVar[str] = "'{name}' parameter is invalid"
    members: Any = Field(None, description="A JSON array of addresses or of objects as for one member.")
    upsert: Flag = Field(default=False, description="Change those who are members already.")


class MembersCsvForm(Form):
    """The file's first row may name its columns: address, name, vars, subscribed."""

    invalid: ClassVar[str] = "'{name}' parameter is invalid"
    members: Any = Field(None, description="A CSV file.")
    subscribed: Flag = Field(default=True, description="Whether its members are, unless they say themselves.")
    upsert: Flag = Field(default=False, description="Change those who are members already.")


@takes(MembersCsvForm)
async def read_csv_file(request: Request) -> CsvFile:
    """Ask for it before `CurrentTx`: a large file is read in a thread. What is wrong with it comes after the key."""
    given = (await read_fields(request)).first("members")
    if given is None:
        return CsvFile(refusal=MissingMembers())
    data = given.data if isinstance(given, Upload) else str(given).encode()
    return await asyncio.to_thread(list_uploads.read_csv, data)


CurrentCsvFile = Annotated[CsvFile, Depends(read_csv_file)]


def items_of(fields: Fields) -> list[Any]:
    """`members` as JSON text or as JSON, or a body that is the array itself."""
    given = fields.json if isinstance(fields.json, list) else fields.get("members")
    if not given:
        raise MissingMembers
    if len(given) == 1 and isinstance(given[0], str) and "[" in given[0]:
        given = parsed(given[0])
    if len(given) > MOST_MEMBERS:
        raise TooManyMembers
    return list(given)


def parsed(text: str) -> list[Any]:
    try:
        found = json_text.read(text)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise MembersAreNoJson(hint="`members` has to be a JSON array of addresses or objects.")
    return found


# What is answered


class MailingListView(BaseModel):
    """`created_at` with the zone -0000 (facts/sending.md, 9)."""

    access_level: str
    address: str
    created_at: str
    description: str
    members_count: int
    name: str
    reply_preference: str


class ListMemberView(BaseModel):
    address: str
    name: str
    subscribed: bool
    vars: dict[str, Any]


class MailingLists(BaseModel):
    items: list[MailingListView]
    total_count: int


class MailingListPages(BaseModel):
    items: list[MailingListView]
    paging: Paging


class OneMailingList(BaseModel):
    list: MailingListView


class ChangedMailingList(BaseModel):
    list: MailingListView
    message: str


class DeletedMailingList(BaseModel):
    address: str
    message: str


class UploadedMembers(BaseModel):
    """`task-id` is all zeros if it is done already."""

    list: MailingListView
    message: str
    task_id: str = Field(serialization_alias="task-id")


class ListMembers(BaseModel):
    items: list[ListMemberView]
    total_count: int


class ListMemberPages(BaseModel):
    items: list[ListMemberView]
    paging: Paging


class OneListMember(BaseModel):
    member: ListMemberView


class ChangedListMember(BaseModel):
    member: ListMemberView
    message: str


class ListMemberAddress(BaseModel):
    address: str


class DeletedListMember(BaseModel):
    member: ListMemberAddress
    message: str


class Pretty(Response):
    """As the older services write JSON: two blanks to indent, keys sorted (facts/sending.md, 10.2)."""

    media_type = "application/json"

    def __init__(self, content: Any) -> None:
        super().__init__(content, headers={"Content-Disposition": "inline"})

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def list_view(listed: ListDetails) -> dict[str, Any]:
    return {
        "access_level": listed.access_level,
        "address": listed.spelled,
        "created_at": dates.rfc2822(listed.created_at, "-0000"),
        "description": listed.description,
        "members_count": listed.members_count,
        "name": listed.name,
        "reply_preference": listed.reply_preference,
    }


def member_view(member: Member) -> dict[str, Any]:
    return {
        "address": member.spelled,
        "name": member.name,
        "subscribed": bool(member.subscribed),
        "vars": orjson.loads(member.vars),
    }


def skip_and_limit(fields: Fields) -> dict[str, Any]:
    """More than 100 at once are not given."""
    limit = min(paging.number(fields, "limit", MOST_ON_PAGE, 1), MOST_ON_PAGE)
    return {"skip": min(paging.number(fields, "skip", 0), 2**60), "limit": limit}


def between(asked: KeysetRequest) -> dict[str, Any]:
    """What a page is looked for by."""
    return {
        "after": asked.pivot if asked.page == "next" else "",
        "before": asked.pivot if asked.page == "previous" else "",
        "limit": asked.limit,
        "backwards": asked.backwards,
    }


def keyset_of(fields: Fields) -> KeysetRequest:
    asked = keyset(fields, "address", most=2**60)
    return asked._replace(limit=min(asked.limit, MOST_ON_PAGE))


def links(request: Request, asked: KeysetRequest, addresses: list[str], **common: Any) -> dict[str, str]:
    """Past either end, the way back leads to the page at that end."""

    def to(page: str, pivot: str | None = None) -> str:
        at = {} if pivot is None else {"address": pivot}
        return link(request, page=page, **at, limit=asked.limit, **common)

    first, last = to("first"), to("last")
    if addresses:
        following, before = to("next", addresses[-1]), to("prev", addresses[0])
    elif asked.backwards:
        following, before = first, to("prev", asked.pivot)
    else:
        following, before = to("next", asked.pivot), last
    return {"first": first, "last": last, "next": following, "previous": before}
