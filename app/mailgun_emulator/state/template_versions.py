"""Versions of templates, of which one is active (facts/sending.md, 2.1)."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import orjson
from sqlalchemy import bindparam
from sqlalchemy import select as select_columns
from sqlmodel import Field, SQLModel, UniqueConstraint, col, func, select

from mailgun_emulator.core.errors import BadRequest, Conflict, NotFound
from mailgun_emulator.state.statements import Query
from mailgun_emulator.state.templates import Template
from mailgun_emulator.state.transaction import Tx

MOST_VERSIONS = 40
MOST_BYTES = 100 * 1024
ENGINES = ("handlebars", "go")
HEADERS = {name.lower(): name for name in ("From", "Subject", "Reply-To")}


class VersionNotFound(NotFound):
    message = "template version not found"


class VersionExists(Conflict):
    def __init__(self, tag: str) -> None:
        super().__init__(f"version {tag} already exists")


class UnsupportedEngine(BadRequest):
    def __init__(self, engine: str) -> None:
        super().__init__(f"Invalid parameter: engine {engine} is not supported")


class InvalidHeaders(BadRequest):
    message = "Invalid parameter: headers is invalid"


class InvalidTag(BadRequest):
    message = "Invalid parameter: tag is invalid"


class TooManyVersions(BadRequest):
    """Its text is not known (facts/sending.md, 2.3)."""

    message = f"a template can have {MOST_VERSIONS} versions at most"


class TooLarge(BadRequest):
    """Its text is not known."""

    message = "template is larger than 100 KB"


class TemplateVersion(SQLModel, table=True):
    """`tag` is in lower case, `content` the template itself, `headers` a JSON object of those that it sets."""

    __tablename__: ClassVar[Any] = "template_version"
    __table_args__ = (UniqueConstraint("template_id", "tag"),)
    id: str = Field(primary_key=True)
    template_id: str = Field(foreign_key="template.id", ondelete="CASCADE")
    tag: str
    content: str
    engine: str
    comment: str = ""
    active: bool = False
    headers: str = "{}"
    created_at: float


class Content(NamedTuple):
    """What sending needs of a version."""

    tag: str
    content: str
    engine: str
    headers: str


_COLUMNS = [getattr(TemplateVersion, name) for name in Content._fields]
_OF_DOMAIN = (
    select_columns(*_COLUMNS)
    .join(Template, col(Template.id) == TemplateVersion.template_id)
    .where(col(Template.domain_id) == bindparam("domain_id"), col(Template.name) == bindparam("name"))
)
_ACTIVE = Query(_OF_DOMAIN.where(col(TemplateVersion.active).is_(True)), Content)
_TAGGED = Query(_OF_DOMAIN.where(col(TemplateVersion.tag) == bindparam("tag")), Content)


def find_content(tx: Tx, domain_id: str, name: str, tag: str) -> Content | None:
    """Of the version of that tag or, without one, of the active version."""
    about = {"domain_id": domain_id, "name": name.lower()}
    return _TAGGED.recall(tx, **about, tag=tag.lower()) if tag else _ACTIVE.recall(tx, **about)


def find(tx: Tx, template: Template, tag: str) -> TemplateVersion | None:
    own = select(TemplateVersion).where(TemplateVersion.template_id == template.id)
    return tx.session.exec(own.where(TemplateVersion.tag == tag.lower())).first()


def get(tx: Tx, template: Template, tag: str) -> TemplateVersion:
    found = find(tx, template, tag)
    if found is None:
        raise VersionNotFound
    return found


def find_active(tx: Tx, template: Template) -> TemplateVersion | None:
    own = select(TemplateVersion).where(TemplateVersion.template_id == template.id)
    return tx.session.exec(own.where(col(TemplateVersion.active).is_(True))).first()


def create(
    tx: Tx,
    template: Template,
    tag: str,
    content: str,
    *,
    engine: str = "",
    comment: str = "",
    headers: Mapping[str, str] | None = None,
    active: bool = False,
) -> TemplateVersion:
    """A template's first version is active whether asked to be or not; one that is made active takes the place of
    the one that was.
    """
    tag = _checked_tag(tag)
    if find(tx, template, tag) is not None:
        raise VersionExists(tag)
    count = _count(tx, template)
    if count >= MOST_VERSIONS:
        raise TooManyVersions
    engine = engine.lower() or ENGINES[0]
    if engine not in ENGINES:
        raise UnsupportedEngine(engine)
    version = tx.add(
        TemplateVersion(
            id=tx.ids.uuid(),
            template_id=template.id,
            tag=tag,
            content=_checked_content(content),
            engine=engine,
            comment=comment,
            headers=_header_text(headers or {}),
            created_at=tx.now,
        )
    )
    if active or count == 0:
        activate(tx, template, version)
    return version


def update(
    tx: Tx,
    version: TemplateVersion,
    *,
    content: str | None = None,
    comment: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> None:
    """What is None stays as it is."""
    if content is not None:
        version.content = _checked_content(content)
    if comment is not None:
        version.comment = comment
    if headers is not None:
        version.headers = _header_text(headers)


def copy(
    tx: Tx, template: Template, version: TemplateVersion, tag: str, comment: str | None
) -> TemplateVersion:
    """One that has that tag already is overwritten, and stays active if it is; a new one is not active."""
    tag = _checked_tag(tag)
    comment = version.comment if comment is None else comment
    target = find(tx, template, tag)
    if target is None:
        headers = orjson.loads(version.headers)
        return create(
            tx, template, tag, version.content, engine=version.engine, comment=comment, headers=headers
        )
    target.content, target.engine, target.headers = version.content, version.engine, version.headers
    target.comment, target.created_at = comment, tx.now
    return target


def activate(tx: Tx, template: Template, version: TemplateVersion) -> None:
    active = find_active(tx, template)
    if active is not None:
        active.active = False
    version.active = True


def list_page(
    tx: Tx, template: Template, pivot: str, limit: int, *, backwards: bool
) -> list[TemplateVersion]:
    """As `templates.list_page`, by tag."""
    own = select(TemplateVersion).where(TemplateVersion.template_id == template.id)
    pivot = pivot.lower()
    if pivot:
        own = own.where(col(TemplateVersion.tag) < pivot if backwards else col(TemplateVersion.tag) > pivot)
    order = col(TemplateVersion.tag).desc() if backwards else col(TemplateVersion.tag)
    return list(tx.session.exec(own.order_by(order).limit(limit)))


def delete(tx: Tx, version: TemplateVersion) -> None:
    """The template is left without an active version if it was that one."""
    tx.session.delete(version)


def _count(tx: Tx, template: Template) -> int:
    own = select(func.count()).select_from(TemplateVersion).where(TemplateVersion.template_id == template.id)
    return tx.session.exec(own).one()


def _checked_tag(tag: str) -> str:
    tag = tag.strip().lower()
    if not tag or "/" in tag or not tag.isprintable():
        raise InvalidTag
    return tag


def _checked_content(content: str) -> str:
    if len(content.encode()) > MOST_BYTES:
        raise TooLarge
    return content


def _header_text(headers: Mapping[str, str]) -> str:
    """From, Subject and Reply-To, in any case, and no others (facts/sending.md, 2.1)."""
    if not all(name.lower() in HEADERS and isinstance(value, str) for name, value in headers.items()):
        raise InvalidHeaders(hint=f"A template can set {', '.join(HEADERS.values())}, each to a text.")
    return orjson.dumps({HEADERS[name.lower()]: value for name, value in headers.items() if value}).decode()
