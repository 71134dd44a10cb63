"""What happens to an account's domains from outside: their DNS, and Mailgun's staff."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from mailgun_emulator.testing.account_client import AccountClient
from mailgun_emulator.testing.http_client import is_told

__tracebackhide__ = is_told

Finding = Literal["found", "wrong", "missing"]


class Domains:
    """Each method is about the account's first domain if none is named."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def dns(self, domain: str | None = None) -> dict[str, Finding]:
        """What verifying it finds, by kind and by name of record."""
        return dict(self._client.get(self._path(domain, "dns")))

    def set_dns(self, zone: Mapping[str, Finding], domain: str | None = None) -> dict[str, Finding]:
        """Say what verifying it finds: `{"spf": "missing"}`; what is not named is found."""
        return dict(self._client.ask("PUT", self._path(domain, "dns"), json=dict(zone)))

    def disable(
        self,
        domain: str | None = None,
        *,
        code: str | None = None,
        note: str | None = None,
        reason: str | None = None,
        until: str | float | datetime | None = None,
    ) -> dict[str, Any]:
        """As Mailgun's staff might; `until` is when it is enabled again by itself."""
        if isinstance(until, datetime):
            until = (until if until.tzinfo else until.astimezone()).timestamp()
        said = {"code": code, "note": note, "reason": reason, "until": until}
        return self._set_state(
            domain, "disabled", {key: each for key, each in said.items() if each is not None}
        )

    def enable(self, domain: str | None = None) -> dict[str, Any]:
        return self._set_state(domain, "enabled", {})

    def _set_state(self, domain: str | None, state: str, said: dict[str, Any]) -> dict[str, Any]:
        told = self._client.ask("PUT", self._path(domain, "state"), json={"state": state, **said})
        return dict(told)

    def _path(self, domain: str | None, what: str) -> str:
        return f"/_emulator/domains/{quote(domain or self._client.domain, safe='')}/{what}"
