"""Where servers are found."""

import os
from typing import Annotated

import typer

EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1", "[::]": "::1"}  # noqa: S104 - how it is shown, not listened on

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


def base_url(host: str, port: int) -> str:
    """Where a client on this machine finds it."""
    host = EVERY_ADDRESS.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def served_url() -> str:
    """Where `serve` would serve here. The settings take longer to import than all else that a client needs."""
    if not any(os.environ.get(name) for name in _SETTINGS):
        return USUAL_URL
    from mailgun_emulator.cli.loading import load

    settings = load({})
    return base_url(settings.host, settings.port)
