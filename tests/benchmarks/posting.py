"""The floor of webhooks: an aiohttp loop that posts the lines of a file to a URL; prints seconds and seconds of CPU."""

import asyncio
import sys
import time
from pathlib import Path

import aiohttp
import uvloop


async def post(url: str, bodies: list[bytes]) -> None:
    async with aiohttp.ClientSession() as session:
        for body in bodies:
            async with session.post(url, data=body, headers={"Content-Type": "application/json"}) as answer:
                await answer.read()
                answer.raise_for_status()


def main(url: str, file: str) -> None:
    bodies = Path(file).read_bytes().splitlines()
    begun, cpu = time.perf_counter(), time.process_time()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(post(url, bodies))
    sys.stdout.write(f"{time.perf_counter() - begun} {time.process_time() - cpu}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
