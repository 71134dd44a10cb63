"""Who logs in: by a domain's SMTP credentials, or as leniency has it."""

import logging
from typing import NamedTuple

from mailgun_emulator.pipeline import leniency
from mailgun_emulator.state import credentials, ip_allowlist, keys, sending
from mailgun_emulator.state.transaction import Tx

log = logging.getLogger(__name__)


class Sender(NamedTuple):
    """For which account a connection speaks, and from which of its domains."""

    account_id: str
    domain_name: str


def find_sender(tx: Tx, login: str, password: str, default_account_id: str) -> Sender | None:
    """Of several accounts that have the login, the oldest with that password."""
    login = login.strip().lower()
    known = credentials.list_by_login(tx, login)
    for each in known:
        if each.password == password:
            return Sender(each.account_id, each.domain_name)
    if known:
        log.info("SMTP: the login %s has another password", login)
        return None
    if not leniency.opens_default_account(tx):
        log.info("SMTP: no domain has the login %s", login)
        return None
    return _lenient(tx, login, password, default_account_id)


def is_welcome(tx: Tx, sender: Sender, client_ip: str) -> bool:
    """Whether the account's IP allowlist has that address, if it has any, and is heeded."""
    tx.account_id = sender.account_id
    if not tx.has_ip_allowlist or not leniency.heeds_ip_allowlist(tx) or ip_allowlist.allows(tx, client_ip):
        return True
    log.info("SMTP: the account's IP allowlist has no %s", client_ip)
    return False


def _lenient(tx: Tx, login: str, password: str, default_account_id: str) -> Sender | None:
    """An API key is a password of its account's domains; any other password of whoever has the domain."""
    domain_name = login.rpartition("@")[2] if "@" in login else tx.settings.domain[0]
    key = keys.find_by_secret(tx, password)
    if key is not None:
        may_send = keys.allows(key.role, "POST", f"/v3/{domain_name}/messages")
        is_of_domain = (key.domain_name or domain_name) == domain_name
        return Sender(key.account_id, domain_name) if may_send and is_of_domain else None
    if keys.is_known(tx, password):
        log.info("SMTP: this API key was deleted or disabled, or has expired")
        return None
    return Sender(sending.account_of(tx, domain_name) or default_account_id, domain_name)
