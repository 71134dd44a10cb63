"""The DNS records a domain is to have, and what a check of them finds (facts/account.md, 1.3 and 1.8).

The real DNS is never asked: what is found is what `/_emulator` says, and by default all is in order.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple

import orjson

from mailgun_emulator.core.errors import BadRequest, TooManyRequests
from mailgun_emulator.state import domain_keys, domains
from mailgun_emulator.state.domain_keys import DomainKey, PublishedKey
from mailgun_emulator.state.domains import Domain, DomainDetails, Finding
from mailgun_emulator.state.transaction import Tx

SPF_VALUE = "v=spf1 include:mailgun.org ~all"
MAIL_EXCHANGERS = ("mxa.mailgun.org", "mxb.mailgun.org")
PRIORITY = "10"
TRACKING_VALUE = "mailgun.org"
CHECKS_A_SECOND = 10
_ALL_EXCHANGERS = [f"{PRIORITY} {exchanger}" for exchanger in MAIL_EXCHANGERS]


class Kind(StrEnum):
    SPF = "spf"
    DKIM = "dkim"
    MX = "mx"
    CNAME = "cname"


_WRONG = {
    Kind.SPF: "v=spf1 -all",
    Kind.DKIM: "v=DKIM1; k=rsa; p=",
    Kind.MX: "10 mail.elsewhere.example",
    Kind.CNAME: "elsewhere.example",
}
"""What is found in place of a record that is wrong; for DKIM a revoked key (RFC 6376, 3.6.1)."""


class UnknownRecord(BadRequest):
    pass


class TooManyChecks(TooManyRequests):
    """`reset` in seconds since 1970, under the names that clients read (facts/account.md, 0.1 and 0.5)."""

    message = "Too many requests"

    def __init__(self, allowance: "Allowance") -> None:
        super().__init__()
        self._allowance = allowance

    def headers(self) -> dict[str, str]:
        return {**self._allowance.headers(), "X-RateLimit-Reset": f"{self._allowance.reset:.3f}"}


class DnsRecord(NamedTuple):
    """`cached` is what the last look-up found, `valid` whether that is `value`: `valid`, `invalid` or `unknown`."""

    is_active: bool
    cached: list[str]
    name: str | None
    priority: str | None
    record_type: str
    valid: str
    value: str


class DnsRecords(NamedTuple):
    dkim: list[DnsRecord]
    spf: DnsRecord
    cname: DnsRecord
    mx: list[DnsRecord]


class Allowance(NamedTuple):
    """How many checks may follow until `reset` (seconds since 1970)."""

    remaining: int
    reset: float

    def headers(self) -> dict[str, str]:
        return {
            "X-Request-Limit": str(CHECKS_A_SECOND),
            "X-Request-Remaining": str(self.remaining),
            "X-Request-Reset": str(round(self.reset * 1000)),
        }


def tracking_host(domain: Domain | DomainDetails) -> str:
    return f"{domain.web_prefix}.{domain.name}"


def spf_host(domain: Domain | DomainDetails) -> str:
    """Where the envelope sender's domain is."""
    return domain.mailfrom_host or domain.name


def of_domain(domain: DomainDetails, keys: list[PublishedKey]) -> DnsRecords:
    checked = orjson.loads(domain.checked)
    valid, cached = _outcome(checked.get(Kind.MX), _ALL_EXCHANGERS, Kind.MX)
    return DnsRecords(
        dkim=[of_key(key) for key in keys],
        spf=_record(Kind.SPF, checked.get(Kind.SPF), spf_host(domain), "TXT", SPF_VALUE),
        cname=_record(Kind.CNAME, checked.get(Kind.CNAME), tracking_host(domain), "CNAME", TRACKING_VALUE),
        mx=[DnsRecord(True, cached, None, PRIORITY, "MX", valid, exchanger) for exchanger in MAIL_EXCHANGERS],
    )


def of_key(key: PublishedKey) -> DnsRecord:
    """Automatic sender security publishes by CNAME, so that a key can be replaced unseen (facts/account.md, 1.3)."""
    name = f"{key.selector}._domainkey.{key.host}"
    active = bool(key.active)
    if not key.automatic:
        return _record(Kind.DKIM, key.checked, name, "TXT", f"k=rsa; p={key.public}", active)
    value = f"{key.selector}._domainkey.{key.domain_id[:6]}.dkim1.us.mgsend.org"
    return _record(Kind.CNAME, key.checked, name, "CNAME", value, active)


