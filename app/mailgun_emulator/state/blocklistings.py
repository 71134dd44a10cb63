"""What stands on which blocklist, and what stood there (facts/account.md, 11.6).

Deliveries ask whose mail is refused because of it: `outcome_rules.is_listed` tells whether there is anything to ask.
"""

from typing import Any, ClassVar, NamedTuple

from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import Conflict, NotFound
from mailgun_emulator.mail import blocklists
from mailgun_emulator.mail.blocklists import Blocklist
from mailgun_emulator.state.transaction import Tx


class NotListed(NotFound):
    """Only `/_emulator` lists and delists, so the words are our own."""

    message = "Nothing of that kind is listed; GET /_emulator/blocklists tells what is."


class AlreadyListed(Conflict):
    def __init__(self, subject: str, blocklist: Blocklist) -> None:
        super().__init__(f"{subject} is listed on {blocklist.host} already")


class Blocklisting(SQLModel, table=True):
    """`subject` is an IP or a domain; `comments` is a JSON list. It `rejects` mail while it lasts: until
    `delisted_at`, which is to be at `until`, if that is known. Times: seconds since 1970.
    """

    __tablename__: ClassVar[Any] = "blocklisting"
    id: str = Field(primary_key=True)
    account_id: str = Field(foreign_key="account.id", ondelete="CASCADE", index=True)
    subject: str
    blocklist: str
    comments: str = "[]"
    rejects: bool = True
    first_seen: float
    until: float | None = None
    delisted_at: float | None = None

    @property
    def of_ip(self) -> bool:
        return blocklists.is_ipv4(self.subject)

    @property
    def name(self) -> str:
        found = blocklists.find(self.blocklist, of_ips=self.of_ip)
        return found.name if found else self.blocklist


class ListingEvent(NamedTuple):
    """That something was listed or delisted."""

    event: str
    at: float
    listing: Blocklisting


def list_all(tx: Tx, subject: str = "", blocklist: str = "") -> list[Blocklisting]:
    """In the order they came, those that are past included; of this subject, and on this list, if that is named."""
    found = select(Blocklisting).where(Blocklisting.account_id == tx.account_id)
    if subject:
        found = found.where(Blocklisting.subject == subject)
    if blocklist:
        found = found.where(Blocklisting.blocklist == blocklist)
    return list(tx.session.exec(found.order_by(col(Blocklisting.first_seen), col(Blocklisting.id))))


def list_current(tx: Tx, subject: str = "", blocklist: str = "") -> list[Blocklisting]:
    return [each for each in list_all(tx, subject, blocklist) if each.delisted_at is None]


def find(tx: Tx, listing_id: str) -> Blocklisting | None:
    return tx.session.get(Blocklisting, listing_id)


def create(tx: Tx, subject: str, blocklist: Blocklist, **more: Any) -> Blocklisting:
    """`more` are other columns of the row."""
    if list_current(tx, subject, blocklist.host):
        raise AlreadyListed(subject, blocklist)
    return tx.add(
        Blocklisting(
            id=tx.ids.object_id(),
            account_id=tx.account_id,
            subject=subject,
            blocklist=blocklist.host,
            first_seen=tx.now,
            **more,
        )
    )


def list_events(tx: Tx, subjects: set[str]) -> list[ListingEvent]:
    """Of these subjects, the latest first."""
    found = []
    for listing in list_all(tx):
        if listing.subject in subjects:
            kind = "ip" if listing.of_ip else "domain"
            found.append(ListingEvent(f"{kind}_listed", listing.first_seen, listing))
            if listing.delisted_at is not None:
                found.append(ListingEvent(f"{kind}_delisted", listing.delisted_at, listing))
    return sorted(found, key=lambda each: each.at, reverse=True)
