"""Templates: stored, with versions, to send messages made from them (facts/sending.md, 2)."""

from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, BeforeValidator, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.state import template_versions, templates
from mailgun_emulator.state.template_versions import TemplateVersion
from mailgun_emulator.state.templates import Template
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import CurrentTx, KnownDomain
from mailgun_emulator.web.forms import CurrentFields, Fields, Flag, Form, as_flag, form
from mailgun_emulator.web.paging import KeysetRequest, Paging, in_order, keyset, link
from mailgun_emulator.web.views import REFUSALS, Done, only_if_set, refusals

router = APIRouter(prefix="/v3/{domain}/templates", tags=["Templates"])

MOST_ON_PAGE = 100
FIRST_TAG = "initial"
GONE = refusals(404)


class NothingToUpdate(BadRequest):
    message = "No fields are provided to update"


class MissingParameter(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"Missing mandatory parameter: {name}")


def read_headers(value: Any) -> Any:
    """JSON text, in a body that is JSON perhaps an object; empty text is none."""
    try:
        return orjson.loads(value or "{}") if isinstance(value, str) else value
    except orjson.JSONDecodeError:
        raise ValueError("is no JSON") from None


Headers = Annotated[dict[str, str] | None, BeforeValidator(read_headers)]


class VersionForm(Form):
    """`headers` is a JSON object with `From`, `Subject` and `Reply-To`, or some of them."""

    template: str | None = Field(None, description="What the version says: Handlebars, up to 100 KB.")
    tag: str = ""
    comment: str | None = None
    active: Flag = False
    engine: str = Field("", description="`handlebars`; `go` is stored, but not rendered.")
    headers: Headers = None


class TemplateForm(VersionForm):
    """With `template` a first version is made, called `initial` unless `tag` says otherwise."""

    name: str
    description: str = ""
    created_by: str = Field("", alias="createdBy")


class DescriptionForm(Form):
    description: str | None = None


class CopyForm(Form):
    comment: str | None = None


class VersionView(BaseModel):
    """Lists leave out `template` and `headers`."""

    tag: str
    template: str | None = only_if_set()
    engine: str
    mjml: str
    created_at: str = Field(serialization_alias="createdAt")
    comment: str
    active: bool
    id: str
    headers: dict[str, str] | None = only_if_set()


class TemplateView(BaseModel):
    """`version` and `versions` are told where they are asked for."""

    name: str
    description: str
    created_at: str = Field(serialization_alias="createdAt")
    created_by: str = Field(serialization_alias="createdBy")
    id: str
    version: VersionView | None = only_if_set()
    versions: list[VersionView] | None = only_if_set()


class TemplateList(BaseModel):
    items: list[TemplateView]
    paging: Paging


class FoundTemplate(BaseModel):
    template: TemplateView


class FoundVersions(BaseModel):
    template: TemplateView
    paging: Paging


class StoredTemplate(BaseModel):
    message: str
    template: TemplateView


class VersionName(BaseModel):
    tag: str


class TemplateName(BaseModel):
    name: str
    version: VersionName | None = only_if_set()


class ChangedTemplate(BaseModel):
    message: str
    template: TemplateName


class CopiedVersion(BaseModel):
    """`template` is the old name of `version`."""

    message: str
    version: VersionView
    template: VersionView


def view_of_version(version: TemplateVersion, *, whole: bool = True) -> VersionView:
    return VersionView(
        tag=version.tag,
        template=version.content if whole else None,
        engine=version.engine,
        mjml="",
        created_at=dates.rfc2822(version.created_at, "UTC"),
        comment=version.comment,
        active=version.active,
        id=version.id,
        headers=(orjson.loads(version.headers) or None) if whole else None,
    )


def view(
    template: Template, version: TemplateVersion | None = None, versions: list[VersionView] | None = None
) -> TemplateView:
    return TemplateView(
        name=template.name,
        description=template.description,
        created_at=dates.rfc2822(template.created_at, "UTC"),
        created_by=template.created_by,
        id=template.id,
        version=view_of_version(version) if version else None,
        versions=versions,
    )


def changed(message: str, template: str, tag: str | None = None) -> ChangedTemplate:
    version = None if tag is None else VersionName(tag=tag)
    return ChangedTemplate(message=message, template=TemplateName(name=template, version=version))


async def current_template(tx: CurrentTx, domain: KnownDomain, name: str) -> Template:
    return templates.get(tx, domain.id, name)


CurrentTemplate = Annotated[Template, Depends(current_template)]


async def current_version(tx: CurrentTx, template: CurrentTemplate, tag: str) -> TemplateVersion:
    return template_versions.get(tx, template, tag)


CurrentVersion = Annotated[TemplateVersion, Depends(current_version)]


def asked_page(fields: Fields) -> KeysetRequest:
    return keyset(fields, "p", default=MOST_ON_PAGE, most=MOST_ON_PAGE)


def paging(request: Request, asked: KeysetRequest, keys: Sequence[str], **others: str) -> Paging:
    """An empty page leads on and back from where it is."""
    common = {"limit": asked.limit, **others}
    first, last = (keys[0], keys[-1]) if keys else (asked.pivot, asked.pivot)
    return Paging(
        first=link(request, **common),
        last=link(request, page="last", **common),
        next=link(request, page="next", p=last, **common),
        previous=link(request, page="previous", p=first, **common),
    )


def add_version(tx: Tx, template: Template, tag: str, asked: VersionForm) -> TemplateVersion:
    return template_versions.create(
        tx,
        template,
        tag,
        asked.template or "",
        engine=asked.engine,
        comment=asked.comment or "",
        headers=asked.headers,
        active=asked.active,
    )


