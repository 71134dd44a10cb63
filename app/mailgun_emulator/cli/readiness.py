"""`ready`."""

import time
from typing import Annotated
from urllib.parse import urlsplit

import typer

from mailgun_emulator.cli.addresses import Url, served_url
from mailgun_emulator.cli.apps import new_app
from mailgun_emulator.cli.failing import UNDONE, fail

app = new_app()


@app.command()
def ready(
    wait: Annotated[float, typer.Option(help="Keep trying for so many seconds.", metavar="SECONDS")] = 0,
    url: Url = None,
) -> None:
    """Exit with 0 when a running server answers, else with 1."""
    url = url or served_url()
    if not is_http(url):
        fail(f"--url can't be {url!r}: it begins with http:// or https://, as http://127.0.0.1:8025 does.")
    until = time.monotonic() + wait
    while not answers(url):
        if time.monotonic() >= until:
            fail(f"nothing answers at {url}", UNDONE)
        time.sleep(0.05)


def is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def answers(url: str) -> bool:
    """Never through a proxy, unlike `urllib.request`, which takes four times as long to import."""
    from http.client import HTTPConnection, HTTPException, HTTPSConnection

    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.netloc, timeout=2)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/_emulator/health")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
