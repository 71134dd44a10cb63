"""One message of the inbox: read, deleted, and what happens to it made to happen."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field, model_validator

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.mail.mime import Part
from mailgun_emulator.pipeline import on_demand, outcomes
from mailgun_emulator.pipeline.on_demand import NotARecipient, Wanted
from mailgun_emulator.pipeline.outcomes import Outcome
from mailgun_emulator.state import deliveries, inbox
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import ChosenTx
from mailgun_emulator.web.happenings import FOLLOWING, Happening
from mailgun_emulator.web.inbox import DeletedMessages, ReadMessage, as_sent, list_files, whole
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.views import refusals

router = APIRouter(prefix="/_emulator/messages", tags=["Emulator"])

REFUSALS = refusals(400, 404, 409)
_ATTEMPT = frozenset({"code", "enhanced_code", "text", "mx_host"})
MIME: dict[str, Any] = {"content": {"message/rfc822": {"schema": {"type": "string"}}}}
Whom = Annotated[str | None, Query(description="As which recipient it is read; else as the first.")]
USUAL_CODES = {"permanent": 550, "temporary": 450}


class NoSuchAttachment(NotFound):
    def __init__(self, index: int, count: int) -> None:
        super().__init__(f"The message has no attachment {index}: it has {count or 'none'}, counted from 0")


class EventForm(Happening):
    """What is to happen, and to whom."""

    possible: ClassVar[Mapping[str, frozenset[str]]] = {
        **FOLLOWING,
        "delivered": _ATTEMPT,
        "failed": _ATTEMPT | {"severity", "reason"},
    }
    always: ClassVar[frozenset[str]] = frozenset({"event", "recipient"})

    event: Literal["delivered", "failed", "opened", "clicked", "unsubscribed", "complained"] = Field(
        description="`delivered`, `failed`, `opened`, `clicked`, `unsubscribed` or `complained`."
    )
    recipient: str | None = Field(None, description="Needed if the message has several.")
    severity: Literal["permanent", "temporary"] | None = Field(
        None, description="Of a failure: `temporary` is tried again. Else the code says which."
    )
    reason: Annotated[str, Field(pattern=r"^[a-z-]{1,40}$")] | None = Field(
        None, description="Mailgun's reason for a failure."
    )
    mx_host: str | None = Field(None, min_length=1, description="The name of the recipient's server.")

    @model_validator(mode="after")
    def _agrees_with_its_code(self) -> Self:
        if self.code is None:
            return self
        if self.event == "delivered" and not 200 <= self.code < 300:
            raise ValueError(f"code of a delivery is 2xx, not {self.code}")
        if self.event == "failed" and self.code < 400:
            raise ValueError(f"code of a failure is 4xx or 5xx, not {self.code}")
        if self.severity and (self.severity == "temporary") != (self.code < 500):
            raise ValueError(f"code {self.code} is not {self.severity}: 4xx is temporary, 5xx is permanent")
        return self

    def answer(self) -> Outcome:
        """What the recipient's server says."""
        code = self.code or (250 if self.event != "failed" else USUAL_CODES[self.severity or "permanent"])
        domain = (self.recipient or "").rpartition("@")[2]
        answer = outcomes.reply(code, self.enhanced_code or "", self.text or "", domain=domain)
        return answer._replace(reason=self.reason or answer.reason, mx_host=self.mx_host or "")


def copies_of(tx: Tx, name: str) -> list[SentMessage]:
    """Those that are not over yet, the oldest first."""
    copies = [copy for copy in deliveries.list_copies(tx, name) if copy.expires_at > tx.now]
    if not copies:
        raise deliveries.MessageUnknown(name)
    return sorted(copies, key=lambda copy: copy.id)


def find_copy(tx: Tx, name: str, recipient: str | None) -> tuple[SentMessage, str]:
    """The copy for the recipient, else the first, and how it spells whom it goes to."""
    places = [
        (copy, address) for copy in copies_of(tx, name) for address in orjson.loads(copy.recipients) or [""]
    ]
    if not recipient:
        return places[0]
    found = next((each for each in places if each[1].lower() == recipient.lower()), None)
    if found is None:
        raise NotARecipient(recipient, list(dict.fromkeys(address for _, address in places)))
    return found


def file_answer(part: Part) -> Response:
    """To be saved, never shown: the sender of a mail says what kind of file it is."""
    is_sendable = part.content_type.isascii() and part.content_type.isprintable()
    name = quote(part.filename, safe="")
    headers = {
        "Content-Type": part.content_type if is_sendable else "application/octet-stream",
        "Content-Disposition": f"attachment; filename*=utf-8''{name}",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(part.data, headers=headers)


@router.get("/{message_id}", response_model=ReadMessage, responses=REFUSALS)
async def read_message(request: Request, tx: ChosenTx, message_id: str, recipient: Whom = None) -> Response:
    """Read a message as it goes out to one of its recipients, and what happened to it.

    It is named by its id or its storage key. Without `recipient` it is as the first gets it, with the events of all.
    """
    message, whom = find_copy(tx, message_id, recipient)
    read = whole(tx, message, whom, base_url(request), events_of=recipient and whom)
    return Response(orjson.dumps(read), media_type="application/json")


@router.get("/{message_id}/raw", response_class=Response, responses={200: MIME, **REFUSALS})
async def read_raw_message(tx: ChosenTx, message_id: str, recipient: Whom = None) -> Response:
    """Read the MIME of a message as it goes out to one of its recipients, signature included."""
    return Response(as_sent(tx, *find_copy(tx, message_id, recipient)), media_type="message/rfc822")


@router.get("/{message_id}/attachments/{index}", response_class=Response, responses=REFUSALS)
async def read_attachment(tx: ChosenTx, message_id: str, index: int) -> Response:
    """Read a file that goes with a message, counted from 0."""
    message, _ = find_copy(tx, message_id, None)
    files = list_files(tx, message)
    if not 0 <= index < len(files):
        raise NoSuchAttachment(index, len(files))
    return file_answer(files[index].part)


@router.delete("/{message_id}", responses=REFUSALS)
async def delete_message(tx: ChosenTx, message_id: str) -> DeletedMessages:
    """Forget a message, by its id with all its copies; to whom it was not delivered yet, it never will be."""
    rows = [copy.id for copy in copies_of(tx, message_id)]
    inbox.delete(tx, rows)
    return DeletedMessages.of(len(rows))


@router.post("/{message_id}/events", response_model=dict[str, Any], responses=REFUSALS)
async def make_event(tx: ChosenTx, message_id: str, asked: EventForm) -> Response:
    """Let something happen to a recipient of a message now, and answer the event that tells so.

    The message is named by its id or its storage key. `delivered` and `failed` take the place of the next attempt;
    to who has the message, `failed` is a bounce that comes back after the delivery, and all else can happen.
    """
    message, asked.recipient = on_demand.find_copy(deliveries.list_copies(tx, message_id), asked.recipient)
    wanted = Wanted(EventType(asked.event), asked.answer(), asked.follow_up())
    event = on_demand.let_happen(tx, message, asked.recipient, wanted)
    return Response(orjson.dumps(event), media_type="application/json")
