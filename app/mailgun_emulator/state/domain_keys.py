"""DKIM keys (facts/account.md, 3)."""

from typing import Any, ClassVar, NamedTuple

from sqlalchemy import UniqueConstraint, bindparam, exists, func
from sqlalchemy import select as select_columns
from sqlmodel import Field, SQLModel, col, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import hosts
from mailgun_emulator.mail.dkim import KeyPair
from mailgun_emulator.state import jobs
from mailgun_emulator.state.domains import Domain, DomainDetails, Finding
from mailgun_emulator.state.statements import Query, columns
from mailgun_emulator.state.transaction import Tx

MOST_KEYS = 3
MOST_MADE_AT_ONCE = 100
AUTOMATIC_SELECTORS = ("pdk1", "pdk2")
AUTOMATIC_BITS = 2048
DEFAULT_SELECTOR = "mx"


class KeyNotFound(NotFound):
    message = "domain key not found"


class DuplicateKey(BadRequest):
    message = "failed to create domain key: duplicate key"


class InvalidSelector(BadRequest):
    message = "Invalid parameter: selector must be a valid atom"


class LastActiveKey(BadRequest):
    message = "cannot delete domain key: must have at least one active domain key"


class TooManyKeys(BadRequest):
    message = f"failed to create domain key: limit of {MOST_KEYS} keys per domain reached"


class RecordInvalid(BadRequest):
    """29 characters, as many as the wire's text was seen to have (facts/account.md, 3.4)."""

    message = "domain key DNS record invalid"


class SelectorStays(BadRequest):
    message = "the selectors of automatic sender security can't be changed"


class DomainKey(SQLModel, table=True):
    """`public` is what the DNS record carries after `p=`; `checked` what the last look-up of it found, none if never.

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
    checked: str | None = None
    automatic: bool = False
    created_at: float


class PublishedKey(NamedTuple):
    """What its DNS record tells of a key; `host` is where the record is."""

    id: int
    domain_id: str
    selector: str
    public: str
    active: bool
    checked: str | None
    automatic: bool
    signing_domain: str
    host: str


class SigningKey(NamedTuple):
    """What signs, and where the public half is published."""

    domain_id: str
    selector: str
    host: str
    private_pem: str


_host: Any = func.coalesce(Domain.dkim_host, Domain.name)
_SIGNING = Query(
    select_columns(col(DomainKey.domain_id), col(DomainKey.selector), _host, col(DomainKey.private_pem))
    .join(Domain, col(Domain.id) == DomainKey.domain_id)
    .where(
        col(Domain.account_id) == bindparam("account_id"),
        _host == bindparam("host"),
        col(DomainKey.selector) == func.coalesce(bindparam("selector"), col(DomainKey.selector)),
    )
    .order_by(col(DomainKey.active).desc(), col(DomainKey.id)),
    SigningKey,
)
_PUBLISHED = select_columns(
    *columns(DomainKey, PublishedKey._fields[:-2]),
    col(Domain.name),
    func.coalesce(Domain.dkim_host, Domain.name),
).join(Domain, col(Domain.id) == DomainKey.domain_id)
_OF_DOMAIN = Query(
    _PUBLISHED.where(col(DomainKey.domain_id) == bindparam("domain_id")).order_by(col(DomainKey.id)),
    PublishedKey,
)


def list_keys(tx: Tx, domain: Domain, *, automatic: bool | None = None) -> list[DomainKey]:
    found = select(DomainKey).where(DomainKey.domain_id == domain.id)
    if automatic is not None:
        found = found.where(col(DomainKey.automatic).is_(automatic))
    return list(tx.session.exec(found.order_by(col(DomainKey.id))))


def list_published(tx: Tx, domain_id: str) -> list[PublishedKey]:
    """All of a domain, those not in use included."""
    return _OF_DOMAIN.list(tx, domain_id=domain_id)


def get_published(tx: Tx, key: DomainKey) -> PublishedKey:
    return next(each for each in list_published(tx, key.domain_id) if each.id == key.id)


def find_in_use(tx: Tx, details: DomainDetails) -> list[PublishedKey]:
    """Those that may sign for the domain, its authority's; none if they were not made yet."""
    automatic = details.signer_automatic
    return [key for key in list_published(tx, details.signer_id) if key.automatic == automatic]


