"""An emulator for tests: started in this process, or found where it runs already."""

import time
import weakref
from collections.abc import Generator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from mailgun_emulator.testing import fixture_files
from mailgun_emulator.testing.account import SNAPSHOT, Mailgun
from mailgun_emulator.testing.account_client import QUIET_SECONDS, AccountClient, AccountInfo, StreamKind
from mailgun_emulator.testing.filters import RequestFilters, Unpack, params, unknown
from mailgun_emulator.testing.fixture_files import FixtureFile
from mailgun_emulator.testing.http_client import EmulatorError, HttpClient, ServerSent, is_told
from mailgun_emulator.testing.options import EmulatorOptions
from mailgun_emulator.testing.records import ApiRequest
from mailgun_emulator.testing.snapshots import Snapshots
from mailgun_emulator.testing.webhooks import Webhooks

if TYPE_CHECKING:
    from mailgun_emulator.core.settings import Settings
    from mailgun_emulator.testing.server_thread import ServerThread

__tracebackhide__ = is_told

BETWEEN_TRIES = 0.05


class Emulator:
    """An emulator in a thread of this process, from `start` to `stop`, or as long as a `with` block lasts.

    It takes the options of `mailgun-emulator serve` by their names, as in `Emulator(strict=True, seed=1)`; ports are
    free ones if none are named, and `MAILGUN_EMULATOR_…` variables don't count. Any number can live side by side. One
    that is forgotten stops by itself, at the latest when the interpreter exits.
    """

    def __init__(self, **settings: Unpack[EmulatorOptions]) -> None:
        """Raise `TypeError` for a setting that there is not, and `ValueError` for a value that it can't have."""
        self._settings: Settings | None = checked(settings)
        self._server: ServerThread | None = None
        self._http: HttpClient | None = None
        self._ending: weakref.finalize[Any, Any] | None = None
        self._default: Mailgun | None = None
        self._smtp_port: int | None = None
        self._made: list[Mailgun] = []
        self._webhooks: list[Webhooks] = []

    @classmethod
    def connect(cls, url: str, *, wait: float = 0.0) -> Self:
        """The one that runs at `url`; its accounts that are made here are deleted at the end.

        It may take `wait` seconds until it answers. Raise `NoEmulator` if it does not.
        """
        found = cls()
        found._settings, found._http = None, HttpClient(url)
        try:
            found._smtp_port = _health(found._http, time.monotonic() + wait)["smtp_port"]
        except BaseException:
            found._http.close()
            raise
        return found

    def start(self) -> Self:
        """Return when it takes connections. Raise `CannotStart`."""
        if self._http is not None:
            raise EmulatorError(0, f"The emulator at {self._http.url} runs already.")
        if self._settings is None:
            raise EmulatorError(0, "The emulator was connected to: it is not ours to start.")
        from mailgun_emulator.testing.server_thread import ServerThread

        server = ServerThread(self._settings)
        http = HttpClient(server.start())
        self._server, self._http = server, http
        self._ending = weakref.finalize(self, _end, server, http, self._webhooks)
        return self

    def stop(self) -> None:
        """Return when it is gone, with all receivers and accounts made by it. To be called any number of times."""
        if self._http is None:
            return
        for each in list(self._made):
            _let_go(each, gone=self._server is not None)
        if self._default is not None:
            self._default.webhooks.close(for_good=self._server is not None)
        self._http.close()
        if self._ending is not None:
            self._ending()
        self._made.clear()
        self._webhooks.clear()
        self._http = self._default = self._server = self._smtp_port = None

    @property
    def url(self) -> str:
        """What clients of Mailgun call the base URL or API URL."""
        return self._running.url

    @property
    def smtp_port(self) -> int | None:
        """Where mail is taken by SMTP; None if it is not."""
        if self._smtp_port is None:
            self._smtp_port = self.health()["smtp_port"]
        return self._smtp_port

    @property
    def default(self) -> Mailgun:
        """The account that the settings name, which any unknown key opens as well."""
        if self._default is None:
            found = self._running.request("GET", "/_emulator/accounts")["items"][0]
            self._default = self._mailgun(AccountInfo.read(found), kept_by=self)
        return self._default

    @property
    def account_id(self) -> str:
        """Of the default account, as `api_key`, `domain` and `signing_key` are."""
        return self.default.id

    @property
    def api_key(self) -> str:
        return self.default.api_key

    @property
    def domain(self) -> str:
        return self.default.domain

    @property
    def signing_key(self) -> str:
        return self.default.signing_key

    @property
    def env(self) -> dict[str, str]:
        """The environment by which programs find the default account."""
        return self.default.env

    def account(self, name: str = "", parent: "Mailgun | str | None" = None, ips: int = 0) -> Mailgun:
        """A fresh account that sees no other; a subaccount if it has a `parent`. Deleted at the end of its `with`.

        It has so many dedicated `ips`.
        """
        asked = {"name": name, "parent": getattr(parent, "id", parent), "ips": ips}
        made = AccountInfo.read(self._running.request("POST", "/_emulator/accounts", json=asked))
        account = self._mailgun(made, ended=self._forget)
        self._made.append(account)
        return account

    def accounts(self) -> list[AccountInfo]:
        """All there are, the default one first."""
        return [
            AccountInfo.read(each) for each in self._running.request("GET", "/_emulator/accounts")["items"]
        ]

    def requests(self, **filters: Unpack[RequestFilters]) -> list[ApiRequest]:
        """The requests of all accounts, those that no account's key opened included, the oldest first."""
        asked = params(RequestFilters, filters)
        clients = [AccountClient(self._running, each) for each in self.accounts()]
        found = [
            ApiRequest(client, each)
            for client in clients
            for each in client.pages("/_emulator/requests", asked)
        ]
        return sorted(found, key=lambda each: each.id)

    def health(self) -> dict[str, Any]:
        """`status`, `version`, `uptime`, `pending_jobs`, `smtp_port`."""
        return _health(self._running, 0.0)

    def drain(self) -> int:
        """Do all the work of all accounts that is due; how many jobs that was."""
        return AccountClient(self._running).drain()

    def reset(self) -> None:
        """Back to the start: nothing but the default account, and nothing in it."""
        self._running.request("POST", "/_emulator/reset")
        for each in self._webhooks:
            each.close(for_good=True)
        self._made.clear()

    def snapshot(self, name: str = SNAPSHOT) -> str:
        """Keep the state of all accounts by a name."""
        self.snapshots.take(name)
        return name

    def restore(self, name: str = SNAPSHOT) -> None:
        """Back to what was kept."""
        self.snapshots.restore(name)

    @property
    def snapshots(self) -> Snapshots:
        """All that were kept, those of single accounts included."""
        return Snapshots(AccountClient(self._running))

    def load(self, file: FixtureFile) -> None:
        """Take in a fixture file with any number of accounts: its path, its text of several lines, or what it says."""
        fixture_files.load(AccountClient(self._running), file)

    def export(self, format: str = "yaml") -> str:  # noqa: A002 - the parameter's own name
        """All accounts as a fixture file, `yaml` or `json`."""
        return fixture_files.export(AccountClient(self._running), format)

    def stream(self, *kinds: StreamKind, timeout: float = QUIET_SECONDS) -> Generator[ServerSent, None, None]:
        """As `Mailgun.stream`, of all accounts."""
        return AccountClient(self._running).stream(kinds, timeout)

    @property
    def _running(self) -> HttpClient:
        if self._http is None:
            raise EmulatorError(
                0, "The emulator is not running: `with Emulator() as emulator:` starts and ends it."
            )
        return self._http

    def _mailgun(self, account: AccountInfo, **more: Any) -> Mailgun:
        made = Mailgun(self._running, account, smtp_port=self.smtp_port, **more)
        self._webhooks.append(made.webhooks)
        return made

    def _forget(self, account: Mailgun) -> None:
        if account in self._made:
            self._made.remove(account)
            self._webhooks.remove(account.webhooks)
            try:
                self._running.request("DELETE", f"/_emulator/accounts/{account.id}")
            except EmulatorError as error:
                if error.status != 404:  # it may have gone with a reset
                    raise

    def __enter__(self) -> Self:
        return self if self._http is not None else self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Emulator at {self._http.url}>" if self._http is not None else "<Emulator, not running>"


def checked(given: Mapping[str, Any]) -> "Settings":
    """What is given, and free ports; nothing of the environment."""
    from mailgun_emulator.core.settings import BadSetting, GivenSettings

    for name in given:
        if name not in GivenSettings.model_fields:
            raise TypeError(unknown(name, GivenSettings.model_fields, "setting"))
    try:
        return GivenSettings.load({"port": 0, "smtp_port": 0, **given}, spell=str)
    except BadSetting as error:
        raise ValueError(str(error)) from None


def _health(http: HttpClient, until: float) -> dict[str, Any]:
    while True:
        try:
            told: dict[str, Any] = http.request("GET", "/_emulator/health", timeout=5)
            return told
        except EmulatorError:
            if time.monotonic() >= until:
                raise
        time.sleep(BETWEEN_TRIES)


def _let_go(account: Mailgun, gone: bool) -> None:
    """Its server may be `gone`, or about to be: there is nothing to delete then."""
    if gone:
        account.webhooks.close(for_good=True)
        return
    try:
        account.close()
    except EmulatorError:
        return


def _end(server: "ServerThread", http: HttpClient, webhooks: list[Webhooks]) -> None:
    for each in webhooks:
        each.close(for_good=True)
    http.close()
    server.stop()
