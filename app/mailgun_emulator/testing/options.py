"""What `Emulator` can be told: the options of `mailgun-emulator serve`, by their names."""

from collections.abc import Sequence
from typing import Literal, TypedDict


class EmulatorOptions(TypedDict, total=False):
    """As `core.settings.Settings` describes them; lists may also be one text with commas."""

    host: str
    port: int
    smtp_port: int | Literal["off"] | None
    smtp_certificate: str | None
    smtp_key: str | None
    relay: str | None
    database: str
    fixture: str | Sequence[str]
    strict: bool
    seed: int | None
    api_key: str
    signing_key: str
    domain: str | Sequence[str]
    simulator_domain: str | Sequence[str]
    webhook_rewrite: str | Sequence[str]
    tracking_url: str
    journal: int
    event_retention: int
    log_level: Literal["debug", "info", "warning", "error"]
