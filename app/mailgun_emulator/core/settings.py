"""What can be set from outside, each with a default that works."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

PREFIX = "MAILGUN_EMULATOR_"
LogLevel = Literal["debug", "info", "warning", "error"]
Names = Annotated[tuple[str, ...], NoDecode]
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


class BadSetting(Exception):
    """The message names the setting as it was given, and says what is wrong with it."""


class Environment(EnvSettingsSource):
    """Kubernetes sets NAME_PORT=tcp://… for every service NAME, also for one called `mailgun-emulator`."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        value, key, is_complex = super().get_field_value(field, field_name)
        unasked = isinstance(value, str) and value.startswith("tcp://")
        return None if unasked else value, key, is_complex


class Settings(BaseSettings):
    """One emulator's settings: what is given first, then `MAILGUN_EMULATOR_…` variables, then these defaults."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid")

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
    domain: Names = Field(
        ("mg.example.com",),
        description="Verified domains of the default account, separated by commas.",
    )
    simulator_domain: Names = Field(
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
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **_others: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, Environment(settings_cls)

    @classmethod
    def load(cls, given: Mapping[str, Any]) -> "Settings":
        """As `Settings(...)`, but raise `BadSetting` about the first that is wrong."""
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name, shown = str(first["loc"][0]), first["input"]
            source = option(name) if name in given else variable(name)
            shown = ",".join(shown) if isinstance(shown, list | tuple) else shown
            raise BadSetting(
                f"{source} can't be {shown!r}: {first['msg'].removeprefix('Value error, ')}"
            ) from None


def option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"
