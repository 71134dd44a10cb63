"""What happens to messages, made to happen."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

import orjson
from fastapi import APIRouter, Response
from pydantic import Field, model_validator

from mailgun_emulator.pipeline import on_demand, outcomes
from mailgun_emulator.pipeline.on_demand import Wanted
from mailgun_emulator.pipeline.outcomes import Outcome
from mailgun_emulator.state import deliveries
from mailgun_emulator.state.events import EventType
from mailgun_emulator.web.deps import ChosenTx
from mailgun_emulator.web.happenings import FOLLOWING, Happening
from mailgun_emulator.web.views import Done

router = APIRouter(prefix="/_emulator/messages", tags=["Emulator"])

REFUSALS: dict[int | str, dict[str, Any]] = {status: {"model": Done} for status in (400, 404, 409)}
_ATTEMPT = frozenset({"code", "enhanced_code", "text", "mx_host"})
USUAL_CODES = {"permanent": 550, "temporary": 450}


class EventForm(Happening):
    """What is to happen, and to whom."""

    possible: ClassVar[Mapping[str, frozenset[str]]] = {
        **FOLLOWING,
        "delivered": _ATTEMPT,
        "failed": _ATTEMPT | {"severity", "reason"},
    }
    always: ClassVar[frozenset[str]] = frozenset({"event", "recipient"})

    event: Literal["delivered", "failed", "opened", "clicked", "unsubscribed", "complained"]
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
