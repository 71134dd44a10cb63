"""What can be set from outside, each with a default that works."""

from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """One emulator's settings: arguments first, then `MAILGUN_EMULATOR_…` variables, then these defaults."""

    model_config = SettingsConfigDict(env_prefix="MAILGUN_EMULATOR_", frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8025, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database: str = Field(":memory:", description="A file that keeps the state, or `:memory:`.")
    strict: bool = Field(
        False,
        description="Refuse what Mailgun refuses: unknown keys, unknown and unverified domains.",
    )
    seed: int | None = Field(None, description="Makes ids, tokens and keys the same on every run.")
    api_key: str = Field("key-emulator", min_length=1, description="API key of the default account.")
    signing_key: str = Field(
        "signing-key-emulator", min_length=1, description="HTTP webhook signing key of the default account."
    )
    domain: Annotated[tuple[str, ...], NoDecode] = Field(
        ("mg.example.com",), description="Verified domains of the default account, separated by commas."
    )
    simulator_domain: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="More recipient domains, separated by commas, where `bounce@` bounces, "
        "as it does at `example.com` and `simulator.test`.",
    )
    event_retention: int = Field(30, ge=1, description="Days that events are kept.")
    log_level: LogLevel = Field("info", description="How much is logged: debug, info, warning or error.")

    @field_validator("domain", "simulator_domain", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        names = value.split(",") if isinstance(value, str) else value
        if not isinstance(names, list | tuple):
            return names
        return tuple(str(name).strip().lower() for name in names if str(name).strip())
