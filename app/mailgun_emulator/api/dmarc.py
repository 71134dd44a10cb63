"""DMARC: what receivers report of the mail from watched domains (facts/account.md, 11.6, and Mailgun's documentation).

What is below a domain is not documented: each level tells of the next one in the same way.
"""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import addresses, dates
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.state import accounts, domains, monitored_domains, traffic
from mailgun_emulator.state.traffic import Traffic
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, form
from mailgun_emulator.web.views import REFUSALS

router = APIRouter(tags=["DMARC"])

SOURCE = "mailgun"
"""All that the account sends comes from there."""
DEFAULT_DAYS = 7


class NothingReported(NotFound):
    message = "not found"

    def __init__(self) -> None:
        super().__init__(hint="Nothing was delivered from there in those days; see /v1/dmarc/domains")


class RangeForm(Form):
    """Seconds since 1970; the last 7 days, if none are given. The one goes with the other."""

    from_: str = Field("", alias="from")
    to: str = ""


class ReferralForm(Form):
    email: str = ""


class DmarcRecord(BaseModel):
    """`entry` is what is to be in the DNS, `current` what is there."""

    entry: str
    current: str
    configured: bool


class DmarcSetup(BaseModel):
    InstanceID: str
    LastAccessed: str
    CreatedAt: str
    UpdatedAt: str


class Referral(BaseModel):
    referral_uri: str


class Verdicts(BaseModel):
    """How many messages passed and failed, were put into quarantine, were rejected."""

    model_config = ConfigDict(extra="allow")
    passed: int
    failed: int
    quarantined: int
    rejected: int
    total: int


class DmarcReport(BaseModel):
    """Besides it names what it is about, and lists the domains, sources, hosts or IPs below it."""

    model_config = ConfigDict(extra="allow")
    pfqr_chart: list[Verdicts]


@router.get("/v1/dmarc/records/{domain}", responses=REFUSALS)
async def get_dmarc_record(tx: CurrentTx, domain: str) -> DmarcRecord:
    """Tell the DMARC record that a domain is to have, and whether it has it."""
    own = domains.find(tx, domain)
    if own is None:
        monitored_domains.get(tx, domain)
    box = sha256(f"{tx.account_id}/{domain.lower()}".encode()).hexdigest()[:8]
    inbox = f"mailto:{box}@inbox.ondmarc.com"
    entry = f"v=DMARC1; p=none; pct=100; fo=1; ri=3600; rua={inbox}; ruf={inbox};"
    there = own is None or own.verified
    return DmarcRecord(entry=entry, current=entry if there else "", configured=there)


@router.get("/v1/dmarc/setup")
async def get_dmarc_setup(tx: CurrentTx) -> DmarcSetup:
    """Tell whether DMARC reports are set up for the account: they always are."""
    created = dates.rfc3339_s(accounts.get(tx, tx.account_id).created_at)
    instance = sha256(f"dmarc/{tx.account_id}".encode()).hexdigest()[:48]
    return DmarcSetup(
        InstanceID=instance, LastAccessed=dates.rfc3339_ms(tx.now), CreatedAt=created, UpdatedAt=created
    )


@router.post("/v1/dmarc/referral", include_in_schema=False)
@router.get("/v1/dmarc/referral", responses=REFUSALS)
async def get_dmarc_referral(tx: CurrentTx, asked: Annotated[ReferralForm, form(ReferralForm)]) -> Referral:
    """Tell the link by which the account is referred to the maker of the reports."""
    try:
        email = addresses.parse(asked.email).email if asked.email else ""
    except addresses.NotAnAddress:
        raise BadRequest("email is invalid") from None
    token = sha256(f"referral/{tx.account_id}/{email}".encode()).hexdigest()[:32]
    return Referral(referral_uri=f"https://redsift.com/partners/mailgun?token={token}")


@router.get("/v1/dmarc/domains", responses=REFUSALS)
async def list_dmarc_domains(tx: CurrentTx, asked: Annotated[RangeForm, form(RangeForm)]) -> DmarcReport:
    """Tell of all watched domains how many of their messages passed DMARC; figures of others' domains are made up."""
    names = {each.name for each in monitored_domains.list_watched(tx)}
    found = [each for each in sent(tx, asked) if each.domain in names]
    counts = {name: [each for each in found if each.domain == name] for name in sorted(names)}
    below = [{"domain": name, **verdicts(each)} for name, each in counts.items()]
    return DmarcReport(domains=below, pfqr_chart=chart(found))


