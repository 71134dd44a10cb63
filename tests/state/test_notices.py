import asyncio
from contextlib import suppress

from mailgun_emulator.core.clock import Clock
from mailgun_emulator.core.settings import Settings
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.notices import Notice


def test_what_is_committed_is_told_and_what_is_undone_is_not() -> None:
    async def run() -> list[Notice]:
        heard: list[Notice] = []
        database = Database(Settings(), Clock())
        async with database.begin("a") as tx:
            tx.tell("message", "nobody listens")
        database.listeners.add(heard.append)
        async with database.begin("a") as tx:
            tx.tell("message", "kept")
            assert heard == []
        with suppress(ZeroDivisionError):
            async with database.begin("a") as tx:
                tx.tell("message", "undone")
                raise ZeroDivisionError
        async with database.begin("b") as tx:
            tx.tell("webhook", 1)
        database.close()
        return heard

    assert asyncio.run(run()) == [Notice("message", "a", "kept"), Notice("webhook", "b", 1)]
