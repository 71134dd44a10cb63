"""Where servers are found."""

import os
from typing import Annotated

import typer

USUAL_URL = "http://127.0.0.1:8025"
"""Where one is served that no setting says otherwise of."""
_SETTINGS = ("MAILGUN_EMULATOR_HOST", "MAILGUN_EMULATOR_PORT")

Url = Annotated[
    str | None,
    typer.Option(
        help="Where it is served [default: as `serve` would].",
        metavar="URL",
        envvar="MAILGUN_EMULATOR_URL",
    ),
]


def served_url() -> str:
    """Where `serve` would serve here. The settings take longer to import than all else that a client needs."""
    if not any(os.environ.get(name) for name in _SETTINGS):
        return USUAL_URL
    from mailgun_emulator.cli.loading import load
    from mailgun_emulator.testing.http_client import base_url

    settings = load({})
    return base_url(settings.host, settings.port)
