"""What Mailgun's Python package is used for: warm-up and dynamic pools."""

from tests.clients.package_desk import Story

STORIES: tuple[Story, ...] = ()

UNREACHABLE: dict[str, set[str]] = {}
"""Operations that are there and that the package has no way to, by the reason."""
