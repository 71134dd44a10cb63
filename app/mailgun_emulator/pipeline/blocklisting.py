"""Something gets onto a blocklist and off it again: those who watch it are told (facts/account.md, 10.3 and 11.6), and
its mail is refused meanwhile.
"""

from mailgun_emulator.mail.blocklists import Blocklist
from mailgun_emulator.pipeline import alerting
from mailgun_emulator.pipeline.outcomes import Outcome, reply
from mailgun_emulator.state import blocklistings, jobs, monitored_domains, monitored_ips
from mailgun_emulator.state.blocklistings import Blocklisting, NotListed
from mailgun_emulator.state.jobs import DueJob, Step
from mailgun_emulator.state.transaction import Tx


def enlist(
    tx: Tx, subject: str, blocklist: Blocklist, comments: str, *, rejects: bool, lasts: float | None
) -> Blocklisting:
    """`comments` is a JSON list; it ends by itself after so many seconds, if `lasts` says so."""
    until = None if lasts is None else tx.now + lasts
    listing = blocklistings.create(tx, subject, blocklist, comments=comments, rejects=rejects, until=until)
    if lasts is not None:
        jobs.schedule(tx, Step.DELIST, listing.id, after=lasts)
    _tell(tx, listing, "listed")
    return listing


def delist(tx: Tx, subject: str = "", blocklist: str = "") -> list[Blocklisting]:
    """All there is, or what is named; refuse to do nothing."""
    found = blocklistings.list_current(tx, subject, blocklist)
    if not found and (subject or blocklist):
        raise NotListed
    for each in found:
        _end(tx, each)
    return found


def delist_when_due(tx: Tx, job: DueJob) -> None:
    listing = blocklistings.find(tx, job.subject)
    if listing is not None and listing.delisted_at is None:
        _end(tx, listing)


def _end(tx: Tx, listing: Blocklisting) -> None:
    listing.delisted_at = tx.now
    _tell(tx, listing, "delisted")


def _tell(tx: Tx, listing: Blocklisting, what: str) -> None:
    """Only of what is watched."""
    if listing.of_ip:
        kind, watched = "ip", monitored_ips.find(tx, listing.subject) is not None
    else:
        found = monitored_domains.find(tx, listing.subject)
        kind = "domain"
        watched = found is not None and found.status != monitored_domains.Status.PENDING
    if watched:
        way = "added to" if what == "listed" else "removed from"
        message = f"{listing.subject} has been {way} {listing.name}"
        about = {kind: listing.subject, "blocklist": listing.blocklist, "message": message}
        alerting.tell(tx, f"{kind}_{what}", about)


def refusal_of(tx: Tx, ip: str, domain: str) -> Outcome | None:
    """What servers answer that ask a list on which the IP or the domain stands. It bounces softly."""
    for listing in blocklistings.list_current(tx):
        if listing.rejects and listing.subject in (ip, domain):
            what = f"client host [{ip}]" if listing.subject == ip else f"domain {domain}"
            return reply(554, text=f"5.7.1 Service unavailable; {what} blocked using {listing.blocklist}")
    return None
