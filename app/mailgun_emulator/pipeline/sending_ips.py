"""The IP that a message goes out by (facts/sending.md, 1.3 and 1.11), also if it is on warm-up (facts/account.md, 5.4).

Loaded for who has more than the shared one.
"""

from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.core.errors import Forbidden, NotFound
from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import account_ips, domains, enrolled_domains, ip_pools, ip_warmups
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.transaction import Tx

WARM_UP = "warm-up"
"""The option that holds the IPs to choose from when it is delivered, the preferred first."""


class ForeignSendingIp(Forbidden):
    def __init__(self, ip: str) -> None:
        super().__init__(f"Rejected: IP {ip} can't be used to send the message")


class ForeignSendingPool(Forbidden):
    def __init__(self, pool_id: str) -> None:
        super().__init__(f"Rejected: IP pool {pool_id} can't be used to send the message")


class Choice(NamedTuple):
    """`ips` are used in turn; `pool` is the id and the name of the pool they are of."""

    ips: list[str]
    pool: tuple[str, str] | None

    def take(self, tx: Tx, copy: Submission) -> Submission:
        chosen = {"sending-ip": self.ips[tx.row_ids.last("message") % len(self.ips)]}
        if self.pool is not None:
            chosen["sending-ip-pool"], chosen["sending-ip-pool-name"] = self.pool
        return replace(copy, options={**copy.options, **chosen})


def of(tx: Tx, domain: SendingDomain, submission: Submission) -> Choice:
    """The IP or the pool that the message asks for, which is to be the account's, or else those of the domain."""
    if domain.ips == domains.NO_IPS:
        raise NotFound(f"Domain not found: {domain.name}")
    own = orjson.loads(domain.ips)
    asked, pool_id = submission.options.get("sending-ip"), submission.options.get("sending-ip-pool")
    ips = own or [shared_ip(tx.account_id)]
    if pool_id:
        ips = own if pool_id == domain.pool_id else _ips_of(tx, pool_id)
        if not ips:
            raise ForeignSendingPool(pool_id)
    elif own and domain.pool_id and asked in (None, "", *own):
        pool_id = domain.pool_id
    if asked:
        if asked not in ips and (pool_id or asked not in account_ips.list_ips(tx, enabled=True)):
            raise ForeignSendingIp(asked)
        ips = [asked]
    name = ip_pools.name_of(tx, pool_id) if pool_id else ""
    return Choice(ips, (pool_id, name) if pool_id else None)


def _ips_of(tx: Tx, pool_id: str) -> list[str]:
    return ip_pools.list_ips(tx, pool_id) if ip_pools.find(tx, pool_id) is not None else []


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


def warm_up(tx: Tx, options: dict[str, Any]) -> None:
    """The first that may send one more now, and the shared one if none may; what one on warm-up sends is counted."""
    ips = options.pop(WARM_UP)
    warming = ip_warmups.list_usable(tx)
    free = (ip for ip in ips if ip not in warming or warming[ip].throttle)
    options["sending-ip"] = ip = next(free, shared_ip(tx.account_id))
    if ip in warming:
        ip_warmups.count(tx, warming[ip])
