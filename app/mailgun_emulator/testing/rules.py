"""What tests ask to go otherwise than well: outcomes of deliveries, and faults of the API."""

from typing import Any, Literal

from mailgun_emulator.testing.account_client import AccountClient
from mailgun_emulator.testing.http_client import is_told

__tracebackhide__ = is_told

Rules = list[dict[str, Any]]
_OUTCOMES = "/_emulator/outcomes"
_FAULTS = "/_emulator/faults"


class Outcomes:
    """Rules that say what becomes of deliveries; the first that fits stays with a delivery to its end."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def add(
        self,
        recipient: str | None = None,
        *,
        code: int | None = None,
        text: str | None = None,
        enhanced_code: str | None = None,
        reason: str | None = None,
        attempts: int | None = None,
        delay: str | float | None = None,
        mx_host: str | None = None,
        then: Rules | None = None,
        times: int | None = None,
        recipient_domain: str | None = None,
        domain: str | None = None,
        sender: str | None = None,
        tag: str | None = None,
        subject: str | None = None,
        nth: int | None = None,
        every: int | None = None,
        probability: float | None = None,
    ) -> dict[str, Any]:
        """The rule, with its `id`. Texts that say for which deliveries it is may hold `*`.

        `code` is what the recipient's server replies: 4xx is tried again, `attempts` times before it succeeds; 5xx
        is not. `then` follows a delivery: `[{"event": "opened", "after": "20m"}]`.
        """
        match = {
            "recipient": recipient,
            "recipient_domain": recipient_domain,
            "domain": domain,
            "sender": sender,
            "tag": tag,
            "subject": subject,
            "nth": nth,
            "every": every,
            "probability": probability,
        }
        outcome = {
            "code": code,
            "text": text,
            "enhanced_code": enhanced_code,
            "reason": reason,
            "attempts": attempts,
            "delay": delay,
            "mx_host": mx_host,
            "then": then,
            "times": times,
        }
        return _made(self._client.post(_OUTCOMES, {"match": _given(match), **_given(outcome)}))

    def list(self) -> Rules:
        """In their order, with how often each was `seen` and applied (`hits`)."""
        return _items(self._client.get(_OUTCOMES))

    def get(self, rule_id: str) -> dict[str, Any]:
        return _made(self._client.get(f"{_OUTCOMES}/{rule_id}"))

    def put(self, rules: Rules) -> Rules:
        """Have these in this order and no others: `[{"match": {"recipient": "*@a.com"}, "code": 550}]`."""
        return _items(self._client.ask("PUT", _OUTCOMES, json={"items": rules}))

    def replace(self, rule_id: str, rule: dict[str, Any]) -> dict[str, Any]:
        """Where it stands, by one that is written as for `put`; it counts from the start."""
        return _made(self._client.ask("PUT", f"{_OUTCOMES}/{rule_id}", json=rule))

    def delete(self, rule_id: str) -> None:
        self._client.delete(f"{_OUTCOMES}/{rule_id}")

    def clear(self) -> None:
        self._client.delete(_OUTCOMES)


class Faults:
    """What goes wrong with requests to the API, or with posts to webhooks."""

    def __init__(self, client: AccountClient) -> None:
        self._client = client

    def add(
        self,
        status: int | None = None,
        *,
        reason: str | None = None,
        retry_after: float | None = None,
        message: str | None = None,
        delay: str | float | None = None,
        cut: Literal[True, "half"] | None = None,
        after: bool | None = None,
        malformed: bool | None = None,
        slow: str | float | None = None,
        quota: dict[str, Any] | None = None,
        times: int | None = None,
        method: str | None = None,
        path: str | None = None,
        operation: str | None = None,
        domain: str | None = None,
        webhook: str | None = None,
        nth: int | None = None,
        every: int | None = None,
        probability: float | None = None,
    ) -> dict[str, Any]:
        """The fault, with its `id`. `path` and `webhook`, a URL that is posted to, may hold `*`.

        It is one of: a `status` with Mailgun's body for it, a `reason` why Mailgun takes no messages (`probation`,
        `account-disabled` …), `cut` connections (`after` the request was carried out), `malformed` bodies, `slow`
        ones, a `quota` as `{"messages": 100, "per": "hour"}`; or a `delay` alone, which also goes with the others.
        `times` is how often it happens; else until it is deleted.
        """
        match = {
            "method": method,
            "path": path,
            "operation": operation,
            "domain": domain,
            "webhook": webhook,
            "nth": nth,
            "every": every,
            "probability": probability,
        }
        do = {
            "status": status,
            "reason": reason,
            "retry_after": retry_after,
            "message": message,
            "delay": delay,
            "cut": cut,
            "after": after,
            "malformed": malformed,
            "slow": slow,
            "quota": quota,
        }
        asked = {"match": _given(match), "do": _given(do), **_given({"times": times})}
        return _made(self._client.post(_FAULTS, asked))

    def list(self) -> Rules:
        """Each with how often it happened (`hits`)."""
        return _items(self._client.get(_FAULTS))

    def get(self, fault_id: str) -> dict[str, Any]:
        return _made(self._client.get(f"{_FAULTS}/{fault_id}"))

    def delete(self, fault_id: str) -> None:
        self._client.delete(f"{_FAULTS}/{fault_id}")

    def clear(self) -> None:
        self._client.delete(_FAULTS)


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _made(told: Any) -> dict[str, Any]:
    made: dict[str, Any] = told
    return made


def _items(told: Any) -> Rules:
    items: Rules = told["items"]
    return items
