"""What comes with sending by IPs of one's own: warm-up and health checks (facts/account.md, 5.4 and 5.5)."""

from dataclasses import replace
from typing import Any

import orjson

from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import enrolled_domains, ip_warmups
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.transaction import Tx

WARM_UP = "warm-up"
"""The option that holds the IPs to choose from when it is delivered, the preferred first."""


def prepare(tx: Tx, domain: SendingDomain, submission: Submission, chosen: list[str]) -> Submission:
    """Of those `chosen` the ones on warm-up are preferred: they are to send as much as they may."""
    enrolled_domains.wake(tx, domain.id)
    if "testmode" in submission.options:
        return submission
    warming = ip_warmups.peek(tx)
    if warming.isdisjoint(chosen):
        return submission
    ips = dict.fromkeys([*chosen, *orjson.loads(domain.ips)])
    preferred = sorted(ips, key=lambda ip: (ip not in chosen, ip not in warming))
    return replace(submission, options={**submission.options, WARM_UP: preferred})


def choose(tx: Tx, options: dict[str, Any]) -> None:
    """The first that may send one more now, and the shared one if none may; what one on warm-up sends is counted."""
    ips = options.pop(WARM_UP)
    warming = ip_warmups.list_usable(tx)
    free = (ip for ip in ips if ip not in warming or warming[ip].throttle)
    options["sending-ip"] = ip = next(free, shared_ip(tx.account_id))
    if ip in warming:
        ip_warmups.count(tx, warming[ip])
