"""What Mailgun's services say when they refuse, each in its own way, for faults that ask for a status."""

import re
from http import HTTPStatus
from math import ceil
from typing import Any, NamedTuple

from mailgun_emulator.core.errors import Forbidden, InvalidPrivateKey, NotFound, TooManyRequests, Unauthorized
from mailgun_emulator.pipeline.leniency import UnknownDomain
from mailgun_emulator.pipeline.reasons import REASONS, RETRY_AFTER, filled
from mailgun_emulator.state.faults import Call

CALLS = 300
"""How many there may be in a minute (facts/account.md, 0.5)."""
_DOMAINS_AND_WEBHOOKS = re.compile(r"/v[34]/domains(/[^/]+(/webhooks(/.*)?)?)?|/v1/webhooks(/.*)?")
_CERTIFICATES_AND_ROTATION = ("/v2/x509", "/v1/dkim_management")
_PREVIEWS = ("/v1/preview/", "/v2/preview/")
_KEYS = {400: "Reason", 402: "Reason", 404: "Description", 409: "Description", 429: "Description"}


class Refusal(NamedTuple):
    """`body` is JSON if it is a dict, plain text if a str."""

    status: int
    headers: dict[str, str]
    body: dict[str, Any] | str


def refusal(does: dict[str, Any], call: Call, now: float) -> Refusal:
    """What a fault with a `status` or a `reason` answers."""
    reason = REASONS.get(does.get("reason", ""))
    status = reason.status if reason else does["status"]
    seconds = does.get("retry_after", RETRY_AFTER if status == TooManyRequests.status else None)
    text = does.get("message")
    if text is None:
        text = filled(reason.text if reason else _text(status, call), call.domain, now, seconds)
    headers = _when(status, now, seconds)
    if status == Unauthorized.status:
        headers.update(Unauthorized().headers())
    if (
        status == TooManyRequests.status
        and "message" not in does
        and _DOMAINS_AND_WEBHOOKS.fullmatch(call.path)
    ):
        return Refusal(status, headers, {"retry-seconds": ceil(seconds or 0)})
    return Refusal(status, headers, body(status, text, call))


def body(status: int, text: str, call: Call) -> dict[str, Any] | str:
    """As the service words it that the path leads to (facts/account.md, 0.4 and 0.5)."""
    if status == Unauthorized.status and not call.path.startswith(("/v1/", "/v4/address/", *_PREVIEWS)):
        return text
    if call.path.startswith(_PREVIEWS) and status in (400, 401):
        return {"Reason": text}
    if call.path.startswith(_CERTIFICATES_AND_ROTATION):
        return {_KEYS.get(status, "message"): text}
    return {"message": text}


def _when(status: int, now: float, seconds: float | None) -> dict[str, str]:
    """When to come again; the reset in seconds since 1970, as Go's client reads it (facts/sending.md, 10.4)."""
    if seconds is None:
        return {}
    headers = {"Retry-After": str(ceil(seconds))}
    if status == TooManyRequests.status:
        headers["X-RateLimit-Limit"] = str(CALLS)
        headers["X-RateLimit-Remaining"] = "0"
        headers["X-RateLimit-Reset"] = str(ceil(now + seconds))
    return headers


def _text(status: int, call: Call) -> str:  # noqa: PLR0911 - one for each status
    match status:
        case 401:
            is_json = isinstance(body(401, "", call), dict)
            return InvalidPrivateKey.message if is_json else Unauthorized.message
        case 402:
            return "upgrade your account to enable this feature"
        case 403:
            return REASONS["account-disabled"].text if call.sends else Forbidden.message
        case 404:
            return _not_found(call)
        case 413:
            return "request size exceeds 52.4MiB limit"
        case 429:
            return REASONS["too-many-requests"].text if call.sends else TooManyRequests.message
        case _:
            return _phrase(status)


def _not_found(call: Call) -> str:
    if call.sends:
        return "Domain not found: {domain}"
    if call.domain and call.path.startswith(("/v3/domains/", "/v4/domains/")):
        return "Domain not found"
    return UnknownDomain.message if call.domain else NotFound.message


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return f"Status {status}"