def list_in_use(tx: Tx, details: DomainDetails) -> list[PublishedKey]:
    """As `find_in_use`; made when first asked for."""
    found = find_in_use(tx, details)
    if not found:
        ensure(tx, tx.session.get_one(Domain, details.signer_id))
        found = find_in_use(tx, details)
    return found


def find_signing(tx: Tx, record: str, domain_id: str) -> SigningKey | None:
    """The key of the account that is published there; of several that of the domain itself.

    If nothing is published at that host, a key is made: nobody had asked for one yet.
    """
    selector, _, host = record.partition("._domainkey.")
    found = _SIGNING.list(tx, account_id=tx.account_id, host=host, selector=selector)
    if not found and not _SIGNING.list(tx, account_id=tx.account_id, host=host, selector=None):
        found = _make_signing(tx, host)
    return next((key for key in found if key.domain_id == domain_id), found[0] if found else None)


def find_record(tx: Tx, name: str) -> str | None:
    """What the account has published there, as DNS would tell it."""
    selector, _, host = name.partition("._domainkey.")
    found = select(DomainKey.public).join(Domain, col(Domain.id) == DomainKey.domain_id)
    own = Domain.account_id == tx.account_id, host == _host, DomainKey.selector == selector
    public = tx.session.exec(found.where(*own)).first()
    return None if public is None else f"k=rsa; p={public}"


def _make_signing(tx: Tx, host: str) -> list[SigningKey]:
    domain = tx.session.exec(select(Domain).where(Domain.account_id == tx.account_id, host == _host)).first()
    if domain is not None:
        ensure(tx, domain)
    return _SIGNING.list(tx, account_id=tx.account_id, host=host, selector=None)


def list_of_account(
    tx: Tx,
    signing_domain: str | None,
    selector: str | None,
    pivot: int | None,
    *,
    backwards: bool,
    limit: int,
) -> list[PublishedKey]:
    """In the order they were made, those that come next after the key `pivot`, or `backwards` before it."""
    found = _PUBLISHED.where(col(Domain.account_id) == tx.account_id, col(Domain.deleted).is_(False))
    if signing_domain:
        found = found.where(col(Domain.name) == signing_domain.lower())
    if selector:
        found = found.where(col(DomainKey.selector) == selector)
    key_id = col(DomainKey.id)
    if pivot is not None:
        found = found.where(key_id < pivot if backwards else key_id > pivot)
    found = found.order_by(key_id.desc() if backwards else key_id).limit(limit)
    keys = [PublishedKey._make(row) for row in tx.session.execute(found)]
    return keys[::-1] if backwards else keys


def list_keyless(tx: Tx) -> list[Domain]:
    """Some domains that sign for themselves and have no key yet."""
    own = exists().where(col(DomainKey.domain_id) == Domain.id)
    found = select(Domain).where(
        Domain.account_id == tx.account_id,
        Domain.authority == Domain.name,
        col(Domain.deleted).is_(False),
        ~own,
    )
    return list(tx.session.exec(found.order_by(col(Domain.created_at)).limit(MOST_MADE_AT_ONCE)))


def find(tx: Tx, domain: Domain, selector: str) -> DomainKey | None:
    found = select(DomainKey).where(DomainKey.domain_id == domain.id, DomainKey.selector == selector)
    return tx.session.exec(found).one_or_none()


def get(tx: Tx, domain: Domain, selector: str) -> DomainKey:
    key = find(tx, domain, selector)
    if key is None:
        raise KeyNotFound
    return key


