"""Who is told of what happened to the account: events and channels (facts/account.md, 10.3)."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, ClassVar

import orjson
from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest, Conflict, NotFound
from mailgun_emulator.mail import dates
from mailgun_emulator.state.transaction import Tx


class AlertEvent(StrEnum):
    IP_LISTED = "ip_listed"
    IP_DELISTED = "ip_delisted"
    DOMAIN_LISTED = "domain_listed"
    DOMAIN_DELISTED = "domain_delisted"
    VALIDATION_JOB = "validation_job"
    VALIDATION_PREVIEW = "validation_preview"


class Channel(StrEnum):
    EMAIL = "email"
    SLACK = "slack"
    WEBHOOK = "webhook"


class AlertNotFound(NotFound):
    message = "alert setting not found"


class AlertExists(Conflict):
    def __init__(self, event_type: str, channel: str) -> None:
        super().__init__(f"alert for event '{event_type}' and channel '{channel}' already exists")


class SlackNotConnected(BadRequest):
    message = "slack is not connected"


class SlackChannelNotFound(NotFound):
    message = "slack channel not found"


class AlertSetting(SQLModel, table=True):
    """`settings` (JSON) has a `url`, `emails`, or `channel_ids` with those of them that are disabled.

    `disabled_at` is when it was given up, in seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "alert_setting"
    __table_args__ = (UniqueConstraint("account_id", "event_type", "channel"),)
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE")
    event_type: str
    channel: str
    settings: str
    created_at: float
    disabled_at: float | None = None

    def read(self) -> dict[str, Any]:
        told: dict[str, Any] = orjson.loads(self.settings)
        return told


class AlertIdentity(SQLModel, table=True):
    """What an account's alerts are signed with, and the Slack workspace they go to; `channels` is a JSON list."""

    __tablename__: ClassVar[Any] = "alert_identity"
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", primary_key=True)
    signing_key: str
    token: str = ""
    team_id: str | None = None
    team_name: str | None = None
    scope: str | None = None
    channels: str = "[]"

    def read_channels(self) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = orjson.loads(self.channels)
        return told


def identity(tx: Tx) -> AlertIdentity:
    """Made when it is first asked for."""
    found = tx.session.get(AlertIdentity, tx.account_id)
    return found or tx.add(AlertIdentity(account_id=tx.account_id, signing_key=tx.ids.hex(32)))


def list_all(tx: Tx) -> list[AlertSetting]:
    """In the order they were made."""
    own = select(AlertSetting).where(AlertSetting.account_id == tx.account_id)
    return list(tx.session.exec(own.order_by(col(AlertSetting.created_at), col(AlertSetting.id))))


def find(tx: Tx, setting_id: str) -> AlertSetting | None:
    setting = tx.session.get(AlertSetting, setting_id)
    return setting if setting is not None and setting.account_id == tx.account_id else None


def get(tx: Tx, setting_id: str) -> AlertSetting:
    setting = find(tx, setting_id)
    if setting is None:
        raise AlertNotFound
    return setting


def create(tx: Tx, event_type: str, channel: str, settings: Mapping[str, Any]) -> AlertSetting:
    """One for each event and channel."""
    _check(tx, event_type, channel)
    _meet_channels(tx, settings)
    return tx.add(
        AlertSetting(
            id=tx.ids.uuid(),
            account_id=tx.account_id,
            event_type=event_type,
            channel=channel,
            settings=orjson.dumps(settings).decode(),
            created_at=tx.now,
        )
    )


def put(tx: Tx, setting_id: str, event_type: str, channel: str, settings: Mapping[str, Any]) -> AlertSetting:
    """All of it anew; what was disabled is tried again."""
    setting = get(tx, setting_id)
    if (setting.event_type, setting.channel) != (event_type, channel):
        _check(tx, event_type, channel)
    _meet_channels(tx, settings)
    setting.event_type, setting.channel, setting.disabled_at = event_type, channel, None
    setting.settings = orjson.dumps(settings).decode()
    return setting


def delete(tx: Tx, setting_id: str) -> None:
    tx.session.delete(get(tx, setting_id))


def disable(tx: Tx, setting: AlertSetting) -> None:
    """Nothing reaches it: it is told of nothing more until somebody sees to it."""
    setting.disabled_at = tx.now


def disable_channel(tx: Tx, setting: AlertSetting, channel_id: str, reason: str) -> None:
    """Of Slack; the setting's other channels are told as before."""
    told = setting.read()
    disabled = {"disabled_at": dates.rfc3339_s(tx.now), "reason": reason}
    told.setdefault("disabled_channel_ids", {})[channel_id] = disabled
    setting.settings = orjson.dumps(told).decode()


def connect_slack(tx: Tx, given: Mapping[str, str]) -> None:
    """Only what is given is changed. Each workspace has a channel from the start."""
    found = identity(tx)
    for name, value in given.items():
        setattr(found, name, value)
    if found.channels == "[]":
        channel = {"id": f"C{tx.ids.hex(10).upper()}", "name": "general", "is_archived": False}
        found.channels = orjson.dumps([channel]).decode()


def disconnect_slack(tx: Tx) -> None:
    found = identity(tx)
    found.token, found.channels = "", "[]"
    found.team_id = found.team_name = found.scope = None


def revoke_slack(tx: Tx) -> None:
    """The token opens nothing more; the workspace is known as before."""
    found = identity(tx)
    if not found.token:
        raise SlackNotConnected
    found.token = ""


def connected(tx: Tx) -> AlertIdentity:
    found = identity(tx)
    if not found.token:
        raise SlackNotConnected
    return found


def get_channel(tx: Tx, channel_id: str) -> dict[str, Any]:
    for each in connected(tx).read_channels():
        if each["id"] == channel_id:
            return each
    raise SlackChannelNotFound


def meet_channels(tx: Tx, channel_ids: Iterable[str]) -> None:
    """Nobody asks Slack: the workspace has besides what channels were named so far."""
    found = connected(tx)
    known = found.read_channels()
    names = {each["id"] for each in known}
    new = [each for each in dict.fromkeys(channel_ids) if each not in names]
    if new:
        known += [{"id": each, "name": each.lower(), "is_archived": False} for each in new]
        found.channels = orjson.dumps(known).decode()


def _meet_channels(tx: Tx, settings: Mapping[str, Any]) -> None:
    if "channel_ids" in settings:
        meet_channels(tx, settings["channel_ids"])


def _check(tx: Tx, event_type: str, channel: str) -> None:
    same = select(AlertSetting).where(
        AlertSetting.account_id == tx.account_id,
        AlertSetting.event_type == event_type,
        AlertSetting.channel == channel,
    )
    if tx.session.exec(same).first() is not None:
        raise AlertExists(event_type, channel)
