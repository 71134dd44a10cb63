"""An account's webhooks: a receiver for them, what was posted, and posting it again."""

import socket
from collections.abc import Iterable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailgun_emulator.testing.account_client import AccountClient, AccountInfo
from mailgun_emulator.testing.assertions import table
from mailgun_emulator.testing.filters import Unpack, WebhookFilters, params, several
from mailgun_emulator.testing.http_client import EmulatorError, is_told
from mailgun_emulator.testing.records import WebhookDelivery

if TYPE_CHECKING:
    from mailgun_emulator.testing.receiver import Receiver

__tracebackhide__ = is_told

KINDS = (
    "accepted",
    "delivered",
    "opened",
    "clicked",
    "unsubscribed",
    "complained",
    "permanent_fail",
    "temporary_fail",
)
_DELIVERIES = "/_emulator/webhooks/deliveries"
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 - only when the receiver's host is named, so that others can reach it


class Webhooks:
    """Of one account."""

    def __init__(self, client: AccountClient, account: AccountInfo) -> None:
        self._client = client
        self._account = account
        self._receivers: list[Receiver] = []

    def receiver(
        self,
        events: str | Iterable[str] | None = None,
        *,
        host: str | None = None,
        port: int = 0,
        path: str = "/webhooks",
        domain: str | None = None,
    ) -> "Receiver":
        """A running server that the events of the account's domain are posted to, all or those named.

        Its `url` can also be given to anything else that posts, as routes do. `host` is by what name the emulator
        reaches this machine, when that is not by the address it is called from: `host.docker.internal`.
        `events=()` registers it nowhere.
        """
        from mailgun_emulator.testing.receiver import Receiver

        kinds = KINDS if events is None else tuple(several(events))
        name = domain or self._account.domain
        listen_on, known_as = (_EVERY_ADDRESS, host) if host else _own_address(self._client.http.url)
        made = Receiver(
            self._account.signing_key,
            self.signing_key,
            listen_on=listen_on,
            host=known_as,
            port=port,
            path=path,
            explain=lambda: self._posts_to(made.url),
            closed=lambda receiver: self._unregister(receiver, name, kinds),
        )
        self._receivers.append(made)
        try:
            if kinds:
                self._register(made.url, name, kinds)
        except EmulatorError:
            made.close()
            raise
        return made

    def signing_key(self) -> str:
        """What they are signed with now."""
        return str(self._client.get(f"/_emulator/accounts/{self._account.id}")["signing_key"])

    def deliveries(
        self, event: str | None = None, **filters: Unpack[WebhookFilters]
    ) -> list[WebhookDelivery]:
        """What was and what is to be posted, the oldest first. `event` may be a kind of webhook."""
        given = params(WebhookFilters, filters, event=event)
        asked = {_ALIASES.get(name, name): value for name, value in given.items()}
        found: list[dict[str, Any]] = []
        while True:
            page = self._client.get(_DELIVERIES, **asked, limit=1000)["items"]
            found += page
            if len(page) < 1000:
                return [WebhookDelivery(self._client, each) for each in reversed(found)]
            asked["before"] = page[-1]["id"]

    def resend(self, delivery: "WebhookDelivery | int") -> WebhookDelivery:
        """Post it once more, and tell what came of it."""
        number = delivery if isinstance(delivery, int) else delivery.id
        self._client.post(f"{_DELIVERIES}/{number}/resend")
        self._client.drain()
        return WebhookDelivery(self._client, self._client.get(f"{_DELIVERIES}/{number}")["delivery"])

    def close(self, *, for_good: bool = False) -> None:
        """All receivers; `for_good`: the account is about to go."""
        receivers, self._receivers = self._receivers, []
        for each in receivers:
            if for_good:
                each.stop()
            else:
                each.close()

    def _register(self, url: str, domain: str, kinds: tuple[str, ...]) -> None:
        fields = [("url", url), *(("event_types", kind) for kind in kinds)]
        self._client.call("POST", f"/v4/domains/{domain}/webhooks", fields)

    def _unregister(self, receiver: "Receiver", domain: str, kinds: tuple[str, ...]) -> None:
        if receiver not in self._receivers:
            return
        self._receivers.remove(receiver)
        if kinds:
            try:
                self._client.call("DELETE", f"/v4/domains/{domain}/webhooks", [("url", receiver.url)])
            except EmulatorError:  # it was deleted by the test, or the server is gone
                return

    def _posts_to(self, url: str) -> str:
        try:
            found = self.deliveries(url=url)
        except EmulatorError:
            return ""
        if not found:
            return "The emulator has nothing to post to it."
        rows = [[each.webhook, each.recipient, each.state, _answered(each)] for each in found[-10:]]
        return f"The emulator's posts:\n{table(['webhook', 'recipient', 'state', 'answered'], rows)}"


_ALIASES = {"message_id": "message-id"}


def _answered(delivery: WebhookDelivery) -> str:
    if delivery.status:
        return str(delivery.status)
    return "by nobody" if delivery.status == 0 else "not yet"


def _own_address(url: str) -> tuple[str, str | None]:
    """What to listen on to be reached from there: loopback if it is here, else where its packets would leave."""
    host = urlsplit(url).hostname or ""
    port = urlsplit(url).port or 80
    if host == "localhost" or _is_loopback(host):
        return "127.0.0.1", None
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, port))
            return str(probe.getsockname()[0]), None
    except OSError:
        return "127.0.0.1", None


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
