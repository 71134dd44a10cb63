"""The operations that are served."""

from importlib import import_module
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.routing import APIRoute

from mailgun_emulator.api import SECTIONS
from mailgun_emulator.control import SECTIONS as CONTROL


class Operation(NamedTuple):
    """`section` is the module's name in the table of contents."""

    section: str
    method: str
    path: str
    route: APIRoute


def operations() -> list[Operation]:
    """All that is served, in the order of the table of contents, Mailgun's before the emulator's own."""
    return [
        Operation(section, method.lower(), route.path, route)
        for section in (*SECTIONS, *CONTROL)
        for route in _router(section).routes
        if isinstance(route, APIRoute)
        for method in sorted(route.methods or ())
    ]


def _router(section: str) -> APIRouter:
    router: APIRouter = import_module(f"mailgun_emulator.{section}").router
    return router