@router.post("", responses=REFUSALS)
async def create_template(
    tx: CurrentTx, domain: KnownDomain, asked: Annotated[TemplateForm, form(TemplateForm)]
) -> StoredTemplate:
    """Store a template and, if it comes with its content, a first version, which is active."""
    if not asked.name:
        raise MissingParameter("name")
    template = templates.create(tx, domain.id, asked.name, asked.description, asked.created_by)
    version = add_version(tx, template, asked.tag or FIRST_TAG, asked) if asked.template else None
    return StoredTemplate(message="template has been stored", template=view(template, version))


@router.get("", responses=REFUSALS)
async def list_templates(
    request: Request, tx: CurrentTx, domain: KnownDomain, fields: CurrentFields
) -> TemplateList:
    """List a domain's templates by name; with `active=yes` each with its active version."""
    asked, whole = asked_page(fields), as_flag(fields.first("active")) is True
    found = templates.list_page(tx, domain.id, asked.pivot, asked.limit, backwards=asked.backwards)
    items = in_order(asked, found)
    links = paging(request, asked, [each.name for each in items], **({"active": "yes"} if whole else {}))
    active = [template_versions.find_active(tx, each) if whole else None for each in items]
    return TemplateList(items=list(map(view, items, active)), paging=links)


@router.delete("", responses=GONE)
async def delete_templates(tx: CurrentTx, domain: KnownDomain) -> Done:
    """Delete all templates of a domain and their versions."""
    templates.delete_all(tx, domain.id)
    return Done(message="templates have been deleted")


@router.get("/{name}", responses=GONE)
async def get_template(tx: CurrentTx, template: CurrentTemplate, fields: CurrentFields) -> FoundTemplate:
    """Tell a template; with `active=yes` what its active version says, too."""
    asked = as_flag(fields.first("active")) is True
    return FoundTemplate(
        template=view(template, template_versions.find_active(tx, template) if asked else None)
    )


@router.put("/{name}", responses=REFUSALS)
async def update_template(
    template: CurrentTemplate, asked: Annotated[DescriptionForm, form(DescriptionForm)]
) -> ChangedTemplate:
    """Describe a template otherwise."""
    if asked.description is None:
        raise NothingToUpdate
    template.description = asked.description
    return changed("template has been updated", template.name)


@router.delete("/{name}", responses=GONE)
async def delete_template(tx: CurrentTx, template: CurrentTemplate) -> ChangedTemplate:
    """Delete a template and its versions."""
    templates.delete(tx, template)
    return changed("template has been deleted", template.name)


@router.post("/{name}/versions", responses=refusals(400, 404, 409))
async def create_template_version(
    tx: CurrentTx, template: CurrentTemplate, asked: Annotated[VersionForm, form(VersionForm)]
) -> StoredTemplate:
    """Add a version; a template's first, and one that `active` is said of, is the one that messages are made of."""
    for name in ("template", "tag"):
        if not getattr(asked, name):
            raise MissingParameter(name)
    version = add_version(tx, template, asked.tag, asked)
    return StoredTemplate(
        message="new version of the template has been stored", template=view(template, version)
    )


@router.get("/{name}/versions", responses=REFUSALS)
async def list_template_versions(
    request: Request, tx: CurrentTx, template: CurrentTemplate, fields: CurrentFields
) -> FoundVersions:
    """List a template's versions by tag, without what they say."""
    asked = asked_page(fields)
    found = template_versions.list_page(tx, template, asked.pivot, asked.limit, backwards=asked.backwards)
    items = in_order(asked, found)
    shown = [view_of_version(each, whole=False) for each in items]
    links = paging(request, asked, [each.tag for each in items])
    return FoundVersions(template=view(template, versions=shown), paging=links)


@router.get("/{name}/versions/{tag}", responses=GONE)
async def get_template_version(template: CurrentTemplate, version: CurrentVersion) -> FoundTemplate:
    """Tell a version and what it says."""
    return FoundTemplate(template=view(template, version))


@router.put("/{name}/versions/{tag}", responses=REFUSALS)
async def update_template_version(
    tx: CurrentTx,
    template: CurrentTemplate,
    version: CurrentVersion,
    asked: Annotated[VersionForm, form(VersionForm)],
) -> ChangedTemplate:
    """Change what a version says, its comment or its headers, or make it the active one."""
    if not asked.template and not asked.model_fields_set & {"comment", "headers", "active"}:
        raise NothingToUpdate
    template_versions.update(
        tx, version, content=asked.template or None, comment=asked.comment, headers=asked.headers
    )
    if asked.active:
        template_versions.activate(tx, template, version)
    return changed("version has been updated", template.name, version.tag)


@router.delete("/{name}/versions/{tag}", responses=GONE)
async def delete_template_version(
    tx: CurrentTx, template: CurrentTemplate, version: CurrentVersion
) -> ChangedTemplate:
    """Delete a version; if it is the active one, the template has none then, and messages made of it fail."""
    template_versions.delete(tx, version)
    return changed("version has been deleted", template.name, version.tag)


@router.put("/{name}/versions/{tag}/copy/{new_tag}", responses=REFUSALS)
async def copy_template_version(
    tx: CurrentTx,
    template: CurrentTemplate,
    version: CurrentVersion,
    new_tag: str,
    asked: Annotated[CopyForm, form(CopyForm)],
) -> CopiedVersion:
    """Copy a version; one of the new tag is overwritten. `comment` is the copy's."""
    copied = view_of_version(template_versions.copy(tx, template, version, new_tag, asked.comment))
    return CopiedVersion(message="version has been copied", version=copied, template=copied)
