"""What can be set from outside, each with a default that works."""

import os
import re
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

PREFIX = "MAILGUN_EMULATOR_"
LogLevel = Literal["debug", "info", "warning", "error"]
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


class BadSetting(Exception):
    """The message names the setting as it was given, and says what is wrong with it."""


class Settings(BaseModel):
    """One emulator's settings. `Settings(...)` takes what it is given and these defaults, `Settings.load` more."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on.")
    port: int = Field(8025, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database: str = Field(":memory:", min_length=1, description="A file that keeps the state, or `:memory:`.")
    strict: bool = Field(
        False,
        description="Refuse what Mailgun refuses: unknown keys, unknown and unverified domains.",
    )
    seed: int | None = Field(None, description="Makes ids, tokens and keys the same on every run.")
    api_key: str = Field("key-emulator", min_length=1, description="API key of the default account.")
    signing_key: str = Field(
        "signing-key-emulator", min_length=1, description="HTTP webhook signing key of the default account."
    )
    domain: tuple[str, ...] = Field(
        ("mg.example.com",),
        description="Verified domains of the default account, separated by commas.",
    )
    simulator_domain: tuple[str, ...] = Field(
        (),
        description="More recipient domains, separated by commas, where `bounce@` bounces, "
        "as it does at `example.com` and `simulator.test`.",
    )
    event_retention: int = Field(30, ge=1, description="Days that events are kept.")
    log_level: LogLevel = Field("info", description="How much is logged: debug, info, warning or error.")

    @field_validator("domain", "simulator_domain", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            return names
        return tuple(name.strip().lower() for name in ",".join(map(str, names)).split(",") if name.strip())

    @field_validator("domain", "simulator_domain")
    @classmethod
    def _are_domains(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _DOMAIN.fullmatch(name):
                raise ValueError(f"{name!r} is not a domain name")
        return names

    @field_validator("domain")
    @classmethod
    def _is_one_at_least(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        if not names:
            raise ValueError("name one at least")
        return names

    @field_validator("log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @classmethod
    def load(cls, given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> "Settings":
        """What is given first, then `MAILGUN_EMULATOR_…` variables, then the defaults; raise `BadSetting`."""
        values = {name: value for name in cls.model_fields if (value := from_environment(name, environment))}
        try:
            return cls.model_validate({**values, **given})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = str(first["loc"][0])
            source = option(name) if name in given else variable(name)
            reason = first["msg"].removeprefix("Value error, ")
            shown = given.get(name, values.get(name))
            shown = ",".join(shown) if isinstance(shown, tuple) else shown
            raise BadSetting(f"{source} can't be {shown!r}: {reason}") from None


def option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def from_environment(name: str, environment: Mapping[str, str]) -> str | None:
    """None when it is absent or empty, as in a Compose file that passes on what is not set."""
    value = environment.get(variable(name), "")
    # Kubernetes sets NAME_PORT=tcp://… for every service NAME, also for one called `mailgun-emulator`.
    return None if not value or value.startswith("tcp://") else value
