"""What the emulator tells of things that happened: events, posts to webhooks, requests."""

from typing import Any

from mailgun_emulator.testing.account_client import AccountClient
from mailgun_emulator.testing.http_client import is_told

__tracebackhide__ = is_told


class Event(dict[str, Any]):
    """An event as Mailgun's API and webhooks tell it, with names for what is asked for most."""

    @property
    def event(self) -> str:
        """`accepted`, `delivered`, `failed`, `opened` …"""
        return str(self["event"])

    @property
    def id(self) -> str:
        return str(self.get("id", ""))

    @property
    def recipient(self) -> str:
        return str(self.get("recipient", ""))

    @property
    def timestamp(self) -> float:
        """Seconds since 1970, by the account's clock."""
        return float(self["timestamp"])

    @property
    def tags(self) -> list[str]:
        return list(self.get("tags") or [])

    @property
    def variables(self) -> dict[str, Any]:
        return dict(self.get("user-variables") or {})

    @property
    def message_id(self) -> str:
        """Without angle brackets."""
        headers: dict[str, Any] = (self.get("message") or {}).get("headers") or {}
        return str(headers.get("message-id", ""))

    @property
    def severity(self) -> str:
        """Of a failure: `permanent` or `temporary`."""
        return str(self.get("severity", ""))

    @property
    def reason(self) -> str:
        """Of a failure: `bounce`, `suppress-bounce`, `old` …"""
        return str(self.get("reason", ""))

    @property
    def code(self) -> int | None:
        """What the recipient's server replied, or Mailgun instead of it."""
        code: int | None = self._status.get("code")
        return code

    @property
    def description(self) -> str:
        """What it said."""
        return str(self._status.get("message") or self._status.get("description") or "")

    @property
    def url(self) -> str:
        """Of a click."""
        return str(self.get("url", ""))

    @property
    def _status(self) -> dict[str, Any]:
        return self.get("delivery-status") or {}

    def __repr__(self) -> str:
        return f"<Event {brief(self)}>"


def brief(event: Event) -> str:
    """In a few words."""
    whom = f" for {event.recipient}" if event.recipient else ""
    if event.event != "failed":
        return f"{event.event}{whom}"
    why = " ".join(str(each) for each in (event.severity, event.code, event.reason) if each)
    return f"failed{whom} ({why})"


class _Told:
    """`told` is what the emulator said, which the properties give names to."""

    def __init__(self, client: AccountClient, told: dict[str, Any]) -> None:
        self._client = client
        self.told = told

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and getattr(other, "told", None) == self.told

    def __hash__(self) -> int:
        return hash((type(self), self.told["id"]))


class WebhookDelivery(_Told):
    """One event that goes to one URL, as the emulator's list of webhook deliveries has it."""

    @property
    def id(self) -> int:
        return int(self.told["id"])

    @property
    def state(self) -> str:
        """`pending`, `done`, `stopped` by a 406, `given-up`."""
        return str(self.told["state"])

    @property
    def event(self) -> str:
        return str(self.told["event"])

    @property
    def webhook(self) -> str:
        """The kind of webhook: `permanent_fail` where `event` is `failed`."""
        return str(self.told["webhook"])

    @property
    def url(self) -> str:
        return str(self.told["url"])

    @property
    def recipient(self) -> str:
        return str(self.told["recipient"])

    @property
    def message_id(self) -> str:
        return str(self.told["message_id"])

    @property
    def status(self) -> int | None:
        """What the last attempt was answered; 0 if by nobody, None before the first."""
        status: int | None = self.told["status"]
        return status

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """Each with `at`, `request` and `response`."""
        found = self._client.get(f"/_emulator/webhooks/deliveries/{self.id}")
        attempts: list[dict[str, Any]] = found["attempts"]
        return attempts

    def __repr__(self) -> str:
        return f"<WebhookDelivery {self.webhook} for {self.recipient} to {self.url}: {self.state}>"


class ApiRequest(_Told):
    """One request to Mailgun's API, as the emulator's journal has it."""

    def __init__(self, client: AccountClient, told: dict[str, Any]) -> None:
        super().__init__(client, told)
        self._details: dict[str, Any] | None = None

    @property
    def id(self) -> int:
        """Which the header `X-Mailgun-Emulator-Request` of the answer told as well."""
        return int(self.told["id"])

    @property
    def at(self) -> float:
        return float(self.told["at"])

    @property
    def method(self) -> str:
        return str(self.told["method"])

    @property
    def path(self) -> str:
        return str(self.told["path"])

    @property
    def status(self) -> int:
        """0 if it was never answered."""
        return int(self.told["status"])

    @property
    def operation(self) -> str:
        return str(self.told.get("operation") or "")

    @property
    def duration_ms(self) -> float:
        return float(self.told["duration_ms"])

    @property
    def hints(self) -> list[str]:
        return list(self.told.get("hints") or [])

    @property
    def request(self) -> dict[str, Any]:
        """`headers`, `body`, `fields`."""
        return dict(self._whole()["request"])

    @property
    def response(self) -> dict[str, Any]:
        """`headers`, `body`."""
        return dict(self._whole()["response"])

    def _whole(self) -> dict[str, Any]:
        if self._details is None:
            self._details = self._client.get(f"/_emulator/requests/{self.id}")
        return self._details

    def __repr__(self) -> str:
        return f"<ApiRequest {self.method} {self.path}: {self.status}>"
