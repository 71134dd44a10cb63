"""Custom message limits as an account and its parent see them (facts/account.md, 9.2)."""

from typing import ClassVar

from pydantic import BaseModel, Field

from mailgun_emulator.state.message_limits import MessageLimit, TooLow
from mailgun_emulator.web.forms import LARGEST, Form

MONTH = "1m"


class LimitForm(Form):
    missing: ClassVar[str] = TooLow.message
    invalid: ClassVar[str] = TooLow.message
    limit: int = Field(le=LARGEST)


class LimitView(BaseModel):
    """`current` messages were sent in this `period`, of `limit` that may be."""

    limit: int
    current: int
    period: str


def limit_view(limit: MessageLimit) -> LimitView:
    return LimitView(limit=limit.limit, current=limit.current, period=MONTH)
