"""Tags New: the tags of all of an account's domains (facts/sending.md, 7.3)."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Response
from pydantic import BaseModel, BeforeValidator, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.state import account_tags, statistics
from mailgun_emulator.state.account_tags import AccountTag
from mailgun_emulator.state.predicates import Predicate
from mailgun_emulator.state.statistics import EVER, Question
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import measures
from mailgun_emulator.web.analytics import PageRequest, Sorting, Switch
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, Text, as_object, form
from mailgun_emulator.web.views import Done, Responses, refusals

router = APIRouter(tags=["Tags New"])

DEFAULT_LIMIT = 10
MOST = 1000
MOST_WITH_METRICS = 20
REFUSED = refusals(400)
UNKNOWN: Responses = {**REFUSED, 404: {"model": Done}}
ORDERS = {"lastseen": "last_seen", "firstseen": "first_seen", "tag": "key"}
"""What lists can be sorted by."""


class TagsPage(PageRequest):
    include_total: Switch = False


class TagsForm(Form):
    """`tag` is how the names begin. What can't be read counts as not given, as recorded."""

    pagination: Annotated[TagsPage, BeforeValidator(as_object)] = Field(default_factory=TagsPage)
    include_subaccounts: Switch = False
    include_metrics: Switch = False
    tag: Text = ""

    @property
    def sorting(self) -> Sorting:
        return self.pagination.sorting(ORDERS) or Sorting("lastseen", descending=True)

    @property
    def limit(self) -> int:
        return self.pagination.limited(DEFAULT_LIMIT, MOST_WITH_METRICS if self.include_metrics else MOST)


class AccountTagForm(Form):
    tag: Text = ""
    description: Text = ""

    @property
    def name(self) -> str:
        if not self.tag:
            raise BadRequest("Missing mandatory parameter: tag")
        return self.tag


class AccountTagView(BaseModel):
    """`metrics` are of all times, and empty unless asked for."""

    account_id: str
    parent_account_id: str
    tag: str
    description: str
    first_seen: str
    last_seen: str
    metrics: dict[str, int | str]
    account_name: str


class TagsPagination(BaseModel):
    sort: str
    skip: int | None = None
    limit: int
    total: int | None = None


class AccountTagList(BaseModel):
    items: list[AccountTagView]
    pagination: TagsPagination


class AccountTagLimits(BaseModel):
    limit: int
    count: int
    limit_reached: bool


@router.post("/v1/analytics/tags", response_model=AccountTagList, responses=REFUSED)
async def list_account_tags(tx: CurrentTx, asked: Annotated[TagsForm, form(TagsForm)]) -> Response:
    """List the account's tags, last used first unless asked otherwise; `tag` leaves those that begin with it."""
    sorting, limit, skip = asked.sorting, asked.limit, asked.pagination.skip
    found = account_tags.list_tags(
        tx,
        asked.tag,
        order=ORDERS[sorting.name],
        descending=sorting.descending,
        subaccounts=asked.include_subaccounts,
    )
    body = {
        "items": views(tx, found[skip : skip + limit], with_metrics=asked.include_metrics),
        "pagination": {
            "sort": f"{sorting.name}:{'desc' if sorting.descending else 'asc'}",
            **({"skip": skip} if skip else {}),
            "limit": limit,
            **({"total": len(found)} if asked.pagination.include_total else {}),
        },
    }
    return Response(orjson.dumps(body), media_type="application/json")


def views(tx: Tx, found: list[AccountTag], *, with_metrics: bool) -> list[dict[str, Any]]:
    return [
        {
            "account_id": tag.account_id,
            "parent_account_id": tag.parent_id or tag.account_id,
            "tag": tag.name,
            "description": tag.description,
            "first_seen": dates.rfc2822(tag.first_seen),
            "last_seen": dates.rfc2822(tag.last_seen),
            "metrics": metrics_of(tx, tag) if with_metrics else {},
            "account_name": tag.account_name,
        }
        for tag in found
    ]


def metrics_of(tx: Tx, tag: AccountTag) -> dict[str, int | str]:
    own = Predicate("subaccount", "=", (tag.account_id,))
    asked = Question(EVER, predicates=(Predicate("tag", "=", (tag.key,)), own), subaccounts=True)
    return measures.tell(statistics.measure(tx, (), asked).get((), {}), measures.NAMES)


@router.put("/v1/analytics/tags", responses=UNKNOWN)
async def update_account_tag(tx: CurrentTx, asked: Annotated[AccountTagForm, form(AccountTagForm)]) -> Done:
    """Describe a tag, at all of the account's domains that have it."""
    account_tags.describe(tx, asked.name, asked.description)
    return Done(message="Tag updated")


@router.delete("/v1/analytics/tags", responses=UNKNOWN)
async def delete_account_tag(tx: CurrentTx, asked: Annotated[AccountTagForm, form(AccountTagForm)]) -> Done:
    """Delete a tag from all of the account's domains, and what was counted for it."""
    account_tags.delete(tx, asked.name)
    return Done(message="Tag deleted")


@router.get("/v1/analytics/tags/limits", responses=REFUSED)
async def get_account_tag_limits(tx: CurrentTx) -> AccountTagLimits:
    """Tell how many tags the account has and may have."""
    count = account_tags.count(tx)
    return AccountTagLimits(limit=account_tags.LIMIT, count=count, limit_reached=count >= account_tags.LIMIT)
