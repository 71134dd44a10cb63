"""Mail to a mailing list: who may post, and handing it over to be copied for the members (facts/sending.md, 9)."""

import logging
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from mailgun_emulator.mail import addresses, headers
from mailgun_emulator.mail.addresses import NotAnAddress
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import jobs, list_members, list_postings, routes
from mailgun_emulator.state.jobs import Step
from mailgun_emulator.state.mailing_lists import AccessLevel, ListDetails
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

if TYPE_CHECKING:
    from pydantic import TypeAdapter

PASSED = "X-BeenThere"
"""As other list servers call it."""

log = logging.getLogger(__name__)


def refusal_of(tx: Tx, listed: ListDetails, sender: str, *, authenticated: bool) -> str | None:
    """Why who stands in `From` may not post, if so; `authenticated` are those who send by the API or with a login."""
    match listed.access_level:
        case AccessLevel.READONLY if not authenticated:
            return f"Only authenticated senders may post to {listed.spelled}"
        case AccessLevel.MEMBERS if not _is_subscribed(tx, listed, sender):
            return f"Only subscribed members may post to {listed.spelled}"
        case _:
            return None


def _is_subscribed(tx: Tx, listed: ListDetails, sender: str) -> bool:
    try:
        authors = addresses.parse_list([sender])
    except NotAnAddress:
        return False
    members = (list_members.find(tx, listed, author.email) for author in authors)
    return any(member is not None and member.subscribed for member in members)


def post(tx: Tx, listed: ListDetails, submission: Submission, message: SentMessage) -> None:
    """`message` is the one to the list's address. Its copies are made when it is to be delivered: to the members of
    then, in the background, because there may be many. What the list sent itself, and came back by a member that is
    a list or forwards, is not posted again. The account's routes get what it sends to a list, too (8.3).
    """
    if not submission.authenticated and _came_by(listed, submission.ready or b""):
        log.info("%s came back to %s, and is not posted to it again", message.message_id, listed.spelled)
        return
    after = 0.0 if submission.deliver_at is None else max(submission.deliver_at - tx.now, 0.0)
    list_postings.add(
        tx,
        domain_id=message.domain_id,
        mailing_list_id=listed.id,
        message=message.id,
        submission=_adapter().dump_json((submission,)).decode(),
        after=after,
    )
    if (
        submission.authenticated
        and "testmode" not in submission.options
        and routes.may_match(tx, listed.address)
    ):
        subject = f"{message.id} {listed.spelled}"
        jobs.schedule(tx, Step.RECEIVE, subject, domain_id=message.domain_id, after=after)


def _came_by(listed: ListDetails, mime: bytes) -> bool:
    own = {name.lower(): value for name, value in headers.read(mime)}
    return own.get("list-id") == f"<{listed.header_id}>" or listed.address in lists_passed(own)


def lists_passed(own: Mapping[str, str]) -> list[str]:
    """The lists that a mail from outside came by, of its header fields by their names in lower case."""
    return own.get(PASSED.lower(), "").split()


def read(posting: list_postings.Posting) -> Submission:
    return _adapter().validate_json(posting.submission)[0]


@cache
def _adapter() -> "TypeAdapter[tuple[Submission]]":
    """In a tuple, because only so it can be told how to write bytes."""
    from pydantic import ConfigDict, TypeAdapter

    config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")
    return TypeAdapter(tuple[Submission], config=config)
