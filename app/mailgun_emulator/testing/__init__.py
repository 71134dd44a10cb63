"""The emulator in tests: started here or found elsewhere, with all that a test asks of it."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mailgun_emulator.testing.account import Mailgun
    from mailgun_emulator.testing.account_client import AccountInfo
    from mailgun_emulator.testing.aio import AsyncMailgun
    from mailgun_emulator.testing.emulator import Emulator
    from mailgun_emulator.testing.http_client import EmulatorError, File, HttpClient, NoEmulator, ServerSent
    from mailgun_emulator.testing.message import Attachment, Headers, Link, Message
    from mailgun_emulator.testing.received import ReceivedWebhook
    from mailgun_emulator.testing.receiver import Receiver
    from mailgun_emulator.testing.records import ApiRequest, Event, WebhookDelivery
    from mailgun_emulator.testing.server_thread import CannotStart

__all__ = [
    "AccountInfo",
    "ApiRequest",
    "AsyncMailgun",
    "Attachment",
    "CannotStart",
    "Emulator",
    "EmulatorError",
    "Event",
    "File",
    "Headers",
    "HttpClient",
    "Link",
    "Mailgun",
    "Message",
    "NoEmulator",
    "ReceivedWebhook",
    "Receiver",
    "ServerSent",
    "WebhookDelivery",
]

_PLACES = {
    "AccountInfo": "account_client",
    "ApiRequest": "records",
    "AsyncMailgun": "aio",
    "Attachment": "message",
    "CannotStart": "server_thread",
    "Emulator": "emulator",
    "EmulatorError": "http_client",
    "Event": "records",
    "File": "http_client",
    "Headers": "message",
    "HttpClient": "http_client",
    "Link": "message",
    "Mailgun": "account",
    "Message": "message",
    "NoEmulator": "http_client",
    "ReceivedWebhook": "received",
    "Receiver": "receiver",
    "ServerSent": "http_client",
    "WebhookDelivery": "records",
}
"""Each is imported when it is first asked for: the command line needs but few of them."""


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
