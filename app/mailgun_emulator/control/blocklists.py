"""What stands on blocklists, which at Mailgun others decide."""

from typing import Annotated, Self

import orjson
from fastapi import APIRouter, Query
from pydantic import Field, model_validator

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import blocklists, hosts
from mailgun_emulator.pipeline import blocklisting
from mailgun_emulator.state import blocklistings
from mailgun_emulator.state.blocklistings import Blocklisting
from mailgun_emulator.web.deps import ChosenTx
from mailgun_emulator.web.happenings import Asked, Span
from mailgun_emulator.web.views import REFUSALS, Done, refusals

router = APIRouter(prefix="/_emulator/blocklists", tags=["Emulator"])


class UnknownBlocklist(BadRequest):
    def __init__(self, called: str, *, of_ips: bool) -> None:
        known = blocklists.OF_IPS if of_ips else blocklists.OF_DOMAINS
        kind = "IPs" if of_ips else "domains"
        possible = ", ".join(each.host for each in known)
        super().__init__(f"{called} is no blocklist of {kind}; possible are {possible}")


class BlocklistingForm(Asked):
    ip: str | None = Field(None, description="An IPv4 address that mail is sent by.")
    domain: str | None = Field(None, description="Or a domain that mail is from.")
    blocklist: str = Field(description="Its host or its name, as `sbl.spamhaus.org`.")
    comments: list[str] = Field(default=[], description="What the list says about it, mostly a URL.")
    rejects: bool = Field(
        True, description="Mail by this IP, or from this domain, is refused with 554 while it stands there."
    )
    lasts: Annotated[Span, Field(gt=0)] | None = Field(
        None, description="After so long it is taken off the list again."
    )

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if (self.ip is None) == (self.domain is None):
            raise ValueError("name ip or domain")
        if self.ip is not None and not blocklists.is_ipv4(self.ip):
            raise ValueError("ip is no IPv4 address")
        if self.domain is not None and not hosts.is_host(self.domain.lower()):
            raise ValueError("domain is no domain name")
        return self


class BlocklistingView(Asked):
    """Instants in seconds since 1970."""

    id: str
    ip: str | None = None
    domain: str | None = None
    blocklist: str
    name: str
    comments: list[str]
    rejects: bool
    first_seen: float
    until: float | None = None
    delisted_at: float | None = None


class BlocklistingList(Asked):
    items: list[BlocklistingView]


@router.get("", responses=REFUSALS, response_model_exclude_none=True)
async def list_blocklistings(tx: ChosenTx) -> BlocklistingList:
    """List what stands on blocklists and what stood there, in the order it came."""
    return BlocklistingList(items=[view(each) for each in blocklistings.list_all(tx)])


@router.post("", responses=refusals(400, 404, 409), response_model_exclude_none=True)
async def list_on_blocklist(tx: ChosenTx, asked: BlocklistingForm) -> BlocklistingView:
    """Put an IP or a domain on a blocklist; who watches it is told."""
    of_ips = asked.ip is not None
    subject = (asked.ip or asked.domain or "").lower()
    found = blocklists.find(asked.blocklist, of_ips=of_ips)
    if found is None:
        raise UnknownBlocklist(asked.blocklist, of_ips=of_ips)
    comments = orjson.dumps(asked.comments).decode()
    made = blocklisting.enlist(tx, subject, found, comments, rejects=asked.rejects, lasts=asked.lasts)
    return view(made)


@router.delete("", responses=REFUSALS)
async def delist_from_blocklists(
    tx: ChosenTx,
    ip: Annotated[str | None, Query(description="Only this IP.")] = None,
    domain: Annotated[str | None, Query(description="Only this domain.")] = None,
    blocklist: Annotated[str | None, Query(description="Only from this one, by its host or name.")] = None,
) -> Done:
    """Take all off its blocklists, or what is named; who watches it is told."""
    if ip is not None and domain is not None:
        raise BadRequest("name ip or domain, not both")
    if "" in (ip, domain, blocklist):
        raise BadRequest("ip, domain or blocklist is empty; leave out what you don't want to name")
    known = [blocklists.find(blocklist or "", of_ips=each) for each in (True, False)]
    host = next((each.host for each in known if each), blocklist or "")
    gone = blocklisting.delist(tx, (ip or domain or "").lower(), host)
    return Done(message=f"{len(gone)} delisted")


def view(listing: Blocklisting) -> BlocklistingView:
    kind = "ip" if listing.of_ip else "domain"
    told = listing.model_dump(exclude={"account_id", "subject", "comments"})
    return BlocklistingView(
        **told, **{kind: listing.subject}, name=listing.name, comments=orjson.loads(listing.comments)
    )
