"""The inbox: all that an account has sent and what has come in, searched, waited for, deleted."""

import asyncio
from collections.abc import Iterator
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.expressions import message_search
from mailgun_emulator.expressions.message_search import BadSearch, Word
from mailgun_emulator.state import inbox
from mailgun_emulator.state.inbox import Direction, Search
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.notices import Kind
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import instants, near_messages
from mailgun_emulator.web.deps import AccountId, ChosenAccount, ChosenTx
from mailgun_emulator.web.happenings import Asked
from mailgun_emulator.web.inbox import DeletedMessages, InboxMessage, ReadMessage, summary, whole
from mailgun_emulator.web.instants import Instant
from mailgun_emulator.web.paging import InvalidCursor, base_url
from mailgun_emulator.web.views import REFUSALS, Done, Responses
from mailgun_emulator.web.waiting import HowMany, NothingCame, Timeout, looked_for, wait_for

if TYPE_CHECKING:
    from mailgun_emulator.state.database import Database

router = APIRouter(prefix="/_emulator/messages", tags=["Emulator"])

KINDS: tuple[Kind, ...] = ("message",)
ROWS_AT_ONCE = 500
Texts = Annotated[list[str], Field(default_factory=list)]
DIRECTIONS = "`outgoing` is what was sent, `incoming` what came in; or `any`."


