"""Where the parts meet."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse

from mailgun_emulator.api import SECTIONS
from mailgun_emulator.control import SECTIONS as CONTROL
from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.smtp.listener import Listener
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.lock import IN_MEMORY
from mailgun_emulator.web import errors
from mailgun_emulator.web.front import Front
from mailgun_emulator.web.routing import RouteIndex

TRACKING = {"tracking": ("/c", "/o", "/u")}
"""Where the links in messages lead, as `api.SECTIONS`."""

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from mailgun_emulator.pipeline.worker import Worker


class Emulator:
    """One emulator: any number of them can live side by side in a process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock()
        self.database = Database(settings, self.clock)
        self.default_account_id = ""
        self.base_url = f"http://{settings.host}:{settings.port}"
        self.smtp = Listener(self)
        self._started_at = self.clock.now()
        self._preparing: asyncio.Task[None] | None = None
        self._pristine: Database | None = None
        self.worker: Worker | None = None

    def signing_key(self) -> str:
        """Of the default account: as set, else as the file has it."""
        kept = None if "signing_key" in self.settings.model_fields_set else self.database.signing_key()
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

        async with self.database.begin() as tx:
            account_id = accounts.ensure_default(tx, self.settings).id
        self.database.ids.mark()
        self.worker = Worker(self.database)
        await self.worker.start()
        self.default_account_id = account_id

    async def reset(self) -> None:
        """Back to the start: nothing but the default account, and no work pending."""
        from mailgun_emulator.state import accounts

        await self.ready()
        if self._pristine is None:
            self._pristine = Database(self.settings, self.clock, IN_MEMORY)
            settings = self.settings.model_copy(update={"signing_key": self.signing_key()})
            async with self._pristine.begin() as tx:
                accounts.ensure_default(tx, settings, self.default_account_id)
        if self.worker is not None:
            await self.worker.forget()
        self.database.restore(self._pristine)

    async def close(self) -> None:
        if self.worker is not None:
            await self.worker.stop()
        self.database.close()
        if self._pristine is not None:
            self._pristine.close()


def load(section: str) -> APIRouter:
    router: APIRouter = import_module(f"mailgun_emulator.{section}").router
    return router


def create_app(settings: Settings) -> "tuple[ASGIApp, Emulator]":
    """Raise `DatabaseUnusable` or `SmtpUnusable` at once when the settings name what can't be used."""
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
    return Front(app, index), emulator


greeting = APIRouter()


@greeting.get("/", include_in_schema=False)
async def greet() -> PlainTextResponse:
    """Answer as Mailgun's root does (facts/account.md, 0.5)."""
    return PlainTextResponse("Mailgun Magnificent API")
