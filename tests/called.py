"""Which of the reference's operations the tests called, and how they were answered: all of them, well and badly."""

from importlib import import_module
from pathlib import Path

from fastapi import APIRouter

from mailgun_emulator.api import SECTIONS
from mailgun_emulator.openapi import coverage
from mailgun_emulator.openapi.coverage import Documented
from mailgun_emulator.web.routing import RouteIndex

PAGE = Path(__file__).parents[1] / "openapi" / "coverage.md"
GENERAL = (401, 405)
"""Refusals of a key or a method say nothing of the operation."""
GONE = ("GET", "/v1/bounce-classification/domains/{domain}/events")
"""Mailgun itself answers it with 410 alone."""
ONLY_A_KEY_IS_REFUSED = (
    ("GET", "/v5/accounts/http_signing_key"),
    ("POST", "/v5/accounts/http_signing_key"),
    ("POST", "/v5/accounts/resend_activation_email"),
    ("GET", "/v5/sandbox/auth_recipients"),
    ("GET", "/v1/thresholds/alerts/send"),
    ("GET", "/v1/thresholds/hits"),
    ("GET", "/v1/thresholds/limits"),
    ("GET", "/v1/bounce-classification/config/entities"),
    ("GET", "/v1/bounce-classification/config/rules"),
    ("GET", "/v3/dynamic_pools"),
    ("GET", "/v2/ip_whitelist"),
    ("POST", "/v1/keys/public"),
    ("GET", "/v1/analytics/tags/limits"),
)
"""They take no parameters and name nothing that could be missing."""

_answers: dict[tuple[str, str], set[bool]] = {}
"""By method and path: whether it went well, whether it was refused."""


def note(method: str, path: str, status: int) -> None:
    if status not in GENERAL:
        _answers.setdefault((method, path.partition("?")[0]), set()).add(status < 400)


def told() -> list[tuple[str, str, bool]]:
    """What was noted in this process, by the operations' templates."""
    index = RouteIndex(SECTIONS, _router)
    found = set()
    for (method, path), answers in _answers.items():
        route = index.find({"type": "http", "method": method, "path": path, "raw_path": path.encode()}).route
        if route is not None:
            found |= {(method, route.path, well) for well in answers}
    return sorted(found)


def _router(section: str) -> APIRouter:
    router: APIRouter = import_module(f"mailgun_emulator.{section}").router
    return router


def missing(told: set[tuple[str, str, bool]]) -> list[str]:
    """The operations that were never answered well, and those that were never refused."""
    answered = {(Documented("", method, path).key(), well) for method, path, well in told}
    words = {True: "never answered well", False: "never refused"}
    excused = {(GONE, True), *((each, False) for each in ONLY_A_KEY_IS_REFUSED)}
    return [
        f"{each.method} {each.path}: {words[well]}"
        for well in words
        for each in coverage.reference_in(PAGE.read_text())
        if (each.key(), well) not in answered and ((each.method, each.path), well) not in excused
    ]
