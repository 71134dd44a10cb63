"""Domains go over to other IPs in the background: what Mailgun answers `started` to (facts/account.md, 5 and 8)."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from mailgun_emulator.core.errors import MailgunError
from mailgun_emulator.state import account_ips, domain_ips, ip_pools, jobs
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.transaction import Tx


def start(tx: Tx, what: str, *about: Any) -> str:
    """One of those below, with its arguments; the id that the answer refers to it by."""
    jobs.schedule(tx, Step.MOVE_IPS, orjson.dumps([what, *about]).decode())
    return tx.ids.object_id()


def move(tx: Tx, job: DueJob) -> None:
    """It ends halfway where an IP or a pool isn't any more what it was when the move was asked for."""
    what, *about = orjson.loads(job.subject)
    with suppress(MailgunError):
        _MOVES[what](tx, *about)


def _add(tx: Tx, ip: str) -> None:
    """To all domains whose IPs are their own; the first dedicated one takes the place of the shared one."""
    account_ips.check_usable(tx, [ip])
    for domain in domain_ips.list_all(tx):
        if domain.pool_id is None:
            domain_ips.assign(tx, domain, [*domain_ips.assigned(domain), ip])


def _remove(tx: Tx, ip: str, instead: Sequence[str]) -> None:
    for domain in domain_ips.list_by_ip(tx, ip)[0]:
        if domain.pool_id is None:
            domain_ips.remove(tx, domain, ip, instead)


def _follow(tx: Tx, pool_id: str) -> None:
    """The pool has other IPs than before."""
    ips = ip_pools.list_ips(tx, pool_id)
    for domain in ip_pools.list_linked(tx, pool_id, everywhere=True):
        domain_ips.assign(tx, domain, ips, pool_id)


def _replace(tx: Tx, pool_id: str, ips: Sequence[str], successor_id: str | None) -> None:
    """The pool is gone. A subaccount is given the IP that it sends by instead."""
    for domain in ip_pools.list_linked(tx, pool_id, everywhere=True):
        if successor_id is None and domain.account_id != tx.account_id:
            account_ips.share(tx, ips, domain.account_id)
        domain_ips.assign(tx, domain, ips, successor_id)


def _link(tx: Tx, pool_id: str, domain_ids: Sequence[str]) -> None:
    found = ip_pools.replacement(tx, None, pool_id)
    for domain in _domains(tx, domain_ids):
        domain_ips.assign(tx, domain, *found)


def _unlink(tx: Tx, pool_id: str, domain_ids: Sequence[str]) -> None:
    for domain in _domains(tx, domain_ids):
        if domain.pool_id == pool_id:
            domain_ips.assign(tx, domain, [])


def _domains(tx: Tx, domain_ids: Sequence[str]) -> list[Domain]:
    wanted = set(domain_ids)
    return [domain for domain in domain_ips.list_all(tx) if domain.id in wanted]


def delegate(tx: Tx, pool_id: str, account_id: str) -> None:
    """What the subaccount sent by the pool it had before goes by this one."""
    ip_pools.get_own(tx, pool_id)
    ip_pools.check_subaccount(tx, account_id)
    before = ip_pools.delegate(tx, pool_id, account_id)
    if before is not None:
        ips = ip_pools.list_ips(tx, pool_id)
        for domain in _of_account(tx, before, account_id):
            domain_ips.assign(tx, domain, ips, pool_id)


def _revoke(tx: Tx, pool_id: str, account_id: str) -> None:
    if ip_pools.delegated_to(tx, account_id) == pool_id:
        ip_pools.revoke(tx, account_id)
        for domain in _of_account(tx, pool_id, account_id):
            domain_ips.assign(tx, domain, [])


def _of_account(tx: Tx, pool_id: str, account_id: str) -> list[Domain]:
    linked = ip_pools.list_linked(tx, pool_id, everywhere=True)
    return [domain for domain in linked if domain.account_id == account_id]


_MOVES: Mapping[str, Callable[..., None]] = {
    "add": _add,
    "remove": _remove,
    "follow": _follow,
    "replace": _replace,
    "link": _link,
    "unlink": _unlink,
    "delegate": delegate,
    "revoke": _revoke,
}