def create(tx: Tx, domain: Domain, selector: str, pair: KeyPair, *, automatic: bool = False) -> DomainKey:
    if not hosts.is_atom(selector):
        raise InvalidSelector
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


def ensure(tx: Tx, domain: Domain, *, selector: str = DEFAULT_SELECTOR) -> list[DomainKey]:
    """The keys in use: those of automatic sender security or the domain's own. Made when first asked for."""
    automatic = domain.use_automatic_sender_security
    found = list_keys(tx, domain, automatic=automatic)
    if not found:
        selectors = AUTOMATIC_SELECTORS if automatic else (selector,)
        bits = AUTOMATIC_BITS if automatic else domain.dkim_key_size
        found = [create(tx, domain, name, tx.key_pairs.take(bits), automatic=automatic) for name in selectors]
        if domain.verified:
            found[0].active = True
            for key in found:
                key.checked = Finding.FOUND
    return found


def activate(tx: Tx, domain: Domain, selector: str) -> None:
    """Only a key whose record was found; of those of automatic sender security one at a time."""
    key = get(tx, domain, selector)
    if key.checked != Finding.FOUND:
        raise RecordInvalid(hint=f"Its record counts once found: PUT /v4/domains/{domain.name}/verify.")
    if key.automatic:
        for other in list_keys(tx, domain, automatic=True):
            other.active = False
    key.active = True


def deactivate(tx: Tx, domain: Domain, selector: str) -> None:
    get(tx, domain, selector).active = False


def rename(tx: Tx, domain: Domain, selector: str) -> None:
    """The key that signs is published elsewhere from now on, where nobody has looked yet (facts/account.md, 3.5)."""
    if domain.use_automatic_sender_security:
        raise SelectorStays
    if not hosts.is_atom(selector):
        raise InvalidSelector
    keys = list_keys(tx, domain, automatic=False)
    key = next((key for key in keys if key.active), keys[0])
    if key.selector == selector:
        return
    if find(tx, domain, selector) is not None:
        raise DuplicateKey
    key.selector, key.active, key.checked = selector, False, None


def delete(tx: Tx, domain: Domain, selector: str) -> None:
    """The only key stays, and so does the only active one, and the two of automatic sender security."""
    key = get(tx, domain, selector)
    others = [other for other in list_keys(tx, domain) if other.selector != selector]
    in_use = key.automatic and domain.use_automatic_sender_security
    if in_use or not others or (key.active and not any(other.active for other in others)):
        raise LastActiveKey
    tx.session.delete(key)


def rotate(tx: Tx, domain: Domain, pair: KeyPair) -> None:
    """The key that rests is made anew and signs; the one that signed rests. Their records stay as they are."""
    signing, resting = sorted(list_keys(tx, domain, automatic=True), key=lambda key: not key.active)
    resting.private_pem, resting.public, resting.bits = pair.private_pem, pair.public, pair.bits
    resting.created_at = tx.now
    signing.active, resting.active = False, True
    _schedule_rotation(tx, domain)


def set_rotation(tx: Tx, domain: Domain, *, enabled: bool, interval: int) -> None:
    """`interval` in seconds, counted from now."""
    domain.rotation_enabled, domain.rotation_interval = enabled, interval
    _schedule_rotation(tx, domain)


def rotate_when_due(tx: Tx, job: jobs.DueJob) -> None:
    domain = tx.session.get(Domain, job.subject)
    if domain is None:
        return
    if domain.verified and domain.use_automatic_sender_security:
        rotate(tx, domain, tx.key_pairs.take(AUTOMATIC_BITS))
    else:
        _schedule_rotation(tx, domain)


def _schedule_rotation(tx: Tx, domain: Domain) -> None:
    jobs.cancel(tx, jobs.Step.ROTATE_KEYS, domain.id)
    if domain.rotation_enabled:
        after = domain.rotation_interval
        jobs.schedule(tx, jobs.Step.ROTATE_KEYS, domain.id, domain_id=domain.id, after=after)
