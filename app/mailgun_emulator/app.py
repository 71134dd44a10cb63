"""Where the parts meet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse

from mailgun_emulator.api import SECTIONS
from mailgun_emulator.control import SECTIONS as CONTROL
from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import BadSetting, Settings
from mailgun_emulator.smtp.listener import Listener, SmtpUnusable
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.lock import IN_MEMORY
from mailgun_emulator.state.snapshot_store import SnapshotStore
from mailgun_emulator.web import errors
from mailgun_emulator.web.front import Front
from mailgun_emulator.web.journal import Journal
from mailgun_emulator.web.routing import RouteIndex

TRACKING = {"tracking": ("/c", "/o", "/u", "/confirm")}
"""Where the links in messages lead, as `api.SECTIONS`."""

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from mailgun_emulator.fixtures.starting import StartingState
    from mailgun_emulator.pipeline.worker import Worker
    from mailgun_emulator.state.snapshots import AccountCopies


class Emulator:
    """One emulator: any number of them can live side by side in a process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock()
        self.database = Database(settings, self.clock)
        self.journal = Journal(settings.journal, self.database)
        self.snapshots = SnapshotStore(settings.database)
        self.default_account_id = ""
        self._starting = self._read_fixtures()
        self.smtp = self._listen()
        self._started_at = self.clock.now()
        self._preparing: asyncio.Task[None] | None = None
        self._pristine: Database | None = None
        self.worker: Worker | None = None
        self.stopping = asyncio.Event()
        """Set when the server begins to stop: answers that have no end of their own end then."""

    @property
    def base_url(self) -> str:
        """Where its HTTP API is, known for sure once it listens."""
        return self.database.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self.database.base_url = url

    def _read_fixtures(self) -> "StartingState | None":
        """Raise `BadSetting` for what can't be loaded."""
        if not self.settings.fixture:
            return None
        from mailgun_emulator.control.fixtures import READERS
        from mailgun_emulator.fixtures.reading import FixtureRefused
        from mailgun_emulator.fixtures.starting import StartingState

        try:
            return StartingState(self.settings, self.clock, READERS)
        except FixtureRefused as error:
            self.database.close()
            raise BadSetting(f"--fixture can't be loaded: {error}") from None

    def _listen(self) -> Listener:
        try:
            return Listener(self)
        except SmtpUnusable:
            self.database.close()
            raise

    def rename_default(self, account_id: str) -> None:
        """The default account has that id from now on."""
        if account_id != self.default_account_id:
            self.default_account_id = account_id
            if self._pristine is not None:
                self._pristine.close()
                self._pristine = None

    def signing_key(self, *, first: bool = False) -> str:
        """Of the default account: as set, else as the file has it, or the `first` that the file knows of."""
        is_set = "signing_key" in self.settings.model_fields_set
        kept = None if is_set else self.database.signing_key(first=first)
        if kept is None and self._starting is not None:
            kept = self._starting.signing_key
        return kept or self.settings.signing_key

    def uptime(self) -> float:
        """Seconds since the start."""
        return self.clock.now() - self._started_at

    async def ready(self) -> None:
        """Wait until the default account is there and work is being done; the first caller sees to it."""
        if not self.default_account_id:
            if self._preparing is None:
                self._preparing = asyncio.create_task(self._prepare())
            await asyncio.shield(self._preparing)

    async def _prepare(self) -> None:
        from mailgun_emulator.pipeline.worker import Worker
        from mailgun_emulator.state import accounts

        is_new = self.database.signing_key() is None
        async with self.database.begin() as tx:
            account_id = accounts.ensure_default(tx, self.settings).id
            self.database.ids.mark()
            if self._starting is not None and is_new:
                account_id = self._starting.load(tx, account_id, self.base_url)
        self.worker = Worker(self.database)
        await self.worker.start()
        self.default_account_id = account_id

    async def reset(self) -> None:
        """Back to the start: nothing but the default account, and no work pending."""
        from mailgun_emulator.state import accounts

        await self.ready()
        if self._pristine is None:
            self._pristine = Database(self.settings, self.clock, IN_MEMORY)
            settings = self.settings.model_copy(update={"signing_key": self.signing_key(first=True)})
            async with self._pristine.begin() as tx:
                accounts.ensure_default(tx, settings, self.default_account_id)
        if self.worker is not None:
            await self.worker.forget()
        self.database.restore(self._pristine)
        if self._starting is not None:
            async with self.database.begin() as tx:
                self._starting.load(tx, self.default_account_id, self.base_url)
        self.journal.forget()

    async def restore(self, content: bytes) -> None:
        """Back to a snapshot of everything. One of another emulator's gets the key and the domains of the settings."""
        from mailgun_emulator.pipeline import restoring
        from mailgun_emulator.state import accounts

        await self.ready()
        if self.worker is None:
            return
        default_id = await restoring.restore_everything(self.database, self.worker, content)
        if default_id != self.default_account_id:
            self.default_account_id = default_id
            async with self.database.begin() as tx:
                accounts.ensure_default(tx, self.settings)
            if self._pristine is not None:
                self._pristine.close()
                self._pristine = None

    @cached_property
    def account_copies(self) -> "AccountCopies":
        """What makes snapshots of accounts."""
        from mailgun_emulator.state.snapshots import AccountCopies

        return AccountCopies()

    async def close(self) -> None:
        if self.worker is not None:
            await self.worker.stop()
        self.database.close()
        self.snapshots.close()
        if "account_copies" in vars(self):
            self.account_copies.close()
        if self._pristine is not None:
            self._pristine.close()


def load(section: str) -> APIRouter:
    router: APIRouter = import_module(f"mailgun_emulator.{section}").router
    return router


def create_app(settings: Settings) -> "tuple[ASGIApp, Emulator]":
    """Raise `BadSetting`, `DatabaseUnusable` or `SmtpUnusable` at once when the settings name what can't be used."""
    emulator = Emulator(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if emulator.database.pending_jobs():
            await emulator.ready()
        await emulator.smtp.start()
        yield
        await emulator.smtp.stop()
        await emulator.close()

    app = FastAPI(title="Mailgun emulator", lifespan=lifespan, openapi_url=None)
    app.state.emulator = emulator
    errors.install(app)
    index = RouteIndex({**CONTROL, **SECTIONS, **TRACKING}, load)
    index.add(greeting)
    app.router.routes[:] = [index]
    return Front(app, index, emulator.journal), emulator


greeting = APIRouter()


@greeting.get("/", include_in_schema=False)
async def greet() -> PlainTextResponse:
    """Answer as Mailgun's root does (facts/account.md, 0.5)."""
    return PlainTextResponse("Mailgun Magnificent API")
