"""Runs an inbox placement test: sends a message to the seeds of a list (facts/account.md, 11.4)."""

from dataclasses import dataclass, field, replace

from mailgun_emulator.core.errors import BadRequest, MailgunError
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.mail.seeds import Seed
from mailgun_emulator.pipeline import leniency, placement, usage_limits
from mailgun_emulator.pipeline.accept import accept
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import features, seed_lists, seed_tests
from mailgun_emulator.state.features import Feature
from mailgun_emulator.state.seed_lists import SeedList
from mailgun_emulator.state.seed_tests import SeedTest
from mailgun_emulator.state.transaction import Tx

_TARGET = {"first_name": "Inbox", "last_name": "Placement"}
"""What the placeholders are filled with that are filled for each seed."""


class ForeignSendingDomain(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not a sending domain of the seed list")


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A test to run. `seed_list` names one, else the account's own is taken; its seeds can be narrowed down."""

    submission: Submission
    domain_name: str
    seed_list: str = ""
    providers: list[str] = field(default_factory=list)
    each: int = 0


def run(tx: Tx, asked: Asked) -> SeedTest | MailgunError:
    """Send it to the target and the seeds as any message; or why that is refused, which is to be remembered."""
    features.check(tx, Feature.INBOX_PLACEMENT)
    usage_limits.check(tx, placement.LIMIT)
    domain = leniency.sending_domain(tx, asked.domain_name)
    seed_list = seed_lists.get(tx, asked.seed_list) if asked.seed_list else seed_lists.automatic(tx)
    if not placement.is_sent_from(seed_list, domain.name):
        raise ForeignSendingDomain(domain.name)
    chosen = _narrowed(seed_list, asked)
    message_id = tx.ids.message_id(domain.name, tx.now)
    names = {seed.email: {"first_name": seed.first_name, "last_name": seed.last_name} for seed in chosen}
    submission = replace(
        asked.submission,
        to=[Address("", seed_list.target_email), *(Address("", seed.email) for seed in chosen)],
        recipient_variables={seed_list.target_email: _TARGET, **names},
        message_id=message_id,
    )
    test = seed_tests.create(
        tx,
        seed_list,
        domain_name=domain.name,
        message_id=message_id,
        sender=submission.sender,
        subject=submission.subject,
        seeds=chosen,
    )
    refused = accept(tx, domain, submission)
    if isinstance(refused, MailgunError):
        seed_tests.withdraw(tx, test)
        return refused
    placement.begin(tx, test)
    return test


def _narrowed(seed_list: SeedList, asked: Asked) -> list[Seed]:
    kept: list[Seed] = []
    for seed in seed_list.members:
        is_full = bool(asked.each) and sum(seed.provider == each.provider for each in kept) >= asked.each
        if not is_full and (not asked.providers or seed.provider in asked.providers):
            kept.append(seed)
    if not kept:
        raise seed_lists.NoSeeds
    return kept