@router.get("/v1/dmarc/domains/{domain}", responses=REFUSALS)
async def get_dmarc_of_domain(
    tx: CurrentTx, domain: str, asked: Annotated[RangeForm, form(RangeForm)]
) -> DmarcReport:
    """Tell which sources sent in a domain's name, and how much passed DMARC; figures of others' domains are made up."""
    found = of_domain(tx, domain, asked)
    return report({"domain": domain}, "sources", "source", found, lambda _: SOURCE)


@router.get("/v1/dmarc/domains/{domain}/s/{source}", responses=REFUSALS)
async def get_dmarc_of_source(
    tx: CurrentTx, domain: str, source: str, asked: Annotated[RangeForm, form(RangeForm)]
) -> DmarcReport:
    """Tell which hosts of a source sent in a domain's name; figures of others' domains are made up."""
    found = of_source(tx, domain, source, asked)
    return report({"domain": domain, "source": source}, "hosts", "host", found, host_of)


@router.get("/v1/dmarc/domains/{domain}/s/{source}/h/{host}", responses=REFUSALS)
async def get_dmarc_of_host(
    tx: CurrentTx, domain: str, source: str, host: str, asked: Annotated[RangeForm, form(RangeForm)]
) -> DmarcReport:
    """Tell by which IPs a host sent in a domain's name; figures of others' domains are made up."""
    found = there([each for each in of_source(tx, domain, source, asked) if host_of(each) == host])
    about = {"domain": domain, "source": source, "host": host}
    return report(about, "ips", "ip", found, lambda each: each.ip)


@router.get("/v1/dmarc/domains/{domain}/s/{source}/h/{host}/ip/{ip}", responses=REFUSALS)
async def get_dmarc_of_ip(
    tx: CurrentTx, domain: str, source: str, host: str, ip: str, asked: Annotated[RangeForm, form(RangeForm)]
) -> DmarcReport:
    """Tell what was sent by one IP in a domain's name, day by day; figures of others' domains are made up."""
    wanted = [
        each for each in of_source(tx, domain, source, asked) if host_of(each) == host and each.ip == ip
    ]
    about = {"domain": domain, "source": source, "host": host, "ip": ip}
    return report(about, "days", "date", there(wanted), lambda each: dates.day(each.day))


def sent(tx: Tx, asked: RangeForm) -> list[Traffic]:
    """What was delivered: of that receivers report."""
    end = seconds("to", asked.to, tx.now)
    start = seconds("from", asked.from_, max(end - (DEFAULT_DAYS - 1) * DAY, 0))
    if bool(asked.from_) != bool(asked.to):
        raise BadRequest("from and to must be given together")
    try:
        span = traffic.days(tx, start, end)
    except ValueError:
        raise BadRequest("from must be before to") from None
    return [each for each in traffic.list_all(tx, span) if each.numbers.delivered]


def seconds(name: str, text: str, otherwise: float) -> float:
    if text and not text.isdecimal():
        raise BadRequest(f"{name} must be a UNIX timestamp")
    return float(text) if text else otherwise


def of_domain(tx: Tx, domain: str, asked: RangeForm) -> list[Traffic]:
    name = monitored_domains.get_watched(tx, domain).name
    return [each for each in sent(tx, asked) if each.domain == name]


def of_source(tx: Tx, domain: str, source: str, asked: RangeForm) -> list[Traffic]:
    found = of_domain(tx, domain, asked)
    if source != SOURCE:
        raise NothingReported
    return found


def there(found: list[Traffic]) -> list[Traffic]:
    if not found:
        raise NothingReported
    return found


def host_of(found: Traffic) -> str:
    """As Mailgun calls its own: by the end of the IP."""
    return f"m{'-'.join(found.ip.split('.')[-2:])}.mailgun.net"


def report(
    about: dict[str, str], below: str, name: str, found: list[Traffic], key: Callable[[Traffic], str]
) -> DmarcReport:
    groups: dict[str, list[Traffic]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    told = [{name: group, **verdicts(each)} for group, each in sorted(groups.items())]
    return DmarcReport(**about, **verdicts(found), **{below: told}, pfqr_chart=chart(found))


def chart(found: list[Traffic]) -> list[Any]:
    """The same by the day."""
    days = sorted({each.day for each in found})
    return [{"timestamp": day, **verdicts([each for each in found if each.day == day])} for day in days]


def verdicts(found: Iterable[Traffic]) -> dict[str, int]:
    """The record has `p=none`, so what fails is taken all the same."""
    numbers = [(each.passes.dmarc, each.numbers.delivered) for each in found]
    passed = sum(number for passes, number in numbers if passes)
    failed = sum(number for passes, number in numbers if not passes)
    return {"passed": passed, "failed": failed, "quarantined": 0, "rejected": 0, "total": passed + failed}
