"""Work in the background, waited for."""

from fastapi import APIRouter, Request
from pydantic import BaseModel

router = APIRouter(prefix="/_emulator", tags=["Emulator"])


class Drained(BaseModel):
    """How many jobs were done."""

    done: int


@router.post("/drain")
async def drain(request: Request) -> Drained:
    """Do all the work that is due now, deliveries above all, and answer when it is done."""
    emulator = request.app.state.emulator
    await emulator.ready()
    return Drained(done=await emulator.worker.drain())
