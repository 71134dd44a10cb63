"""What can be set from outside, each with a default that works."""

from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Literal["debug", "info", "warning", "error"]


class Settings(BaseSettings):
    """One emulator's settings: arguments first, then `MAILGUN_EMULATOR_…` variables, then these defaults."""

    model_config = SettingsConfigDict(env_prefix="MAILGUN_EMULATOR_", frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8025, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    database: str = Field(":memory:", description="A file that keeps the state, or `:memory:`.")
    log_level: LogLevel = Field("info", description="How much is logged: debug, info, warning or error.")