class EmptyFilter(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is empty; leave it out to look for any")


class MessageWish(Asked):
    """Which messages; all that is said must hold, of a parameter that is repeated too.

    `*` stands for anything. Without it a whole address is met by itself alone, and so are a tag, a domain and an id;
    any other text by those it is a part of. Upper and lower case are the same.
    """

    to: Texts = Field(description="A recipient of the envelope, or whom To or Cc name.")
    sender: Texts = Field(alias="from", description="Whom From names.")
    subject: Texts = Field(description="Of the subject.")
    tag: Texts = Field(description="One of its tags.")
    text: Texts = Field(description="In the subject, the text or the HTML.")
    has: Texts = Field(description="`attachment`")
    domain: Texts = Field(description="The domain that it was sent from, or came in for.")
    message_id: Texts = Field(description="With or without its angle brackets.")
    since: Instant = Field(None, description="Accepted then or later: an instant, or how long ago: `10m`.")
    before: Instant = Field(None, description="Accepted before that.")
    query: str | None = Field(
        None,
        description='Words such as `to:ann@example.com subject:"Your code" has:attachment after:10m -tag:news hello`.',
    )
    direction: Direction = Field(Direction.OUTGOING, description=DIRECTIONS)
    account: AccountId = None

    def search(self, now: float) -> Search:
        """Refuse what makes no sense."""
        try:
            words = [*self._words(), *message_search.parse(self.query or "")]
        except BadSearch as error:
            raise BadRequest(str(error)) from None
        times = [word for word in words if word.field in ("since", "before")]
        begin, end = 0.0, inf
        for word in times:
            at = instants.read(word.field, word.text, now)
            if (word.field == "since") != word.negated:
                begin = max(begin, at)
            else:
                end = min(end, at)
        return Search(tuple(word for word in words if word not in times), begin, end, self.direction)

    def _words(self) -> Iterator[Word]:
        given = {
            "to": self.to,
            "from": self.sender,
            "subject": self.subject,
            "tag": self.tag,
            "text": self.text,
            "has": self.has,
            "domain": self.domain,
            "message_id": self.message_id,
            "since": [] if self.since is None else [self.since],
            "before": [] if self.before is None else [self.before],
        }
        for name, texts in given.items():
            for text in texts:
                if not text.strip():
                    raise EmptyFilter(name)
                yield message_search.word_of(name, text.strip())


class MessagesAsked(MessageWish):
    limit: int = Field(50, ge=1, le=1000, description="So many on a page at most.")
    cursor: str = Field("", description="As `next` of another page.")


class MessagesAwaited(MessageWish):
    count: HowMany = 1
    timeout: Timeout = 5.0


class MessagesUnwanted(MessageWish):
    direction: Direction = Field(Direction.ANY, description=DIRECTIONS)


class InboxPage(BaseModel):
    """`total` is how many there are in all; `next` the cursor of the older ones, null on the last page."""

    items: list[InboxMessage]
    total: int
    next: str | None


class MessagesThatCame(BaseModel):
    """The newest of those that were waited for, the newest first."""

    items: list[ReadMessage]


class NearMessage(InboxMessage):
    difference: str


class MessagesThatDidNot(BaseModel):
    """`there` are the nearest, each with its first `difference`; `total` how many the account has."""

    message: str
    looked_for: dict[str, Any]
    total: int
    there: list[NearMessage]


ABSENCES: Responses = {400: {"model": Done}, 404: {"model": MessagesThatDidNot}}


@router.get("", response_model=InboxPage, responses=REFUSALS)
async def list_inbox(
    request: Request, account_id: ChosenAccount, asked: Annotated[MessagesAsked, Query()]
) -> Response:
    """List the messages of an account, the newest first, in pages."""
    emulator = request.app.state.emulator
    account_id = account_id or emulator.default_account_id
    database = emulator.database
    from_there = read_cursor(asked.cursor)
    found = await find_all(database, account_id, asked.search(database.clock_of(account_id).now()))
    older = found if from_there is None else [row for row in found if row < from_there]
    shown = older[: asked.limit]
    with database.reading(account_id) as tx:
        items = [summary(tx, each, base_url(request)) for each in inbox.list_sent(tx, shown)]
    following = str(shown[-1]) if len(older) > len(shown) else None
    return answer({"items": items, "total": len(found), "next": following})


@router.get("/wait", response_model=MessagesThatCame, responses=ABSENCES)
async def wait_for_messages(
    request: Request, account_id: ChosenAccount, asked: Annotated[MessagesAwaited, Query()]
) -> Response:
    """Answer once there are so many such messages, at once if they are there; 404 with what there is when time is over.

    Each is as its first recipient gets it, or the first of those that are looked for. `timeout` is in seconds of real
    time.
    """
    emulator = request.app.state.emulator
    account_id = account_id or emulator.default_account_id
    database = emulator.database
    search = asked.search(database.clock_of(account_id).now())
    watch = Watch(database, account_id, search, asked.count)
    await watch.begin()
    found = await wait_for(request, account_id, KINDS, watch.look, asked.timeout)
    if found is None:
        with database.reading(account_id) as tx:
            raise absence(tx, asked, search, watch.came(tx), base_url(request))
    items = []
    for message in found:
        async with database.begin(
            account_id
        ) as tx:  # each on its own: reading a message takes a millisecond or more
            items.append(whole(tx, message, recipient_of(message, search), base_url(request)))
    return answer({"items": items})


@router.delete("", responses=REFUSALS)
async def delete_messages(tx: ChosenTx, asked: Annotated[MessagesUnwanted, Query()]) -> DeletedMessages:
    """Forget messages, all of the account if it is not said which; what is not delivered yet never will be."""
    rows = inbox.find(tx, asked.search(tx.now))
    inbox.delete(tx, rows)
    return DeletedMessages.of(len(rows))


async def find_all(database: "Database", account_id: str, search: Search) -> list[int]:
    """As `inbox.find`; others have their turn in between: to look into ten thousand bodies takes a second."""
    with database.reading(account_id) as tx:
        first, last = inbox.first_row(tx), inbox.last_row(tx)
    found: list[int] = []
    for end in range(last, first - 1, -ROWS_AT_ONCE) if first else ():
        with database.reading(account_id) as tx:
            found += inbox.find(tx, search, end - ROWS_AT_ONCE, end)
        await asyncio.sleep(0)
    return found


class Watch:
    """Looks for messages again and again, each time among those that came since."""

    def __init__(self, database: "Database", account_id: str, search: Search, count: int) -> None:
        self._database = database
        self._account_id = account_id
        self._search = search
        self._count = count
        self._found: list[int] = []
        self._seen = 0

    async def begin(self) -> None:
        """Look through what is there."""
        with self._database.reading(self._account_id) as tx:
            self._seen = inbox.last_row(tx)
        found = await find_all(self._database, self._account_id, self._search)
        self._found = [row for row in found if row <= self._seen]

    def look(self) -> list[SentMessage] | None:
        """The newest, once there are enough."""
        with self._database.reading(self._account_id) as tx:
            last = inbox.last_row(tx)
            if last < self._seen:  # all was reset
                self._found, self._seen = [], 0
            self._found = [*inbox.find(tx, self._search, above=self._seen), *self._found]
            self._seen = last
            if len(self._found) < self._count:
                return None
            sent = inbox.list_sent(tx, self._found)[: self._count]
        return sent if len(sent) == self._count else None

    def came(self, tx: Tx) -> int:
        """How many are there of those that were found."""
        return len(inbox.list_sent(tx, self._found))


def recipient_of(message: SentMessage, search: Search) -> str:
    """The first that is looked for, else the first."""
    recipients: list[str] = orjson.loads(message.recipients) or [""]
    words = [word for word in search.words if word.field == "to" and not word.negated]
    meant = (each for each in recipients if words and all(word.fits([each]) for word in words))
    return next(meant, recipients[0])


def absence(tx: Tx, asked: MessagesAwaited, search: Search, came: int, base: str) -> NothingCame:
    near = near_messages.list_near(tx, search)
    return NothingCame(
        near_messages.absence(search, came, asked.count, asked.timeout, near),
        {name: _one_or_all(given) for name, given in looked_for(asked).items()},
        inbox.count(tx),
        [{**summary(tx, message, base), "difference": text} for message, text in near],
    )


def _one_or_all(given: Any) -> Any:
    return given[0] if isinstance(given, list) and len(given) == 1 else given


def answer(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json")


def read_cursor(text: str) -> int | None:
    try:
        return int(text) if text else None
    except ValueError:
        raise InvalidCursor from None
