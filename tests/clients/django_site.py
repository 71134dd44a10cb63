"""A Django site with anymail for Mailgun, as anymail's docs set it up, served on a real port."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import django
from django.conf import settings
from tests.conftest import Account

SECRET = "user:password"


class Site:
    """What anymail's signals told: `tracked` and `received` are their events, in the order they came."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.tracked: list[Any] = []
        self.received: list[Any] = []

    def url(self, path: str, login: str = f"{SECRET}@") -> str:
        """Of a view, such as `tracking`; with the login that anymail calls its secret."""
        return f"http://{login}127.0.0.1:{self.port}/mailgun/{path}/"


def set_up() -> None:
    """Once in a process; what a test needs it overrides."""
    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["127.0.0.1"],
            EMAIL_BACKEND="anymail.backends.mailgun.EmailBackend",
            INSTALLED_APPS=["anymail"],
            LOGGING_CONFIG=None,
            ROOT_URLCONF="anymail.urls",
            SECRET_KEY="x",
            USE_TZ=True,
        )
        django.setup()


@contextmanager
def settings_for(url: str, account: Account, **more: Any) -> Iterator[None]:
    from django.test.utils import override_settings

    set_up()
    anymail = {
        "MAILGUN_API_KEY": account.api_key,
        "MAILGUN_API_URL": f"{url}/v3",
        "MAILGUN_WEBHOOK_SIGNING_KEY": account.signing_key,
        "WEBHOOK_SECRET": SECRET,
        **more,
    }
    with override_settings(ANYMAIL=anymail, DEFAULT_FROM_EMAIL=f"ann@{account.domain}"):
        yield


@contextmanager
def serving() -> Iterator[Site]:
    """Within `settings_for`."""
    from anymail.signals import inbound, tracking
    from django.core.handlers.wsgi import WSGIHandler
    from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

    with ThreadedWSGIServer(("127.0.0.1", 0), WSGIRequestHandler) as server:
        server.set_app(WSGIHandler())
        site = Site(server.server_port)

        def track(event: Any, **_: Any) -> None:
            site.tracked.append(event)

        def receive(event: Any, **_: Any) -> None:
            site.received.append(event)

        tracking.connect(track)
        inbound.connect(receive)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield site
        finally:
            server.shutdown()
            tracking.disconnect(track)
            inbound.disconnect(receive)
