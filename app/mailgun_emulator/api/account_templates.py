"""Templates of all the account's domains (facts/account.md, 12)."""

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mailgun_emulator.mail import dates
from mailgun_emulator.state import templates
from mailgun_emulator.state.templates import Template
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import CurrentFields
from mailgun_emulator.web.paging import Paging, in_order, keyset, link
from mailgun_emulator.web.views import refusals

router = APIRouter(tags=["Templates"])

MOST_ON_PAGE = 100


class AccountTemplateView(BaseModel):
    """`domain` is the one that sends by it."""

    name: str
    description: str
    created_at: str = Field(serialization_alias="createdAt")
    created_by: str = Field(serialization_alias="createdBy")
    id: str
    domain: str


class AccountTemplateList(BaseModel):
    items: list[AccountTemplateView]
    paging: Paging


def view(template: Template, domain: str) -> AccountTemplateView:
    return AccountTemplateView(
        name=template.name,
        description=template.description,
        created_at=dates.rfc2822(template.created_at, "UTC"),
        created_by=template.created_by,
        id=template.id,
        domain=domain,
    )


@router.get("/v4/templates", responses=refusals(400))
async def list_account_templates(
    request: Request, tx: CurrentTx, fields: CurrentFields
) -> AccountTemplateList:
    """List the templates of all the account's domains by name."""
    asked = keyset(fields, "p", default=MOST_ON_PAGE, most=MOST_ON_PAGE)
    found = in_order(
        asked, templates.list_of_account(tx, asked.pivot, asked.limit, backwards=asked.backwards)
    )
    keys = [f"{template.name}/{domain}" for template, domain in found] or [asked.pivot]
    paging = Paging(
        first=link(request, limit=asked.limit),
        last=link(request, page="last", limit=asked.limit),
        next=link(request, page="next", p=keys[-1], limit=asked.limit),
        previous=link(request, page="previous", p=keys[0], limit=asked.limit),
    )
    return AccountTemplateList(items=[view(*each) for each in found], paging=paging)