def _record(
    kind: Kind, finding: str | None, name: str, record_type: str, value: str, active: bool = True
) -> DnsRecord:
    valid, cached = _outcome(finding, [value], kind)
    return DnsRecord(active, cached, name, None, record_type, valid, value)


def _outcome(finding: str | None, expected: list[str], kind: Kind) -> tuple[str, list[str]]:
    match finding:
        case None:
            return "unknown", []
        case Finding.FOUND:
            return "valid", expected
        case Finding.WRONG:
            return "invalid", [_WRONG[kind]]
        case _:
            return "invalid", []


def get_zone(tx: Tx, domain: Domain) -> dict[str, Finding]:
    """What a check will find: of each kind, and of each record that is said to differ from its kind."""
    said = orjson.loads(domain.dns)
    return {**{kind.value: Finding(said.get(kind, Finding.FOUND)) for kind in Kind}, **said}


def put_zone(tx: Tx, domain: Domain, zone: Mapping[str, Finding]) -> None:
    """Replace it; what is not named is found. A record's own name goes before its kind."""
    details = domains.get_details(tx, domain.name)
    records = of_domain(details, domain_keys.list_in_use(tx, details))
    names = [record.name for record in (*records.dkim, records.spf, records.cname)]
    possible = [*Kind, *(name for name in names if name)]
    for name in zone:
        if name not in possible:
            raise UnknownRecord(f"{name} is no record of {domain.name}; possible are {', '.join(possible)}")
    domain.dns = orjson.dumps(zone).decode()


def allow_check(tx: Tx, domain: Domain) -> Allowance:
    """Count a check. Raise `TooManyChecks` for the eleventh in a second."""
    if not 0 <= tx.now - domain.verify_window < 1:
        domain.verify_window, domain.verify_count = tx.now, 0
    allowance = Allowance(CHECKS_A_SECOND - domain.verify_count - 1, domain.verify_window + 1)
    if allowance.remaining < 0:
        raise TooManyChecks(allowance._replace(remaining=0))
    domain.verify_count += 1
    return allowance


def check(tx: Tx, domain: Domain) -> None:
    """Look the records up. SPF and DKIM make a domain active, and it is active no longer when they are gone."""
    zone, before = orjson.loads(domain.dns), orjson.loads(domain.checked)
    hosts = {Kind.SPF: spf_host(domain), Kind.MX: domain.name, Kind.CNAME: tracking_host(domain)}
    looked_up = {kind.value: _look_up(zone, kind, host, before.get(kind)) for kind, host in hosts.items()}
    domain.checked = orjson.dumps({kind: finding for kind, finding in looked_up.items() if finding}).decode()
    signs = _check_keys(tx, domain, zone)
    domains.set_verified(domain, verified=signs and looked_up[Kind.SPF] == Finding.FOUND)


def _look_up(zone: Mapping[str, str], kind: Kind, name: str, before: str | None) -> str | None:
    """A record that was never seen and is not there is still unknown; one that was seen is invalid from now on."""
    finding = zone.get(name) or zone.get(kind) or Finding.FOUND
    return None if finding == Finding.MISSING and before is None else finding


def _check_keys(tx: Tx, domain: Domain, zone: Mapping[str, str]) -> bool:
    """Whether a key signs whose record is found. The first found begins to, if none does; then others rest."""
    signer = domains.signer_of(tx, domain)
    keys = domain_keys.ensure(tx, signer)
    zone = {**orjson.loads(signer.dns), **zone}
    host = signer.dkim_host or signer.name
    for key in keys:
        key.checked = _look_up(zone, Kind.DKIM, f"{key.selector}._domainkey.{host}", key.checked)
    found = [key for key in keys if key.checked == Finding.FOUND]
    if found and not any(key.active for key in keys):
        found[0].active = True
    if any(key.active for key in keys):
        _rest(tx, signer, keys)
    complete = not signer.use_automatic_sender_security or len(found) == len(keys)
    return complete and any(key.active for key in found)


def _rest(tx: Tx, signer: Domain, in_use: list[DomainKey]) -> None:
    """Keys from before automatic sender security was switched sign until the new ones do."""
    kept = {key.id for key in in_use}
    for key in domain_keys.list_keys(tx, signer):
        if key.id not in kept:
            key.active = False
