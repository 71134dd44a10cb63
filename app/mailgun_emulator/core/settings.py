"""What can be set from outside, each with a default that works."""

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, ValidationError, field_validator
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
Files = Annotated[tuple[str, ...], NoDecode]
PortOrOff = Annotated[
    int | None, BeforeValidator(lambda value: None if str(value).lower() == "off" else value)
]
_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_REWRITE = re.compile(
    r"([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d+)?=(https?://)?([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:\d+)?"
)

_URL = re.compile(r"https?://([\w.-]+|\[[\da-fA-F:.]+\])(:\d{1,5})?(/[\w./~-]*)?", re.ASCII)


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
    smtp_port: PortOrOff = Field(
        1025, ge=0, le=65535, description="Port to take mail on by SMTP; 0 takes a free one, `off` none."
    )
    smtp_certificate: str | None = Field(
        None,
        min_length=1,
        description="PEM file with the certificate for STARTTLS, instead of one made here.",
    )
    smtp_key: str | None = Field(
        None, min_length=1, description="PEM file with its private key, unless the certificate's has it."
    )
    relay: str | None = Field(
        None, description="SMTP server that what is delivered is passed on to: `smtp://host:port`."
    )
    database: str = Field(":memory:", min_length=1, description="A file that keeps the state, or `:memory:`.")
    fixture: Files = Field(
        (),
        description="Fixture files, JSON or YAML, separated by commas: loaded when the database is new and after a "
        "reset.",
    )
    strict: bool = Field(
        False,
        description="Refuse what Mailgun refuses: unknown keys, unknown and unverified domains, deliveries more "
        "than three days ahead.",
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
        description="More recipient domains, separated by commas, where addresses ask for outcomes, as `bounce@` does "
        "at `example.com` and `simulator.test`.",
    )
    webhook_rewrite: Names = Field(
        (),
        description="Other hosts to post to, separated by commas: FROM=TO, each `host` or `host:port`, as in "
        "`localhost=host.docker.internal`; TO may begin with http:// or https://.",
    )
    tracking_url: str = Field(
        "",
        description="What tracked links in messages begin with, if not with the URL that the sender called; "
        "{scheme} and {host} stand for the domain's web scheme and tracking host.",
    )
    journal: int = Field(
        1000,
        ge=0,
        le=1_000_000,
        description="How many requests are kept with their answers to be looked at, up to 16 MB of them; 0 keeps none.",
    )
    event_retention: int = Field(30, ge=1, description="Days that events are kept.")
    log_level: LogLevel = Field("info", description="How much is logged: debug, info, warning or error.")

    @field_validator("domain", "simulator_domain", "webhook_rewrite", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            return names
        return tuple(name.strip().lower() for name in ",".join(map(str, names)).split(",") if name.strip())

    @field_validator("fixture", mode="before")
    @classmethod
    def _split_files(cls, value: object) -> object:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            return names
        return tuple(name.strip() for name in ",".join(map(str, names)).split(",") if name.strip())

    @field_validator("domain", "simulator_domain")
    @classmethod
    def _are_domains(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            if not _DOMAIN.fullmatch(name):
                raise ValueError(f"{name!r} is not a domain name")
        return names

    @field_validator("webhook_rewrite")
    @classmethod
    def _are_rewritings(cls, rules: tuple[str, ...]) -> tuple[str, ...]:
        for rule in rules:
            if not _REWRITE.fullmatch(rule) or not all(map(_is_reachable, rule.split("="))):
                raise ValueError(
                    f"{rule!r} is not FROM=TO with a host, or host:port, on either side, "
                    "as localhost=host.docker.internal is"
                )
        return rules

    @field_validator("tracking_url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if url and not _URL.fullmatch(url.replace("{scheme}", "http").replace("{host}", "email.example.com")):
            raise ValueError("it has to be a URL, as http://localhost:8025 or {scheme}://{host}:8025 is")
        return url

    @field_validator("relay")
    @classmethod
    def _is_server(cls, url: str | None) -> str | None:
        if url is not None and (not url.startswith(("smtp://", "smtps://")) or not _is_reachable(url)):
            raise ValueError(
                "it is smtp://host:port or smtp://user:password@host:port, or the same with smtps:"
            )
        return url

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
    def load(cls, given: Mapping[str, Any], spell: Callable[[str], str] | None = None) -> Self:
        """As `Settings(...)`, but raise `BadSetting` about the first that is wrong.

        `spell` is how what is given was named; as an option if nothing else is said.
        """
        try:
            return cls(**given)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name, shown = str(first["loc"][0]), first["input"]
            source = (spell or option)(name) if name in given else variable(name)
            shown = ",".join(shown) if isinstance(shown, list | tuple) else shown
            raise BadSetting(
                f"{source} can't be {shown!r}: {first['msg'].removeprefix('Value error, ')}"
            ) from None


class GivenSettings(Settings):
    """What is given, then the defaults; whatever the environment says."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **_others: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del settings_cls
        return (init_settings,)


def _is_reachable(host: str) -> bool:
    """Whether a URL can have that host and that port."""
    try:
        parts = urlsplit(host if "//" in host else f"//{host}")
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"
