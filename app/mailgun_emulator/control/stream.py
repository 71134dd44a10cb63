"""What happens, told as it happens."""

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query, Request, Response

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.state import webhook_deliveries
from mailgun_emulator.state.notices import Kind, Notice
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import journal
from mailgun_emulator.web.deps import ChosenAccount
from mailgun_emulator.web.event_stream import EventStream, Listening
from mailgun_emulator.web.inbox import find_summary
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.views import REFUSALS, Responses
from mailgun_emulator.web.webhook_posts import view

router = APIRouter(prefix="/_emulator/events", tags=["Emulator"])

KINDS: tuple[Kind, ...] = get_args(Kind)
STREAM: Responses = {
    200: {
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
        "description": "Until the client goes.",
    },
    **REFUSALS,
}


class UnknownKind(BadRequest):
    def __init__(self, kind: str) -> None:
        super().__init__(f"kinds can't be '{kind}'; possible are {', '.join(KINDS)}, parted by commas")


@router.get("/stream", response_class=Response, responses=STREAM)
async def stream_events(
    request: Request,
    account_id: ChosenAccount,
    kinds: Annotated[str, Query(description="Some of the kinds, parted by commas.")] = ",".join(KINDS),
) -> Response:
    """Tell what happens as server-sent events, of the account that `account` or an API key names, else of all.

    `event` is the kind, `data` is JSON: a `message` as the list of messages has it, an `event` as Mailgun tells it, a
    `webhook` as the list of deliveries has it after each attempt, a `request` as the journal has it. `id` counts them.
    The event `listening` comes first: nothing is missed from then on. A client that reads too slowly misses some,
    and is told how many by `event: lost`.
    """
    emulator = request.app.state.emulator
    accounts = {account_id} if account_id else set[str]()
    if account_id == emulator.default_account_id:
        accounts.add("")  # requests with a key that opens no account are told with its own
    tellers = Tellers(emulator, base_url(request))
    listening = Listening(emulator.database, accounts, read_kinds(kinds), tellers.tell)
    return EventStream(listening, emulator.stopping)


def read_kinds(text: str) -> list[Kind]:
    """All if none is named."""
    asked = [name.strip() for name in text.split(",") if name.strip()]
    for name in asked:
        if name not in KINDS:
            raise UnknownKind(name)
    return [kind for kind in KINDS if not asked or kind in asked]


class Tellers:
    """What is told of each kind."""

    def __init__(self, emulator: Any, base_url: str) -> None:
        self._base_url = base_url
        self._database = emulator.database
        self._journal = emulator.journal

    def tell(self, notice: Notice) -> Any:
        if notice.kind == "event":
            return notice.subject
        if notice.kind == "request":
            entry = self._journal.find(notice.subject)
            return None if entry is None else journal.summary(entry)
        with self._database.reading(notice.account_id) as tx:
            return (self._message if notice.kind == "message" else self._webhook)(tx, notice.subject)

    def _webhook(self, tx: Tx, delivery_id: int) -> Any:
        found = webhook_deliveries.list_told(tx, {"id": delivery_id}, 1)
        return view(found[0]).model_dump() if found else None

    def _message(self, tx: Tx, storage_key: str) -> Any:
        return find_summary(tx, storage_key, self._base_url)
