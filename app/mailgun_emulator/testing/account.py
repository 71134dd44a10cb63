"""One account of an emulator, with all that a test asks of it."""

from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mailgun_emulator.testing import fixture_files
from mailgun_emulator.testing.account_client import AccountClient, AccountInfo
from mailgun_emulator.testing.acted import Acted
from mailgun_emulator.testing.clock import AccountClock
from mailgun_emulator.testing.domains import Domains
from mailgun_emulator.testing.fixture_files import FixtureFile
from mailgun_emulator.testing.http_client import HttpClient, is_told
from mailgun_emulator.testing.rules import Faults, Outcomes
from mailgun_emulator.testing.snapshots import Snapshots
from mailgun_emulator.testing.webhooks import Webhooks

if TYPE_CHECKING:
    from mailgun_emulator.testing.aio import AsyncMailgun

__tracebackhide__ = is_told

SNAPSHOT = "test"


class Mailgun(Acted):
    """An account: no other sees it, and it sees no other. In a `with` block it is deleted at the end.

    Waits end as soon as what is waited for is there; their timeouts are seconds of real time, whatever its clock says.
    Assertions and waits that fail raise `AssertionError`, which tells what there was instead.
    """

    def __init__(
        self,
        http: HttpClient,
        account: AccountInfo,
        *,
        smtp_port: int | None = None,
        kept_by: object = None,
        ended: Callable[["Mailgun"], None] | None = None,
    ) -> None:
        """`ended` is called when it is deleted; without, it is not to be deleted. `kept_by` lives as long as it."""
        self.client = AccountClient(http, account)
        self._account = account
        self._kept_by = kept_by
        self._ended = ended
        self.smtp_port = smtp_port
        self.clock = AccountClock(self.client)
        self.outcomes = Outcomes(self.client)
        self.faults = Faults(self.client)
        self.domains = Domains(self.client)
        self.snapshots = Snapshots(self.client)
        self.webhooks = Webhooks(self.client, account)

    @cached_property
    def aio(self) -> "AsyncMailgun":
        """For tests that are coroutines."""
        from mailgun_emulator.testing.aio import AsyncMailgun

        return AsyncMailgun(self)

    @property
    def url(self) -> str:
        """What clients of Mailgun call the base URL or API URL."""
        return self.client.http.url

    @property
    def id(self) -> str:
        return self._account.id

    @property
    def name(self) -> str:
        return self._account.name

    @property
    def api_key(self) -> str:
        return self._account.api_key

    @property
    def domain(self) -> str:
        """Its first domain, which is verified."""
        return self._account.domain

    @property
    def signing_key(self) -> str:
        """By which webhooks are signed now: a program can have another made."""
        return self.webhooks.signing_key()

    @property
    def env(self) -> dict[str, str]:
        """The environment by which programs find it."""
        return {
            "MAILGUN_API_URL": self.url,
            "MAILGUN_API_KEY": self.api_key,
            "MAILGUN_DOMAIN": self.domain,
            "MAILGUN_WEBHOOK_SIGNING_KEY": self.signing_key,
        }

    def subaccount(self, name: str) -> "Mailgun":
        """Its subaccount of that name, whoever made it. Raise `LookupError` if it has none, or it was deleted."""
        known = self.client.get("/_emulator/accounts")["items"]
        live = [AccountInfo.read(each) for each in known if each.get("status") != "closed"]
        own = [each for each in live if each.parent == self.id]
        for each in own:
            if each.name == name:
                return Mailgun(self.client.http, each, smtp_port=self.smtp_port, kept_by=self._kept_by)
        raise LookupError(f"{self!r} has no subaccount {name!r}, but {[each.name for each in own]}")

    def snapshot(self, name: str = SNAPSHOT) -> str:
        """Keep its state by a name."""
        self.snapshots.take(name)
        return name

    def restore(self, name: str = SNAPSHOT) -> None:
        """Back to what was kept."""
        self.snapshots.restore(name)

    def load(self, file: FixtureFile) -> None:
        """Take in a fixture file, JSON or YAML: its path, its text of several lines, or what it says."""
        fixture_files.load(self.client, file)

    def export(self, format: str = "yaml") -> str:  # noqa: A002 - the parameter's own name
        """Its state as a fixture file, `yaml` or `json`."""
        return fixture_files.export(self.client, format)

    def reset(self) -> None:
        """Empty it; its keys and domains stay, its clock tells real time again."""
        self.client.http.request("POST", f"/_emulator/accounts/{self.id}/reset")

    def render_template(
        self, template: str | None = None, *, domain: str | None = None, **asked: Any
    ) -> dict[str, Any]:
        """What a message made from a template would read: `variables`, `version`, `content`, `recipient` …"""
        named = {} if template is None else {"template": template}
        told: dict[str, Any] = self.client.post(
            "/_emulator/templates/render", {"domain": domain or self.domain, **named, **asked}
        )
        return told

    def close(self) -> None:
        """Close its receivers, and delete it unless it is the default account."""
        self.webhooks.close(for_good=self._ended is not None)
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Mailgun account {self.name!r} at {self.url}>"
