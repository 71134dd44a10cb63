"""What `/_emulator` can be asked to let happen, in forms that say in plain words what is wrong with them."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from mailgun_emulator.mail import periods
from mailgun_emulator.pipeline.outcomes import FollowUp

MOST_AFTER = 366 * periods.DAY
_CLIENT = frozenset({"ip", "user_agent", "geolocation"})
_ANSWER = frozenset({"code", "enhanced_code", "text"})
FOLLOWING = {
    "opened": _CLIENT,
    "clicked": _CLIENT | {"url"},
    "unsubscribed": _CLIENT | {"tags"},
    "complained": frozenset[str](),
    "failed": _ANSWER,
}
"""What can happen after a delivery, and what can be said of each."""


class Asked(BaseModel):
    """Base of what is asked for: a name it does not know is refused, with those it knows."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _knows_all(cls, given: Any) -> Any:
        known = {field.alias or name: field for name, field in cls.model_fields.items()}
        unknown = [str(name) for name in given if name not in known] if isinstance(given, dict) else []
        if unknown:
            raise ValueError(f"{unknown[0]} is not known here; possible are {', '.join(known)}")
        return given


def read_span(value: Any) -> float:
    try:
        seconds = periods.parse_span(str(value)) if not isinstance(value, bool) else -1
    except ValueError:
        seconds = -1
    if seconds < 0:
        raise ValueError("this is no duration; write it as 90s, 15m, 8h, 3d, 1h30m or as seconds")
    return seconds


def read_ip(value: Any) -> str:
    try:
        return str(ip_address(str(value)))
    except ValueError:
        raise ValueError("this is no IP address") from None


Span = Annotated[
    float,
    BeforeValidator(read_span),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "number"}], "examples": ["90s", "8h"]}),
]
"""Seconds, also written as `90s`, `15m`, `8h`, `3d`, `1h30m`."""
IpAddress = Annotated[str, BeforeValidator(read_ip)]
EnhancedCode = Annotated[str, Field(pattern=r"^[245]\.\d{1,3}\.\d{1,3}$")]


class Geolocation(Asked):
    """As events tell it; `country` is a code of two letters."""

    city: str = "Unknown"
    region: str = "Unknown"
    country: str = "Unknown"
    timezone: str | None = None


class Happening(Asked):
    """A kind of event, and what can be said of it; what is not said has a usual value."""

    possible: ClassVar[Mapping[str, frozenset[str]]] = FOLLOWING
    """What can be said of each kind of event."""
    always: ClassVar[frozenset[str]] = frozenset({"event"})

    event: str
    url: str | None = Field(
        None, pattern=r"^https?://\S+$", description="What was clicked; else the first link of the message."
    )
    tags: Annotated[list[str], Field(min_length=1)] | None = Field(
        None, description="The tags that were unsubscribed from; else it is from all mail."
    )
    ip: IpAddress | None = Field(None, description="Where it was opened or clicked from.")
    user_agent: str | None = Field(None, description="Of a browser or a mail program.")
    geolocation: Geolocation | None = Field(None, description="Where that is; `Unknown` else.")
    code: int | None = Field(None, ge=200, le=599, description="What the recipient's server replied.")
    enhanced_code: EnhancedCode | None = Field(None, description="As in RFC 3463: 5.1.1")
    text: str | None = Field(None, description="What it said.")

    @model_validator(mode="after")
    def _says_what_is_possible(self) -> Self:
        possible = self.possible[self.event] | self.always
        for name in sorted(self.model_fields_set):
            if name not in possible and getattr(self, name) is not None:
                raise ValueError(f"{self.event} has no {name}; possible are {', '.join(sorted(possible))}")
        check_enhanced(self.code, self.enhanced_code)
        return self

    def follow_up(self) -> FollowUp:
        """What is not said is as it usually is."""
        names = _CLIENT | _ANSWER | {"event", "url", "tags", "after"}
        return FollowUp(**self.model_dump(include=set(names), exclude_none=True))


class FollowUpForm(Happening):
    """What happens after a delivery."""

    always: ClassVar[frozenset[str]] = frozenset({"event", "after"})

    event: Literal["opened", "clicked", "unsubscribed", "complained", "failed"] = Field(
        description="`failed` is a bounce that comes back after the delivery."
    )
    after: Annotated[Span, Field(le=MOST_AFTER, description="How long after the delivery.")] = 0.0
    code: int | None = Field(
        None, ge=500, le=599, description="Of a bounce: what the recipient's server replied."
    )


def check_enhanced(code: int | None, enhanced_code: str | None) -> None:
    if code is not None and enhanced_code and enhanced_code[0] != str(code)[0]:
        raise ValueError(f"enhanced_code {enhanced_code} does not go with code {code}: both begin alike")
