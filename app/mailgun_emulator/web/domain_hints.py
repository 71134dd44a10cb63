"""Why an account has no domain of the name that a path has."""

from typing import TYPE_CHECKING, Any

from mailgun_emulator.state import domains, sending, subaccounts
from mailgun_emulator.web import hints
from mailgun_emulator.web.forms import header_values

if TYPE_CHECKING:
    from fastapi import Request

    from mailgun_emulator.core.errors import MailgunError
    from mailgun_emulator.state.transaction import Tx

REGIONS = {b"api.mailgun.net": "US", b"api.eu.mailgun.net": "EU"}
MOST_NAMED = 3


def add(request: "Request", error: "MailgunError") -> None:
    """The refusal's own hint, or a better one where it is the domain that is not there."""
    name = request.scope.get("path_params", {}).get("domain")
    account_id = request.scope.get("mailgun_account_id")
    text, unknown = error.hint, None
    if name and account_id and (text is None or text == no_such_domain(name)):
        with request.app.state.emulator.database.reading(account_id) as tx:
            unknown = about(tx, name)
        text = unknown or text
    if text:
        hints.hint(request, text)
    if unknown:
        _add_region(request)


def about(tx: "Tx", name: str) -> str | None:
    """None if the account has the domain."""
    own = domains.list_names(tx)
    if name.lower() in own or sending.find_parent(tx, name) is not None:
        return None
    text = no_such_domain(name).removesuffix(".")
    if near := near_name(name, own):
        return f"{text}; did you mean {near}?"
    if whose := _whose(tx, name):
        return f"{text}: {whose}"
    named = ", ".join(own[:MOST_NAMED])
    more = ", ..." if len(own) > MOST_NAMED else ""
    return f"{text}; it has {named}{more}" if own else f"{text}, nor any other"


def about_made(tx: "Tx", name: str) -> str | None:
    """What may be meant instead of one that a message makes."""
    alike = [other for other in domains.list_names(tx) if other.count(".") == name.count(".")]
    if near := near_name(name, alike):
        return f"did you mean {near}?"
    owner = sending.account_of(tx, name)
    return _whose(tx, name) if owner and subaccounts.is_live(tx, tx.account_id, owner) else None


def _whose(tx: "Tx", name: str) -> str | None:
    """The other account that has it."""
    owner = sending.account_of(tx, name)
    if owner is None or owner == tx.account_id:
        return None
    if subaccounts.is_live(tx, tx.account_id, owner):
        return f"it is a subaccount's, which the header `X-Mailgun-On-Behalf-Of: {owner}` speaks for"
    return "it is the parent account's" if owner == tx.parent_id else "it is another account's than the key"


def no_such_domain(name: str) -> str:
    """As `leniency` says it."""
    return f"The account has no domain {name}."


def near_name(name: str, own: list[str]) -> str | None:
    return hints.nearest(name.lower(), own, least=0.9)


def _add_region(request: "Request") -> None:
    host: Any = header_values(request.scope).get(b"host", b"").partition(b":")[0].lower()
    if host in REGIONS:
        others = [other for other in REGIONS if other != host]
        hints.hint(
            request,
            f"A domain is in one region: this request went to {host.decode()} ({REGIONS[host]}), "
            f"the other is {others[0].decode()} ({REGIONS[others[0]]})",
        )
