"""Serves an application as the emulator serves itself: uvicorn, a port of its own choice, told on the first line."""

import sys
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        sys.stdout.write(f"http://127.0.0.1:{port}\n")
        sys.stdout.flush()


def serve(app: Any) -> None:
    _Server(uvicorn.Config(app, port=0, log_level="warning", access_log=False)).run()
