"""What is asked of a domain's events (facts/sending.md, 3.3)."""

from math import isfinite
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.state.event_log import EVER, Search
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.forms import EMPTY_IS_ABSENT, Flag, Form

MOST = 300


class ContradictoryRange(BadRequest):
    """Mailgun's own text is not known."""

    message = "The range from 'begin' to 'end' contradicts 'ascending'"


def _instant(value: object) -> object:
    if value is None or value == "":
        return None
    at = dates.parse(str(value))
    if not isfinite(at):
        raise ValueError
    return round(at, 6)


Instant = Annotated[float | None, BeforeValidator(_instant), WithJsonSchema({"type": "string"})]
Filters = list[str]


class EventQuery(Form):
    """`begin` and `end` are RFC 2822 dates or seconds since 1970; the other texts are filter expressions."""

    begin: Instant = None
    end: Instant = None
    ascending: Annotated[Flag | None, EMPTY_IS_ABSENT] = None
    limit: Annotated[int | None, Field(ge=1), EMPTY_IS_ABSENT] = None
    pretty: Annotated[Flag | None, EMPTY_IS_ABSENT] = None
    event: Filters = Field(default_factory=list)
    list_: Filters = Field(default_factory=list, alias="list")
    attachment: Filters = Field(default_factory=list)
    from_: Filters = Field(default_factory=list, alias="from")
    to: Filters = Field(default_factory=list)
    subject: Filters = Field(default_factory=list)
    message_id: Filters = Field(default_factory=list, alias="message-id")
    size: Filters = Field(default_factory=list)
    recipient: Filters = Field(default_factory=list)
    recipients: Filters = Field(default_factory=list)
    tags: Filters = Field(default_factory=list)
    severity: Filters = Field(default_factory=list)

    def search(self, tx: Tx) -> Search:
        begin, end = self.range(tx)
        given = self.model_dump(by_alias=True, exclude=_NO_FILTERS, exclude_defaults=True)
        return Search(begin, end, given, min(self.limit or 100, MOST))

    def range(self, tx: Tx) -> tuple[float, float]:
        """From now back to the oldest events unless told otherwise; upwards, from the oldest on and for ever."""
        now = tx.now
        oldest = now - tx.settings.event_retention * DAY
        if self.ascending:
            begin, end = (oldest, EVER)
        else:
            begin, end = (now, oldest)
        begin = begin if self.begin is None else self.begin
        end = end if self.end is None else self.end
        if self.ascending is not None and begin != end and self.ascending != (begin < end):
            raise ContradictoryRange(hint="Ascending ranges end after they begin, descending ones before.")
        return begin, end


_NO_FILTERS = {"begin", "end", "ascending", "limit", "pretty"}
