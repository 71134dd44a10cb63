"""What was posted to a mailing list becomes a copy for each of its subscribed members (facts/sending.md, 9)."""

from collections.abc import Iterator
from dataclasses import replace

import orjson

from mailgun_emulator.mail import headers
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.pipeline import list_posts, templating
from mailgun_emulator.pipeline.accept import accept_copy
from mailgun_emulator.pipeline.deliver import Suppression, refuse
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import list_members, list_postings, mailing_lists, messages, sending
from mailgun_emulator.state.jobs import DueJob
from mailgun_emulator.state.list_members import Member
from mailgun_emulator.state.list_postings import Posting
from mailgun_emulator.state.mailing_lists import ListDetails
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

AT_ONCE = 50
"""Members in one job, so that nobody waits for a large list."""
FROM_TEMPLATE = 10
"""As `AT_ONCE`, if for each of them a template is rendered."""
REFUSED_CODE = 550


def expand(tx: Tx, job: DueJob) -> None:
    """The job's subject is the posting's row and the last member who has a copy already, if any has."""
    row, _, member = job.subject.partition(" ")
    posting = list_postings.find(tx, int(row))
    if posting is not None and not _go_on(tx, posting, member):
        list_postings.delete_posting(tx, posting)


def _go_on(tx: Tx, posting: Posting, member: str) -> bool:
    """Whether there may be more to do. Nothing is, once the list, the domain or the stored message is gone."""
    listed = mailing_lists.find_by_id(tx, posting.mailing_list_id)
    message = messages.find_sent(tx, posting.message)
    if listed is None or message is None:
        return False
    submission = list_posts.read(posting)
    if not member and _is_refused(tx, listed, submission, message):
        return False
    at_once = FROM_TEMPLATE if "template" in submission.options else AT_ONCE
    members = list_members.list_page(tx, listed, subscribed=True, after=member, limit=at_once)
    _accept_for(tx, listed, submission, message, members)
    if len(members) < at_once:
        return False
    list_postings.schedule(tx, posting.id, posting.domain_id, member=members[-1].address)
    return True


def _is_refused(tx: Tx, listed: ListDetails, submission: Submission, message: SentMessage) -> bool:
    """Mailgun's own words are not known. What the account itself sent was checked when it was accepted."""
    sender = orjson.loads(message.headers)["from"]
    why = list_posts.refusal_of(tx, listed, sender, authenticated=submission.authenticated)
    domain = sending.find(tx, message.domain_name)
    if why is None and domain is not None and domain.restrained and not submission.authenticated:
        from mailgun_emulator.pipeline import restraints  # few accounts have any

        why = restraints.refusal_of(tx, domain.name)
    if why is not None:
        refuse(tx, message, listed.spelled, Suppression("generic", REFUSED_CODE, why))
    return why is not None


def _accept_for(
    tx: Tx, listed: ListDetails, submission: Submission, message: SentMessage, members: list[Member]
) -> None:
    domain = sending.find(tx, message.domain_name)
    if domain is not None and members:
        if domain.restrained:
            from mailgun_emulator.pipeline import restraints  # few accounts have any

            restraints.use(tx, len(members))
        for copy, recipients in copies(listed, submission, members):
            accept_copy(tx, domain, copy, message.message_id, recipients)


def copies(
    listed: ListDetails, submission: Submission, members: list[Member]
) -> Iterator[tuple[Submission, list[Address]]]:
    """One each if it speaks to the members by name, else one for all; `To` is the list in either case."""
    copy = as_from_list(listed, submission)
    if not copy.is_personal:
        yield copy, [member.recipient for member in members]
        return
    for member in members:
        values = orjson.loads(member.vars)
        personal = replace(copy.for_one(member.recipient, values), to=copy.to)
        yield templating.with_member(personal, values), [member.recipient]


def as_from_list(listed: ListDetails, submission: Submission) -> Submission:
    """With the headers that a list adds; a `Reply-To` or `List-Id` of the sender's own stays."""
    own = {name.lower(): value for name, value in headers.read(submission.ready or b"")}
    own |= {name.lower(): value for name, value in submission.headers}
    added = [("List-Id", f"<{listed.header_id}>")]
    if listed.takes_replies:
        added.append(("Reply-To", listed.spelled))
    added = [(name, value) for name, value in added if name.lower() not in own]
    if not submission.authenticated:
        passed = [*list_posts.lists_passed(own), listed.address]
        added.append((list_posts.PASSED, " ".join(passed)))
    return replace(
        submission,
        headers=[*submission.headers, *added],
        options={**submission.options, "mailing-list": listed.for_events},
    )
