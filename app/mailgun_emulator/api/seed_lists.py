"""Inbox Placement: seed lists, and the providers that their seeds are at (facts/account.md, 11.4)."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field, RootModel

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, seeds
from mailgun_emulator.state import features, seed_lists, seed_tests
from mailgun_emulator.state.features import Feature
from mailgun_emulator.state.seed_lists import MOST_EACH, SeedList
from mailgun_emulator.web import placement, seed_pages
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Flag, Form, Listed, form
from mailgun_emulator.web.placement import SeedListView
from mailgun_emulator.web.seed_pages import Attributes, Found, PageForm, SupportedFilters
from mailgun_emulator.web.views import REFUSALS, refusals

router = APIRouter(tags=["Inbox Placement"])

ATTRIBUTES = {
    "name": lambda kept: kept.name,
    "target_email": lambda kept: kept.target_email,
}
SORTED_BY: dict[str, Any] = {
    "created_at": lambda kept: (kept.created_at, kept.kid),
    "updated_at": lambda kept: (kept.updated_at, kept.kid),
    "name": lambda kept: (kept.name.lower(), kept.kid),
}
REFUSED = refusals(400, 403)
ABSENT = refusals(404)


class SeedListForm(Form):
    """Filters are regular expressions and domains of providers; the latter also with commas between them."""

    name: str = ""
    seed_filter: str = ""
    provider_filter: Listed = Field(default=[])
    sending_domains: Listed = Field(default=[])
    max_seeds_per_provider: int = Field(0, ge=0, le=MOST_EACH)


class NewSeedListForm(SeedListForm):
    remote_id: str = ""


class ChangedSeedListForm(SeedListForm):
    """What is not given stays; `regen` and `shuffle` give it other seeds."""

    regen: Flag = False
    shuffle: Flag = False


class SeedListsForm(PageForm):
    name: str = ""


class SeedLists(Found[SeedListView]):
    pass


class Nothing(RootModel[None]):
    pass


class WrappedSeedList(BaseModel):
    seedlist: SeedListView


class SeedProvider(BaseModel):
    domain: str
    display_name: str
    region: str
    created_at: str
    updated_at: str


class SeedProviders(BaseModel):
    items: list[SeedProvider]


@router.get("/v4/inbox/seedlists", responses=refusals(400))
async def list_seed_lists(
    request: Request, tx: CurrentTx, asked: Annotated[SeedListsForm, form(SeedListsForm)]
) -> SeedLists:
    """List the seed lists: those of a name, those made in a period."""
    kept = [
        each
        for each in seed_lists.list_all(tx)
        if asked.between(each.created_at) and asked.name.lower() in each.name.lower()
    ]
    shown, paging, total = seed_pages.page(request, asked, kept, SORTED_BY, lambda each: each.kid)
    items = [placement.seed_list_view(tx, each) for each in shown]
    return SeedLists(items=items, paging=paging, total=total)


@router.post("/v4/inbox/seedlists", responses=REFUSED)
async def create_seed_list(
    tx: CurrentTx, asked: Annotated[NewSeedListForm, form(NewSeedListForm)]
) -> SeedListView:
    """Make a seed list: a target address, and seeds at the providers that are wanted."""
    features.check(tx, Feature.INBOX_PLACEMENT)
    made = seed_lists.create(tx, **{**asked.model_dump(), **lists_of(asked)})
    return placement.seed_list_view(tx, made)


def lists_of(asked: SeedListForm) -> dict[str, list[str]]:
    """The domains and providers that were given, checked."""
    for name in asked.sending_domains:
        if "." not in name or "@" in name:
            raise BadRequest(f"sending domain '{name}' is invalid")
    return {
        "sending_domains": [name.lower() for name in asked.sending_domains],
        "provider_filter": seed_lists.checked_providers(asked.provider_filter),
    }


@router.get("/v4/inbox/seedlists/_filters")
async def list_seed_list_filters(tx: CurrentTx) -> SupportedFilters:
    """Tell what seed lists can be filtered by."""
    return seed_pages.supported(
        name="Get seedlists by name",
        time_before="Get seedlists before date",
        time_after="Get seedlists after date",
    )


@router.get("/v4/inbox/seedlists/a")
async def list_seed_list_attributes(tx: CurrentTx) -> Attributes:
    """Tell which attributes of seed lists have values to choose from."""
    return seed_pages.attributes("available attributes", ATTRIBUTES)


@router.get("/v4/inbox/seedlists/a/{attribute}", responses=ABSENT)
async def list_seed_list_attribute_values(tx: CurrentTx, attribute: str) -> Attributes:
    """Tell the values that an attribute of the seed lists has."""
    if attribute not in ATTRIBUTES:
        raise seed_pages.UnknownAttribute
    values = map(ATTRIBUTES[attribute], seed_lists.list_all(tx))
    return seed_pages.attributes(attribute, filter(None, values))


@router.get("/v4/inbox/seedlists/{address}", responses=ABSENT)
async def get_seed_list(tx: CurrentTx, address: str) -> WrappedSeedList:
    """Tell of a seed list by its target address."""
    return WrappedSeedList(seedlist=placement.seed_list_view(tx, seed_lists.get(tx, address)))


@router.put("/v4/inbox/seedlists/{address}", responses=REFUSALS)
async def update_seed_list(
    tx: CurrentTx, address: str, asked: Annotated[ChangedSeedListForm, form(ChangedSeedListForm)]
) -> SeedListView:
    """Change a seed list, or give it other seeds."""
    kept: SeedList = seed_lists.get(tx, address)
    given = {**asked.model_dump(include=asked.model_fields_set - {"regen", "shuffle"})}
    given |= {name: value for name, value in lists_of(asked).items() if name in given}
    if "seed_filter" in given:
        given["seed_filter"] = asked.seed_filter or seed_lists.ALL
    seed_lists.change(tx, kept, regenerate=asked.regen or asked.shuffle, **given)
    return placement.seed_list_view(tx, kept)


@router.delete("/v4/inbox/seedlists/{address}", responses=ABSENT)
async def delete_seed_list(tx: CurrentTx, address: str) -> Nothing:
    """Delete a seed list and the results of its tests; mail to it is a test no longer."""
    seed_tests.delete_list(tx, seed_lists.get(tx, address))
    return Nothing(None)


@router.get("/v4/inbox/providers")
async def list_seed_providers(tx: CurrentTx) -> SeedProviders:
    """List the mailbox providers that seeds are at."""
    since = dates.rfc3339(seeds.SINCE)
    return SeedProviders(
        items=[
            SeedProvider(
                domain=each.domain,
                display_name=each.display_name,
                region=each.region,
                created_at=since,
                updated_at=since,
            )
            for each in seeds.PROVIDERS
        ]
    )
