"""Where the parts meet."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from mailgun_emulator.control import health
from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state.database import Database
from mailgun_emulator.web import errors


class Emulator:
    """One emulator: any number of them can live side by side in a process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.clock = Clock()
        self.database = Database(settings.database)
        self._started_at = self.clock.now()

    def uptime(self) -> float:
        """Seconds since the start."""
        return self.clock.now() - self._started_at


def create_app(settings: Settings) -> FastAPI:
    """Raise `DatabaseUnusable` at once when the settings name a database that can't be used."""
    emulator = Emulator(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        yield
        emulator.database.close()

    app = FastAPI(title="Mailgun emulator", lifespan=lifespan, openapi_url=None)
    app.state.emulator = emulator
    errors.install(app)
    app.include_router(health.router)

    @app.get("/", include_in_schema=False)
    async def greet() -> PlainTextResponse:
        return PlainTextResponse("Mailgun Magnificent API")

    return app
