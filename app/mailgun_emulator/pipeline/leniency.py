"""Where the emulator is kinder than Mailgun unless it is `strict`: each leniency one function, all of them here."""

import logging
from collections.abc import Iterable

from mailgun_emulator.core.errors import BadRequest, Forbidden, MailgunError, NotFound, Unauthorized
from mailgun_emulator.mail import addresses
from mailgun_emulator.state import domains, sending
from mailgun_emulator.state.domains import State
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.transaction import Tx

log = logging.getLogger(__name__)


class UnknownDomain(NotFound):
    """As the Go services word it (facts/account.md, 0.5)."""

    message = "domain not found"


class UnverifiedDomain(BadRequest):
    message = (
        "Domain {name} is not allowed to send: The domain is unverified and requires DNS configuration. "
        "Log in to your control panel to view required DNS records."
    )


class DisabledDomain(Forbidden):
    message = "Domain {name} is not allowed to send: domain disabled"


class TooFarAhead(BadRequest):
    def __init__(self, seconds: int) -> None:
        super().__init__(
            f"o:deliverytime is too far ahead: delivery can wait for {seconds // 3600} hours at most"
        )


class SandboxRestricted(Forbidden):
    """`reason` is what the `rejected` event tells (facts/sending.md, 1.7 and 3.2)."""

    reason = (
        "Sandbox subdomains are for test purposes only. Please add your own domain "
        "or add the address to authorized recipients in Account Settings."
    )

    def __init__(self, name: str) -> None:
        super().__init__(f"Domain {name} is not allowed to send: {self.reason}")


def opens_default_account(tx: Tx) -> bool:
    """Any key opens the default account."""
    return not tx.settings.strict


def heeds_ip_allowlist(tx: Tx) -> bool:
    """An account is of use from everywhere, whatever its IP allowlist says."""
    return tx.settings.strict


def limits_calls(tx: Tx) -> bool:
    """Calls are counted but not limited: a test suite is faster than any of Mailgun's customers."""
    return tx.settings.strict


def refusal_of_unknown_domain(tx: Tx) -> MailgunError:
    """A path that begins with a domain which is not the account's says so.

    On today's wire it is refused like a wrong key (facts/sending.md, 1.7).
    """
    return Unauthorized() if tx.settings.strict else UnknownDomain()


def sending_domain(tx: Tx, name: str) -> SendingDomain:
    """A message makes the domain it is sent from, if there is none; one that was deleted stays deleted.

    An unknown domain is refused with 401 (facts/sending.md, 1.7), unless it is below a wildcard domain; so is what no
    address can have for a domain.
    """
    return find_sending_domain(tx, name) or make_sending_domain(tx, name)


def find_sending_domain(tx: Tx, name: str) -> SendingDomain | None:
    return sending.find(tx, name) or sending.find_parent(tx, name)


def make_sending_domain(tx: Tx, name: str) -> SendingDomain:
    """The account has none of that name, and none above it that sends for it."""
    if tx.settings.strict:
        raise Unauthorized(hint=f"The account has no domain {name}.")
    if not addresses.is_domain(name):
        raise Unauthorized(hint=f"{name!r} is no domain name.")
    if domains.was_deleted(tx, name):
        raise Unauthorized(hint=f"The domain {name} was deleted; create it again to send from it.")
    domain = domains.create(tx, name, state=State.ACTIVE, verified=True, automatic=True)
    if sending.has_own_ips(tx):
        from mailgun_emulator.state import domain_ips  # few accounts have any

        domain_ips.assign_at_creation(tx, domain)
    log.info("Made the domain %s for the first message from it; --strict refuses such", name)
    made = sending.find(tx, name)
    if made is None:
        raise Unauthorized
    return made


def check_may_send(tx: Tx, domain: SendingDomain) -> None:
    """Domains that are unverified or disabled send all the same."""
    if domain.state == State.ACTIVE:
        return
    if not tx.settings.strict:
        log.info("%s is %s and sends all the same; --strict refuses such", domain.name, domain.state)
    elif domain.state == State.UNVERIFIED:
        raise UnverifiedDomain(UnverifiedDomain.message.format(name=domain.name))
    else:
        raise DisabledDomain(DisabledDomain.message.format(name=domain.name))


def check_delivery_time(tx: Tx, domain: SendingDomain, at: float) -> None:
    """Messages wait for as long as they are asked to; Mailgun's own words are not known (facts/sending.md, 1.5)."""
    if at <= tx.now + domain.stored_seconds:
        return
    if tx.settings.strict:
        raise TooFarAhead(domain.stored_seconds)
    log.info("A message waits for more than %s hours; --strict refuses such", domain.stored_seconds // 3600)


def sandbox_refusal(tx: Tx, domain: SendingDomain, recipients: Iterable[str]) -> SandboxRestricted | None:
    """A sandbox domain sends to anybody."""
    if domain.type != "sandbox" or not tx.settings.strict:
        return None
    from mailgun_emulator.state import sandbox_recipients

    allowed = sandbox_recipients.list_authorized(tx)
    return None if all(each.lower() in allowed for each in recipients) else SandboxRestricted(domain.name)
