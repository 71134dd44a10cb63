"""Inbox placement: in which folder of each seed a message ends up (facts/account.md, 11.4)."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import orjson

from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.mail import placement
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.mail.placement import Authentication, Judgement
from mailgun_emulator.mail.seeds import MOST_LAG, Seed
from mailgun_emulator.pipeline import usage_limits
from mailgun_emulator.state import (
    dns_records,
    domains,
    features,
    jobs,
    messages,
    seed_lists,
    seed_tests,
    usage,
)
from mailgun_emulator.state.domains import Finding
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.features import Feature
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.seed_lists import SeedList
from mailgun_emulator.state.seed_tests import Happening, SeedTest
from mailgun_emulator.state.transaction import Tx

LIMIT = "seed_test_count"
METRIC = "seed_test"
SETTLED_AFTER = MOST_LAG + 90.0
GIVEN_UP_AFTER = DAY
"""Seconds from the start of a test, after which a seed that has nothing yet is missing it."""
PENDING, DELIVERED, MISSING = "pending", "delivered", "missing"
INBOX, SPAM = "inbox", "spam"


class Outcome(NamedTuple):
    """What became of one seed's copy. `delivered_at` in seconds since 1970, 0 if it never was."""

    email: str
    state: str
    destination: str = ""
    delivered_at: float = 0.0
    ip: str = ""
    tags: tuple[str, ...] = ()
    headers: Mapping[str, str] = {}

    @property
    def provider(self) -> str:
        return self.email.rpartition("@")[2]

    @property
    def received_at(self) -> float:
        return self.delivered_at + Seed(self.email, "", "").lag if self.delivered_at else 0.0


def begin_if_asked_for(tx: Tx, message: SentMessage, recipient: str) -> None:
    """What reaches the target of a seed list is a test, whoever else it was sent to."""
    seed_list = seed_lists.find(tx, recipient)
    if seed_list is None or not is_sent_from(seed_list, message.domain_name):
        return
    if seed_tests.find_of_message(tx, message.message_id) is not None or not _is_allowed(tx):
        return
    told = orjson.loads(message.headers)
    test = seed_tests.create(
        tx,
        seed_list,
        domain_name=message.domain_name,
        message_id=message.message_id,
        sender=told.get("from", ""),
        subject=told.get("subject", ""),
        seeds=seed_list.members,
    )
    begin(tx, test)


def _is_allowed(tx: Tx) -> bool:
    """The message goes out in any case."""
    try:
        features.check(tx, Feature.INBOX_PLACEMENT)
        usage_limits.check(tx, LIMIT)
    except MailgunError:
        return False
    return True


def is_sent_from(seed_list: SeedList, name: str) -> bool:
    own = orjson.loads(seed_list.sending_domains)
    return not own or name in own


def begin(tx: Tx, test: SeedTest) -> None:
    """It was sent: judge what, and look later where it is."""
    usage.count(tx, METRIC, 1)
    _judge(tx, test, seed_tests.happenings(tx, test.message_id))
    jobs.schedule(tx, Step.PLACE, test.result_id, after=SETTLED_AFTER)


def _judge(tx: Tx, test: SeedTest, happened: Iterable[Happening]) -> None:
    """What was sent, as the first copy that is still stored shows it, and what its domain's DNS says today."""
    accepted = next((each for each in happened if each.type == EventType.ACCEPTED), None)
    domain = domains.find(tx, test.domain_name)
    if accepted is None or domain is None:
        return
    try:
        kept = messages.get_stored(tx, domain.id, orjson.loads(accepted.payload)["storage"]["key"])
    except messages.MessageNotFound:
        return
    judged = placement.judge(kept.mime, authentication_of(tx, domain))
    test.content = orjson.dumps(judged._asdict()).decode()


def authentication_of(tx: Tx, domain: domains.Domain) -> Authentication:
    """By the records that a check of the domain would find."""
    zone = dns_records.get_zone(tx, domain)
    spf = zone.get(dns_records.spf_host(domain), zone[dns_records.Kind.SPF])
    signer = domains.signer_of(tx, domain)
    dkim = dns_records.get_zone(tx, signer)[dns_records.Kind.DKIM]
    return Authentication(_RESULT[spf], _RESULT[dkim])


_RESULT = {Finding.FOUND: "pass", Finding.WRONG: "fail", Finding.MISSING: "none"}


def content_of(test: SeedTest) -> Judgement:
    """Nothing is held against what was never stored."""
    return Judgement(**orjson.loads(test.content or "{}"))


def is_spoofing(test: SeedTest) -> bool:
    """Whether the author's domain is another than the sending one, neither above nor below it."""
    name = test.sender.rpartition("@")[2].rstrip("> ").lower()
    return not f".{name}".endswith(f".{test.domain_name}") and not test.domain_name.endswith(f".{name}")


def settle(tx: Tx, job: DueJob) -> None:
    """Keep what came of a test. What is being tried again is waited for, ever longer."""
    test = seed_tests.find(tx, job.subject)
    if test is None or test.results:
        return
    found = outcomes(tx, test)
    age = tx.now - test.created_at
    if age < GIVEN_UP_AFTER and any(outcome.state == PENDING for outcome in found):
        after = min(max(age, SETTLED_AFTER), GIVEN_UP_AFTER - age)
        jobs.schedule(tx, Step.PLACE, test.result_id, after=after)
        return
    test.results = orjson.dumps([outcome._asdict() for outcome in found]).decode()
    test.updated_at = updated_at(test, found)


def outcomes(tx: Tx, test: SeedTest) -> list[Outcome]:
    """Of each seed that it was sent to, as things stand now."""
    if test.results:
        return [Outcome(**{**each, "tags": tuple(each["tags"])}) for each in orjson.loads(test.results)]
    happened: dict[str, list[Happening]] = {}
    for each in seed_tests.happenings(tx, test.message_id):
        happened.setdefault(each.recipient, []).append(each)
    score = content_of(test).score
    is_over = tx.now - test.created_at >= GIVEN_UP_AFTER
    found = (
        _outcome(tx, seed, happened[seed.email], score) for seed in test.members if seed.email in happened
    )
    return [each._replace(state=MISSING) if is_over and each.state == PENDING else each for each in found]


def _outcome(tx: Tx, seed: Seed, happened: list[Happening], score: float) -> Outcome:
    for each in happened:
        told = orjson.loads(each.payload)
        if each.type == EventType.DELIVERED and each.at + seed.lag <= tx.now:
            return Outcome(
                email=seed.email,
                state=DELIVERED,
                destination=SPAM if placement.is_spam_at(seed.provider, score) else INBOX,
                delivered_at=each.at,
                ip=told["envelope"].get("sending-ip", ""),
                tags=tuple(told["tags"] or ()),
                headers=told["message"]["headers"],
            )
        if each.type == EventType.FAILED and told["severity"] == "permanent":
            return Outcome(seed.email, MISSING)
    return Outcome(seed.email, PENDING)


def updated_at(test: SeedTest, found: list[Outcome]) -> float:
    return max([test.created_at, *(each.received_at for each in found)])
