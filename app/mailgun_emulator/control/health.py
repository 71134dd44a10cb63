"""Is it up?"""

from fastapi import APIRouter, Request
from pydantic import BaseModel

from mailgun_emulator import __version__

router = APIRouter(prefix="/_emulator", tags=["Emulator"])


class Health(BaseModel):
    """`uptime` in seconds; `pending_jobs` are deliveries and other work, due now or later.

    `smtp_port` is where mail is taken by SMTP, null if it is not.
    """

    status: str
    version: str
    uptime: float
    database: bool
    pending_jobs: int
    smtp_port: int | None


@router.get("/health")
async def get_health(request: Request) -> Health:
    """Tell whether the server and its database answer."""
    emulator = request.app.state.emulator
    reachable = emulator.database.reachable()
    return Health(
        status="ok" if reachable else "database unreachable",
        version=__version__,
        uptime=emulator.uptime(),
        database=reachable,
        pending_jobs=emulator.database.pending_jobs() if reachable else 0,
        smtp_port=emulator.smtp.port,
    )
