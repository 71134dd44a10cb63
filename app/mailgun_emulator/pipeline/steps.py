"""Where each kind of background work is done. A module is loaded when the first job of its kind is due."""

from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from importlib import import_module
from typing import Any, cast

from mailgun_emulator.pipeline.outgoing import Outgoing
from mailgun_emulator.state.database import Database
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.transaction import Tx

Doing = Callable[[Tx, DueJob], None]
Posting = Callable[[Database, Outgoing, DueJob], Awaitable[None]]

STEPS: Mapping[str, str] = {
    Step.DELIVER: "pipeline.deliver:deliver",
    Step.RECEIVE: "pipeline.receive:receive_again",
    Step.EXPAND_LIST: "pipeline.expand:expand",
    Step.UPLOAD_MEMBERS: "pipeline.upload_members:upload_members",
    Step.FOLLOW_UP: "pipeline.follow_up:follow_up",
    Step.DELETE_DOMAIN: "state.domain_removal:remove_some",
    Step.ENABLE_DOMAIN: "state.domains:enable_when_due",
    Step.ROTATE_KEYS: "state.domain_keys:rotate_when_due",
    Step.IMPORT: "state.suppressions:do_import",
    Step.CERTIFY: "state.certificates:certify",
    Step.VALIDATE: "pipeline.validating:validate_some",
    Step.PLACE: "pipeline.placement:settle",
    Step.CHECK_THRESHOLDS: "pipeline.thresholds:check",
    Step.DELIST: "pipeline.blocklisting:delist_when_due",
    Step.MOVE_IPS: "pipeline.ip_moves:move",
    Step.ENROLL_DOMAINS: "state.enrolled_domains:enroll_all",
    Step.CHECK_HEALTH: "state.enrolled_domains:check_when_due",
}
"""What is done inside one transaction."""
POSTS: Mapping[str, str] = {
    Step.ARCHIVE: "pipeline.archive:archive",
    Step.EXPORT: "pipeline.export:export",
    Step.NOTIFY: "pipeline.notify:notify",
    Step.FORWARD: "pipeline.forward:forward",
    Step.STORE_NOTIFY: "pipeline.forward:notify_of_stored",
    Step.RELAY: "pipeline.relay:relay",
    Step.ALERT: "pipeline.alerting:post",
}
"""What speaks to the outside in between; it completes its jobs itself."""


@cache
def doing(step: str) -> Doing:
    return cast("Doing", _load(STEPS[step]))


@cache
def posting(step: str) -> Posting:
    return cast("Posting", _load(POSTS[step]))


def _load(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(f"mailgun_emulator.{module}"), name)
