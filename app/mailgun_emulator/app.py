"""Where the parts meet."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from fastapi.responses import PlainTextResponse

from mailgun_emulator.api import SECTIONS
from mailgun_emulator.control import SECTIONS as CONTROL
from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.ids import Ids
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state.database import Database
from mailgun_emulator.web import errors
from mailgun_emulator.web.routing import RouteIndex, with_mailgun_headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp


class Emulator:
    """One emulator: any number of them can live side by side in a process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log = logging.getLogger("mailgun_emulator")
        self.clock = Clock()
        self.database = Database(settings.database, self.clock, Ids(settings.seed))
        self.default_account_id = ""
        self._started_at = self.clock.now()
        self._preparing: asyncio.Task[None] | None = None

    def uptime(self) -> float:
        """Seconds since the start."""
        return self.clock.now() - self._started_at

    async def ready(self) -> None:
        """Wait until the default account is there; the first caller makes it."""
        if not self.default_account_id:
            if self._preparing is None:
                self._preparing = asyncio.create_task(self._prepare())
            await asyncio.shield(self._preparing)

    async def _prepare(self) -> None:
        from mailgun_emulator.state import accounts, keys

        async with self.database.begin() as tx:
            credential = keys.find_by_secret(tx, self.settings.api_key)
            if credential is None:
                account = accounts.create(
                    tx,
                    "Default account",
                    api_key=self.settings.api_key,
                    signing_key=self.settings.signing_key,
                    domain_names=self.settings.domain,
                )
        self.default_account_id = credential.account_id if credential else account.id
        self.database.keep_pristine()

    async def reset(self) -> None:
        """Back to the start: nothing but the default account, and no work pending."""
        await self.ready()
        self.database.reset()


def load(section: str) -> APIRouter:
    router: APIRouter = import_module(f"mailgun_emulator.{section}").router
    return router


def create_app(settings: Settings) -> "tuple[ASGIApp, Emulator]":
    """Raise `DatabaseUnusable` at once when the settings name a database that can't be used."""
    emulator = Emulator(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        emulator.database.close()

    app = FastAPI(title="Mailgun emulator", lifespan=lifespan, openapi_url=None)
    app.state.emulator = emulator
    errors.install(app)
    index = RouteIndex({**CONTROL, **SECTIONS}, load)
    index.add(greeting)
    app.router.routes[:] = [index]
    return with_mailgun_headers(app), emulator


greeting = APIRouter()


@greeting.get("/", include_in_schema=False)
async def greet() -> PlainTextResponse:
    """Answer as Mailgun's root does (facts/account.md, 0.5)."""
    return PlainTextResponse("Mailgun Magnificent API")
