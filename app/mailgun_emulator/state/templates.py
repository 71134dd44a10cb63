"""Templates of a domain (facts/sending.md, 2). What they say is in their versions."""

from typing import Any, ClassVar

from sqlalchemy import tuple_
from sqlmodel import Field, SQLModel, UniqueConstraint, col, func, select

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.transaction import Tx

MOST_TEMPLATES = 100


class TemplateNotFound(NotFound):
    message = "template not found"


class DuplicateTemplate(BadRequest):
    """Its text is not known (facts/sending.md, 2.3)."""

    message = "duplicate template"


class InvalidName(BadRequest):
    message = "Invalid parameter: name is invalid"


class TooManyTemplates(BadRequest):
    """Its text is not known."""

    message = f"a domain can have {MOST_TEMPLATES} templates at most"


class Template(SQLModel, table=True):
    """`name` is in lower case."""

    __tablename__: ClassVar[Any] = "template"
    __table_args__ = (UniqueConstraint("domain_id", "name"),)
    id: str = Field(primary_key=True)
    domain_id: str = Field(foreign_key="domain.id", ondelete="CASCADE")
    name: str
    description: str = ""
    created_by: str = ""
    created_at: float


def find(tx: Tx, domain_id: str, name: str) -> Template | None:
    """Whatever the case of the name."""
    asked = select(Template).where(Template.domain_id == domain_id, Template.name == name.lower())
    return tx.session.exec(asked).first()


def get(tx: Tx, domain_id: str, name: str) -> Template:
    found = find(tx, domain_id, name)
    if found is None:
        raise TemplateNotFound
    return found


def create(tx: Tx, domain_id: str, name: str, description: str = "", created_by: str = "") -> Template:
    name = _checked(name)
    if find(tx, domain_id, name) is not None:
        raise DuplicateTemplate
    own = select(func.count()).select_from(Template).where(Template.domain_id == domain_id)
    if tx.session.exec(own).one() >= MOST_TEMPLATES:
        raise TooManyTemplates
    return tx.add(
        Template(
            id=tx.ids.uuid(),
            domain_id=domain_id,
            name=name,
            description=description,
            created_by=created_by,
            created_at=tx.now,
        )
    )


def _checked(name: str) -> str:
    """What no path could name is no name."""
    name = name.strip().lower()
    if not name or "/" in name or not name.isprintable():
        raise InvalidName
    return name


def list_page(tx: Tx, domain_id: str, pivot: str, limit: int, *, backwards: bool) -> list[Template]:
    """Some of those behind or, backwards, before the pivot, the nearest first; without one from either end."""
    own = select(Template).where(Template.domain_id == domain_id)
    pivot = pivot.lower()
    if pivot:
        own = own.where(col(Template.name) < pivot if backwards else col(Template.name) > pivot)
    order = col(Template.name).desc() if backwards else col(Template.name)
    return list(tx.session.exec(own.order_by(order).limit(limit)))


def list_of_account(tx: Tx, pivot: str, limit: int, *, backwards: bool) -> list[tuple[Template, str]]:
    """As `list_page`, those of all domains, each with its domain's name; a pivot is `name/domain`."""
    own = (
        select(Template, Domain.name)
        .join(Domain, col(Domain.id) == Template.domain_id)
        .where(Domain.account_id == tx.account_id, col(Domain.deleted).is_(False))
    )
    place = tuple_(col(Template.name), col(Domain.name))
    if pivot:
        name, _, domain = pivot.lower().partition("/")
        own = own.where(place < (name, domain) if backwards else place > (name, domain))
    order = [col(Template.name), col(Domain.name)]
    ordered = own.order_by(*([each.desc() for each in order] if backwards else order))
    return list(tx.session.exec(ordered.limit(limit)))


def delete(tx: Tx, template: Template) -> None:
    """Delete it with its versions."""
    tx.session.delete(template)


def delete_all(tx: Tx, domain_id: str) -> None:
    for template in tx.session.exec(select(Template).where(Template.domain_id == domain_id)).all():
        tx.session.delete(template)
