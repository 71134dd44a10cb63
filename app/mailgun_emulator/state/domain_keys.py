"""DKIM keys (facts/account.md, 3)."""

from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail.dkim import KeyPair, KeyPairs
from mailgun_emulator.state.database import Tx
from mailgun_emulator.state.domains import Domain

MOST_KEYS = 3
AUTOMATIC_SELECTORS = ("pdk1", "pdk2")
DEFAULT_SELECTOR = "mx"


class KeyNotFound(NotFound):
    message = "domain key not found"


class DuplicateKey(BadRequest):
    message = "failed to create domain key: duplicate key"


class LastActiveKey(BadRequest):
    message = "cannot delete domain key: must have at least one active domain key"


class TooManyKeys(BadRequest):
    message = f"failed to create domain key: limit of {MOST_KEYS} keys per domain reached"


class DomainKey(SQLModel, table=True):
    """`public` is what the DNS record carries after `p=`; `valid` what the last look-up said of the record.

    `automatic` keys belong to automatic sender security and are published by CNAME.
    """

    __tablename__: ClassVar[Any] = "domain_key"
    __table_args__ = (UniqueConstraint("domain_id", "selector"),)
    id: int = Field(default=None, primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE")
    selector: str
    bits: int
    private_pem: str
    public: str
    active: bool = False
    valid: str = "unknown"
    automatic: bool = False
    created_at: float


def list_keys(tx: Tx, domain: Domain, *, automatic: bool | None = None) -> list[DomainKey]:
    found = select(DomainKey).where(DomainKey.domain_id == domain.id)
    if automatic is not None:
        found = found.where(col(DomainKey.automatic).is_(automatic))
    return list(tx.session.exec(found.order_by(col(DomainKey.id))))


def find(tx: Tx, domain: Domain, selector: str) -> DomainKey | None:
    found = select(DomainKey).where(DomainKey.domain_id == domain.id, DomainKey.selector == selector)
    return tx.session.exec(found).one_or_none()


def get(tx: Tx, domain: Domain, selector: str) -> DomainKey:
    key = find(tx, domain, selector)
    if key is None:
        raise KeyNotFound
    return key


def create(tx: Tx, domain: Domain, selector: str, pair: KeyPair, *, automatic: bool = False) -> DomainKey:
    if find(tx, domain, selector) is not None:
        raise DuplicateKey
    if not automatic and len(list_keys(tx, domain, automatic=False)) >= MOST_KEYS:
        raise TooManyKeys
    return tx.add(
        DomainKey(
            domain_id=domain.id,
            selector=selector,
            bits=pair.bits,
            private_pem=pair.private_pem,
            public=pair.public,
            automatic=automatic,
            created_at=tx.now,
        )
    )


def ensure(tx: Tx, domain: Domain, pairs: KeyPairs, *, selector: str = DEFAULT_SELECTOR) -> list[DomainKey]:
    """The keys in use: those of automatic sender security or the domain's own. Made when first asked for."""
    automatic = domain.use_automatic_sender_security
    found = list_keys(tx, domain, automatic=automatic)
    if not found:
        selectors = AUTOMATIC_SELECTORS if automatic else (selector,)
        bits = 2048 if automatic else domain.dkim_key_size
        found = [create(tx, domain, name, pairs.take(bits), automatic=automatic) for name in selectors]
        if domain.verified:
            for key in found:
                key.active, key.valid = True, "valid"
    return found


def delete(tx: Tx, domain: Domain, selector: str) -> None:
    key = get(tx, domain, selector)
    others = [other for other in list_keys(tx, domain) if other.active and other.selector != selector]
    if key.active and not others:
        raise LastActiveKey
    tx.session.delete(key)
