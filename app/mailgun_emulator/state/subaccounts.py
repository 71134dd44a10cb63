"""Subaccounts: accounts of an account (facts/account.md, 8)."""

from copy import copy
from typing import NamedTuple

import orjson
from sqlalchemy import bindparam
from sqlmodel import col, func, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.state import accounts, rows
from mailgun_emulator.state.accounts import Account, AccountStatus
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.keys import ApiKey
from mailgun_emulator.state.statements import Query
from mailgun_emulator.state.transaction import Tx

ALLOTMENT = 1000
"""How many that are open an account may have; Mailgun's own number depends on the contract."""


class SubaccountNotFound(NotFound):
    message = "Not Found"


class AlreadyDisabled(BadRequest):
    message = "subaccount is already disabled"


class AllotmentUsedUp(BadRequest):
    message = "Parent account has reached its allotted child limit"


class _Id(NamedTuple):
    id: str


_LIVE = Query(
    select(Account.id).where(
        col(Account.id) == bindparam("id"),
        col(Account.parent_id) == bindparam("parent_id"),
        col(Account.status) != AccountStatus.CLOSED.value,
    ),
    _Id,
)


def create(tx: Tx, name: str) -> Account:
    """With a key and a sandbox domain of its own. It goes by the clock of its parent until it is given another."""
    _check_allotment(tx)
    parent_id, clock = tx.account_id, copy(tx.own_clock)
    made = accounts.create(tx, name, parent_id=parent_id, domain_names=())
    if clock is not None:
        with tx.speaking_for(made.id):
            tx.set_clock(clock)
            accounts.keep_clock(tx, clock)
    return made


def _check_allotment(tx: Tx) -> None:
    """One more that is open is not too many."""
    own = select(func.count()).where(
        Account.parent_id == tx.account_id, Account.status == AccountStatus.OPEN.value
    )
    if tx.session.exec(own).one() >= ALLOTMENT:
        raise AllotmentUsedUp


def is_live(tx: Tx, parent_id: str, subaccount_id: str) -> bool:
    """Whether the account has such a subaccount, disabled or not."""
    return _LIVE.recall(tx, id=subaccount_id, parent_id=parent_id) is not None


def why_not(tx: Tx, subaccount_id: str) -> str:
    """What keeps the account from speaking for one of that id."""
    if subaccount_id == tx.account_id:
        return "X-Mailgun-On-Behalf-Of names the key's own account: leave it away"
    found = find(tx, subaccount_id)
    if found is not None:
        return f"The subaccount {found.name} was deleted"
    own = [f"{each.name} ({each.id})" for each in list_subaccounts(tx, limit=3)[0]]
    known = f"it has {', '.join(own)}" if own else "it has none"
    return f"X-Mailgun-On-Behalf-Of names no subaccount of the key's account; {known}"


def find(tx: Tx, subaccount_id: str) -> Account | None:
    """Also one that is closed."""
    found = tx.session.get(Account, subaccount_id)
    return found if found is not None and found.parent_id == tx.account_id else None


def get(tx: Tx, subaccount_id: str) -> Account:
    found = find(tx, subaccount_id)
    if found is None:
        raise SubaccountNotFound
    return found


def find_live(tx: Tx, subaccount_id: str) -> Account | None:
    found = find(tx, subaccount_id)
    return None if found is None or found.status == AccountStatus.CLOSED else found


def get_live(tx: Tx, subaccount_id: str) -> Account:
    """One that can still be changed."""
    found = get(tx, subaccount_id)
    if found.status == AccountStatus.CLOSED:
        raise SubaccountNotFound(hint="The subaccount was deleted")
    return found


def list_subaccounts(
    tx: Tx,
    *,
    statuses: frozenset[AccountStatus] = frozenset((AccountStatus.OPEN, AccountStatus.DISABLED)),
    name: str = "",
    sort: str | None = None,
    skip: int = 0,
    limit: int = 10,
) -> tuple[list[Account], int]:
    """One page and how many match in all: those in whose names `name` is found, in the order they were made in or,
    with `sort`, by name.
    """
    found = select(Account).where(
        Account.parent_id == tx.account_id, col(Account.status).in_(sorted(statuses))
    )
    if name:
        found = found.where(col(Account.name).contains(name, autoescape=True))
    total = tx.session.exec(select(func.count()).select_from(found.subquery())).one()
    order = col(Account.name).desc() if sort == "desc" else col(Account.name)
    found = found.order_by(*([order] if sort else []), col(Account.created_at), col(Account.id))
    return list(tx.session.exec(found.offset(skip).limit(limit))), total


def find_domain(tx: Tx, name: str) -> Domain | None:
    """Of the account or, if it has none of that name, of one of its subaccounts."""
    ids = list(accounts.names(tx))
    found = select(Domain).where(col(Domain.account_id).in_(ids), Domain.name == name.lower())
    own_first = sorted(tx.session.exec(found), key=lambda domain: ids.index(domain.account_id))
    return next(iter(own_first), None)


def disable(tx: Tx, subaccount_id: str, reason: str, note: str) -> Account:
    """It sends nothing from now on; all else goes on."""
    account = get_live(tx, subaccount_id)
    if account.status == AccountStatus.DISABLED:
        raise AlreadyDisabled
    account.status, account.updated_at = AccountStatus.DISABLED.value, tx.now
    account.disabled = orjson.dumps({"reason": reason, "note": note}).decode()
    return account


def enable(tx: Tx, subaccount_id: str) -> Account:
    account = get_live(tx, subaccount_id)
    if account.status != AccountStatus.OPEN:
        _check_allotment(tx)
        account.status, account.disabled, account.updated_at = AccountStatus.OPEN.value, None, tx.now
    return account


def close(tx: Tx, account: Account) -> None:
    """All that belongs to it goes, work not yet done included; of its keys it is remembered that they were there."""
    account.status, account.disabled, account.updated_at = AccountStatus.CLOSED.value, None, tx.now
    account.features, account.settings = "{}", "{}"
    account.message_limit = account.limit_lifted_at = account.clock_frozen_at = None
    account.clock_offset = 0.0
    tx.session.flush()
    known = rows.read(tx, ApiKey, {"account_id": account.id}, "created_at")
    rows.empty_account(tx, account.id)
    for key in known:
        rows.insert(tx, ApiKey, {**key, "deleted": True})
    tx.forget_clock(account.id)
    tx.read_marks()
