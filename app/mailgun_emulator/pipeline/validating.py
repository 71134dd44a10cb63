"""Validation of addresses, by what would become of mail to them (facts/account.md, 11.1).

What counts, in this order: the account's lists of bounces and complaints, its outcome rules that are about recipients
alone, what the address itself asks for, and that mail is delivered otherwise.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from mailgun_emulator.mail import validation
from mailgun_emulator.mail.validation import MALFORMED, Fate
from mailgun_emulator.pipeline import alerting, outcomes
from mailgun_emulator.pipeline.outcomes import Outcome, Security
from mailgun_emulator.state import outcome_rules, recipient_history, validation_jobs
from mailgun_emulator.state.jobs import DueJob
from mailgun_emulator.state.outcome_rules import Delivery, Rule
from mailgun_emulator.state.recipient_history import History
from mailgun_emulator.state.suppressions import Kind as Suppression
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.validation_jobs import Kind, ValidationJob

WORDS: Mapping[str, Fate] = {"catchall": Fate.CATCH_ALL, "disposable": Fate.DISPOSABLE}
"""What an address at a simulator domain can ask for besides `pipeline.outcomes.ADDRESSES`; mail to it is delivered."""
_ABOUT_RECIPIENTS = {"recipient", "recipient_domain"}


def validate(tx: Tx, address: str, *, look_up: bool = True) -> dict[str, Any]:
    """As the wire has it. Without `look_up` only what the account has seen itself counts."""
    read = validation.read(address)
    if read is None:
        return validation.told(address, MALFORMED, None, None)
    history = recipient_history.of(tx, address)
    fate = _seen(history) or (_looked_up(tx, address) if look_up else _remembered(history))
    engaged = validation.engagement(
        delivered=history.delivered,
        engaged=history.engaged,
        by_bots=history.by_bots,
        complained=history.complained,
    )
    return validation.told(address, validation.judge(read, fate), engaged, history.last_seen)


def _seen(history: History) -> Fate | None:
    if history.bounced:
        return Fate.NOBODY
    return Fate.COMPLAINT if history.complains else None


def _remembered(history: History) -> Fate:
    return Fate.UNKNOWN if history.last_seen is None else Fate.DELIVERED


def _looked_up(tx: Tx, address: str) -> Fate:
    asked = _asked_by_rule(tx, address)
    if asked is not None:
        return fate_of(asked)
    local, _, domain = address.lower().rpartition("@")
    if domain in outcomes.DOMAINS or domain in tx.settings.simulator_domain:
        word = WORDS.get(local.partition("-")[0])
        if word is not None:
            return word
    return fate_of(outcomes.outcome_for(address, Security(), tx.settings))


def _asked_by_rule(tx: Tx, address: str) -> Outcome | None:
    """Rules about other things than the recipient, and about some deliveries of many, tell nothing of an address."""
    if not outcome_rules.exist(tx):
        return None
    delivery = Delivery(address, "", (), (), "")
    for rule in outcome_rules.list_rules(tx):
        if _is_about_all(rule) and outcome_rules.fits(orjson.loads(rule.wanted), delivery):
            return outcomes.outcome_of(orjson.loads(rule.outcome), address, Security())
    return None


def _is_about_all(rule: Rule) -> bool:
    is_used_up = rule.times is not None and rule.hits >= rule.times
    return not is_used_up and orjson.loads(rule.wanted).keys() <= _ABOUT_RECIPIENTS


def fate_of(outcome: Outcome) -> Fate:
    if outcome.suppressed is not None:
        return {Suppression.BOUNCE: Fate.NOBODY, Suppression.COMPLAINT: Fate.COMPLAINT}.get(
            outcome.suppressed, Fate.DELIVERED
        )
    if outcome.code == outcomes.NO_MX:
        return Fate.NO_MX
    if outcome.temporary:
        return Fate.DEFERRED
    if not outcome.delivered:
        return Fate.NOBODY if outcome.hard else Fate.REFUSED
    following = {each.event for each in outcome.then}
    return (
        Fate.NOBODY
        if "failed" in following
        else Fate.COMPLAINT
        if "complained" in following
        else Fate.DELIVERED
    )


def validate_some(tx: Tx, due: DueJob) -> None:
    """One part of a list, then a job for the next, so that neither deliveries nor requests wait for a large one."""
    job_id, _, place = due.subject.partition(" ")
    number = int(place)
    job = validation_jobs.find_anybodys(tx, job_id)
    if job is None or job.status not in validation_jobs.UNFINISHED:
        return
    addresses = validation_jobs.find_addresses(tx, job_id, number)
    if addresses is None:
        validation_jobs.finish(tx, job)
        _tell(tx, job)
        return
    validation_jobs.add_results(tx, job, number, [validate(tx, address) for address in addresses])
    validation_jobs.go_on(tx, job_id, number + job.stride)


def _tell(tx: Tx, job: ValidationJob) -> None:
    is_preview = job.kind == Kind.PREVIEW
    about = {
        "list_id": job.name,
        "status": "preview_complete" if is_preview else job.status,
        "quantity": job.quantity,
        "records_processed": job.records_processed,
        "summary": orjson.loads(job.summary),
        "message": f"Validation {'preview' if is_preview else 'job'} {job.name} is done",
    }
    alerting.tell(tx, "validation_preview" if is_preview else "validation_job", about)
