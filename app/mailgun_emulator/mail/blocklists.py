"""The blocklists that Mailgun looks IPs and domains up in (facts/account.md, 11.6 and Mailgun's documentation)."""

from ipaddress import ip_address
from typing import NamedTuple


class Blocklist(NamedTuple):
    """`host` is the zone it is asked by."""

    host: str
    name: str


OF_IPS = (
    Blocklist("b.barracudacentral.org", "Barracuda"),
    Blocklist("bl.score.senderscore.com", "Senderscore BL"),
    Blocklist("bl.spamcop.net", "SpamCop"),
    Blocklist("cbl.abuseat.org", "CBL"),
    Blocklist("pbl.spamhaus.org", "Spamhaus PBL"),
    Blocklist("sbl.spamhaus.org", "Spamhaus SBL"),
    Blocklist("xbl.spamhaus.org", "Spamhaus XBL"),
)
OF_DOMAINS = (
    Blocklist("dbl.spamhaus.org", "Spamhaus DBL"),
    Blocklist("multi.surbl.org", "SURBL"),
    Blocklist("multi.uribl.com", "URIBL"),
)


def find(called: str, *, of_ips: bool) -> Blocklist | None:
    """By host or name, in any case."""
    known = OF_IPS if of_ips else OF_DOMAINS
    return next((each for each in known if called.lower() in (each.host, each.name.lower())), None)


def is_ipv4(text: str) -> bool:
    try:
        return ip_address(text).version == 4
    except ValueError:
        return False
