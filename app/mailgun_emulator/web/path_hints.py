"""What may have been meant by a path that is not known."""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailgun_emulator.web.routing import RouteIndex

VERSIONS = ("v3", "v4", "v1", "v2", "v5")
_VERSION = re.compile(r"v\d+(?:\.\d+)?", re.IGNORECASE)


def about(index: "RouteIndex", method: str, segments: list[str]) -> str:
    first, rest = (segments[0], segments[1:]) if segments else ("", [])
    is_version = _VERSION.fullmatch(first) is not None
    if is_version and rest and _VERSION.fullmatch(rest[0]) and _knows(index, method, rest):
        return f"The path begins with a version twice, /{first}/{rest[0]}: the base URL has one already"
    if first.startswith("_"):
        return _unknown(index, segments)
    below = rest if is_version else segments
    for version in VERSIONS:
        if _knows(index, method, [version, *below]):
            if is_version:
                return f"This path is known below /{version}, not below /{first}"
            return f"The path begins with no version: with /{version} in front of it it is known"
    if rest and not is_version and _VERSION.fullmatch(rest[0]) and _knows(index, method, rest):
        return f"Nothing stands before /{rest[0]} in Mailgun's paths: leave out /{first}"
    return _unknown(index, segments)


def _knows(index: "RouteIndex", method: str, segments: list[str]) -> bool:
    """Deeper than one segment: below a version a single name may be anything."""
    return len(segments) > 1 and index.knows(method, segments)


def _unknown(index: "RouteIndex", segments: list[str]) -> str:
    nearest = index.nearest("/" + "/".join(segments))
    return "No such path" if nearest is None else f"No such path. Nearest: {nearest}"
