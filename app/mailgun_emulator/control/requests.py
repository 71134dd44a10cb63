"""What was asked of Mailgun's API lately, how it was answered, and what was odd about it."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.web import instants, journal
from mailgun_emulator.web.deps import AccountId, ChosenAccount
from mailgun_emulator.web.forms import LARGEST
from mailgun_emulator.web.happenings import Asked
from mailgun_emulator.web.instants import Instant
from mailgun_emulator.web.journal import Entry, Journal
from mailgun_emulator.web.views import REFUSALS

router = APIRouter(prefix="/_emulator/requests", tags=["Emulator"])

RequestId = Annotated[int, Field(ge=1, le=LARGEST)]


class RequestNotFound(NotFound):
    def __init__(self, number: int, kept: int) -> None:
        super().__init__(
            f"No request {number} of this account is kept: the last {kept} are, unless they were forgotten"
            if kept
            else "No requests are kept: the emulator was started with --journal 0"
        )


class RequestsAsked(Asked):
    """Which requests; what is not said is not asked for. Upper and lower case are the same."""

    method: str = Field("", description="`GET`, `POST` and so on.")
    path: str = Field("", description="A part of it, or all of it with `*` for anything.")
    status: str = Field(
        "",
        pattern=r"^ *(\d{1,3}|[1-5]xx)( *, *(\d{1,3}|[1-5]xx))* *$|^$",
        description="Such as `401`, `4xx` or `400,5xx`; 0 for those never answered.",
    )
    operation: str = Field("", description="Its name in the OpenAPI document, as `send_message`.")
    domain: str = Field("", description="The domain in the path.")
    failed: bool | None = Field(None, description="Answered with 400 or more, or never.")
    hinted: bool | None = Field(None, description="With a hint.")
    since: Instant = Field(None, description="An instant, or how long ago: `10m`.")
    limit: int = Field(50, ge=1, le=1000, description="So many on a page at most.")
    cursor: RequestId | None = Field(None, description="As `next` of another page.")
    account: AccountId = None

    def fits(self, entry: Entry) -> bool:
        return (
            (not self.method or entry.method == self.method.upper())
            and _is_part(self.path, entry.path)
            and (not self.status or any(_has_status(entry, each) for each in self.status.split(",")))
            and (not self.operation or self.operation.lower() in journal.operations(entry))
            and (not self.domain or self.domain.lower() == entry.domain.lower())
            and self.failed in (None, not 0 < entry.status < 400)
            and self.hinted in (None, entry.hints != ())
        )


class RequestSummary(BaseModel):
    """`at` is when it was answered, in seconds since 1970.

    `account` is null if no account's key came with it, `operation` if there is none at that path, `status` 0 if it was
    never answered.
    """

    id: int
    at: float
    iso: str
    account: str | None
    method: str
    path: str
    query: str
    operation: str | None
    status: int
    duration_ms: float
    hints: list[str]
    client: str


class JournalledRequests(BaseModel):
    """The newest first; `next` is the cursor of the older ones, null on the last page."""

    items: list[RequestSummary]
    next: int | None


class JournalledMessage(BaseModel):
    """Names of headers in lower case. `encoding` is `base64` where the body is no text, `size` how long it was.

    Only the first 256,000 bytes of a body are kept; it is `truncated` then.
    """

    headers: dict[str, str]
    body: str
    encoding: str | None
    size: int
    truncated: bool


class RequestAsItCame(JournalledMessage):
    """`fields` are the parameters of query and body as they were read, each a list; null if they can't be."""

    fields: dict[str, list[Any]] | None


class RequestDetails(RequestSummary):
    request: RequestAsItCame
    response: JournalledMessage


class Forgotten(BaseModel):
    message: str
    deleted: int


@router.get("", responses=REFUSALS)
async def list_requests(
    request: Request, account_id: ChosenAccount, asked: Annotated[RequestsAsked, Query()]
) -> JournalledRequests:
    """List the last requests to Mailgun's API, the newest first, in pages.

    Those with a key that opens no account are among those of the default account.
    """
    found = list(_found(request.app.state.emulator, account_id, asked))
    shown, more = found[: asked.limit], len(found) > asked.limit
    items = [RequestSummary(**journal.summary(entry)) for entry in shown]
    return JournalledRequests(items=items, next=shown[-1].id if more else None)


@router.delete("", responses=REFUSALS)
async def delete_requests(request: Request, account_id: ChosenAccount) -> Forgotten:
    """Forget the requests of an account."""
    emulator = request.app.state.emulator
    own = _own(emulator, account_id)
    count = emulator.journal.forget(lambda entry: entry.account_id in own)
    return Forgotten(message=f"{count} request{'' if count == 1 else 's'} deleted", deleted=count)


@router.get("/{request_id}", responses=REFUSALS)
async def get_request(request: Request, account_id: ChosenAccount, request_id: RequestId) -> RequestDetails:
    """Tell a request and its answer as they were on the wire.

    The number is the one in the header X-Mailgun-Emulator-Request of the answer.
    """
    emulator = request.app.state.emulator
    kept: Journal = emulator.journal
    entry = kept.find(request_id)
    if entry is None or entry.account_id not in {*_own(emulator, account_id), ""}:
        raise RequestNotFound(request_id, kept.most)
    return RequestDetails(
        **journal.summary(entry),
        request=RequestAsItCame(**journal.request_of(entry)),
        response=JournalledMessage(**journal.response_of(entry)),
    )


def _own(emulator: Any, account_id: str) -> set[str]:
    """Whose requests are meant: with those of nobody, if it is the default account's."""
    own = account_id or emulator.default_account_id
    return {own, ""} if own == emulator.default_account_id else {own}


def _found(emulator: Any, account_id: str, asked: RequestsAsked) -> Iterator[Entry]:
    """One more than is asked for, if there are more."""
    own, count = _own(emulator, account_id), 0
    now = emulator.database.clock_of(account_id or emulator.default_account_id).now()
    since = instants.read("since", asked.since, now) if asked.since else 0.0
    for entry in emulator.journal:
        if entry.account_id not in own or (asked.cursor is not None and entry.id >= asked.cursor):
            continue
        if entry.at >= since and asked.fits(entry):
            yield entry
            count += 1
            if count > asked.limit:
                return


def _is_part(wanted: str, text: str) -> bool:
    wanted, text = wanted.lower(), text.lower()
    return fnmatchcase(text, wanted) if "*" in wanted else wanted in text


def _has_status(entry: Entry, wanted: str) -> bool:
    wanted = wanted.strip()
    return str(entry.status) == wanted or (wanted.endswith("xx") and str(entry.status)[0] == wanted[0])
