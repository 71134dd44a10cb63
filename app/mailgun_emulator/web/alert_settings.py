"""Who is to be told of what, as requests give it (facts/account.md, 10.3)."""

from collections.abc import Callable
from typing import Any, NamedTuple

from pydantic import Field

from mailgun_emulator.mail import addresses, hosts
from mailgun_emulator.state.alert_settings import AlertEvent, Channel
from mailgun_emulator.web.forms import Form, JsonObject, Text, as_text
from mailgun_emulator.web.parameters import Missing
from mailgun_emulator.web.statistics import NotValid


class SettingForm(Form):
    """`settings` has what the channel needs: a `url`, `emails`, or `channel_ids`."""

    event_type: Text = ""
    channel: Text = ""
    settings: JsonObject = Field(default={})


class Asked(NamedTuple):
    event_type: str
    channel: str
    settings: dict[str, Any]


def known_event(event_type: str) -> str:
    if not event_type:
        raise Missing("event_type")
    if event_type not in list(AlertEvent):
        raise NotValid("event_type", event_type)
    return event_type


def checked(asked: SettingForm) -> Asked:
    event_type = known_event(asked.event_type)
    if not asked.channel:
        raise Missing("channel")
    if asked.channel not in CHECKS:
        raise NotValid("channel", asked.channel)
    return Asked(event_type, asked.channel, CHECKS[asked.channel](asked.settings))


def webhook_settings(given: dict[str, Any]) -> dict[str, Any]:
    return {"url": checked_url(given.get("url"))}


def checked_url(given: Any) -> str:
    if not given:
        raise Missing("url")
    url = str(given).strip()
    if hosts.fault_of_url(url) is not None:
        raise NotValid("url", url)
    return url


def checked_token(given: str) -> str:
    """Of an app, or the URL of an incoming webhook."""
    if not given:
        raise Missing("token")
    if "://" in given and hosts.fault_of_url(given) is not None:
        raise NotValid("token", given)
    return given


def email_settings(given: dict[str, Any]) -> dict[str, Any]:
    emails = texts(given, "emails")
    return {"emails": [checked_email(each) for each in emails]}


def checked_email(given: str) -> str:
    try:
        return addresses.parse(given).email
    except addresses.NotAnAddress:
        raise NotValid("email", given) from None


def slack_settings(given: dict[str, Any]) -> dict[str, Any]:
    """Channels that were disabled stay so if the client says so again."""
    ids, disabled = texts(given, "channel_ids"), given.get("disabled_channel_ids")
    said = disabled if isinstance(disabled, dict) else {}
    kept = {
        each: {name: str(why.get(name, "")) for name in ("disabled_at", "reason")}
        for each, why in said.items()
        if each in ids and isinstance(why, dict)
    }
    return {"channel_ids": ids, **({"disabled_channel_ids": kept} if kept else {})}


def texts(given: dict[str, Any], name: str) -> list[str]:
    values = given.get(name)
    values = [values] if isinstance(values, str) else values
    found = [as_text(each) for each in values] if isinstance(values, list) else []
    for each in found:
        if not isinstance(each, str):
            raise NotValid(name, str(each))
    unique = list(dict.fromkeys(each.strip() for each in found if each.strip()))
    if not unique:
        raise Missing(name)
    return unique


CHECKS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    Channel.WEBHOOK: webhook_settings,
    Channel.EMAIL: email_settings,
    Channel.SLACK: slack_settings,
}
