"""Inbox Placement: the results of tests, and who else may see them (facts/account.md, 11.4)."""

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import BaseModel

from mailgun_emulator.mail import dates
from mailgun_emulator.state import seed_lists, seed_tests
from mailgun_emulator.state.seed_tests import SeedTest
from mailgun_emulator.web import placement, seed_pages
from mailgun_emulator.web.deps import CurrentTx, OpenTx
from mailgun_emulator.web.forms import Flag, Form, form
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.placement import ResultView
from mailgun_emulator.web.seed_pages import Attributes, Found, PageForm, SupportedFilters
from mailgun_emulator.web.views import REFUSALS, Done, refusals

router = APIRouter(tags=["Inbox Placement"])

ABSENT = refusals(404)
ATTRIBUTES = ("senderaddr", "subject", "provider", "target_email")
SORTED_BY: dict[str, Any] = {
    "created_at": lambda test: (test.created_at, test.rid),
    "updated_at": lambda test: (test.updated_at, test.rid),
    "subject": lambda test: (test.subject.lower(), test.rid),
    "sender": lambda test: (test.sender.lower(), test.rid),
}


class ResultsForm(PageForm):
    """`sender` and `subject` are looked for anywhere in theirs."""

    sender: str = ""
    senderaddr: str = ""
    subject: str = ""
    provider: str = ""
    target_email: str = ""


class ProviderForm(Form):
    provider: str = ""


class SharingForm(Form):
    enabled: Flag


class WrappedResult(BaseModel):
    result: ResultView


class Results(Found[ResultView]):
    pass


class SharingView(BaseModel):
    result_id: str
    expires_at: str
    enabled: bool
    url_id: str
    url: str
    api_url: str


class WrappedSharing(BaseModel):
    sharing: SharingView


@router.get("/v4/inbox/results", responses=refusals(400))
async def list_placement_results(
    request: Request, tx: CurrentTx, asked: Annotated[ResultsForm, form(ResultsForm)]
) -> Results:
    """List the results of tests: of a sender, a subject, a seed list, with a provider, of a period."""
    targets = {each.kid: each.target_email for each in seed_lists.list_all(tx)}
    kept = [test for test in seed_tests.list_all(tx) if matches(asked, test, targets[test.seed_list_kid])]
    shown, paging, total = seed_pages.page(request, asked, kept, SORTED_BY, lambda test: test.result_id)
    return Results(items=[placement.result_view(tx, test) for test in shown], paging=paging, total=total)


def matches(asked: ResultsForm, test: SeedTest, target_email: str) -> bool:
    return (
        asked.between(test.created_at)
        and (asked.sender or asked.senderaddr).lower() in test.sender.lower()
        and asked.subject.lower() in test.subject.lower()
        and asked.target_email.lower() in ("", target_email)
        and (not asked.provider or domain_of(asked.provider) in {seed.provider for seed in test.members})
    )


def domain_of(provider: str) -> str:
    """Of a provider, by its domain or the name people know it by; one that is not known has no seeds."""
    found = placement.provider_of(provider)
    return found.domain if found else provider.lower()


@router.get("/v4/inbox/results/_filters")
async def list_placement_result_filters(tx: CurrentTx) -> SupportedFilters:
    """Tell what results can be filtered by."""
    return seed_pages.supported(
        senderaddr="Get results by sender",
        subject="Get results by subject",
        provider="Get results by provider",
        target_email="Get results by target email",
        time_before="Get results before date",
        time_after="Get results after date",
    )


@router.get("/v4/inbox/results/a")
async def list_placement_result_attributes(tx: CurrentTx) -> Attributes:
    """Tell which attributes of results have values to choose from."""
    return seed_pages.attributes("available attributes", ATTRIBUTES)


@router.get("/v4/inbox/results/a/{attribute}", responses=ABSENT)
async def list_placement_result_attribute_values(tx: CurrentTx, attribute: str) -> Attributes:
    """Tell the values that an attribute of the results has."""
    if attribute not in ATTRIBUTES:
        raise seed_pages.UnknownAttribute
    targets = {each.kid: each.target_email for each in seed_lists.list_all(tx)}
    values: list[str] = []
    for test in seed_tests.list_all(tx):
        own = {
            "senderaddr": [test.sender],
            "subject": [test.subject],
            "provider": [seed.provider for seed in test.members],
            "target_email": [targets[test.seed_list_kid]],
        }
        values += own[attribute]
    return seed_pages.attributes(attribute, values)


@router.get("/v4/inbox/results/{result}", responses=ABSENT)
async def get_placement_result(
    tx: CurrentTx, result: str, asked: Annotated[ProviderForm, form(ProviderForm)]
) -> WrappedResult:
    """Tell in which folder of each seed a test's message was found, of one provider or of all."""
    provider = domain_of(asked.provider) if asked.provider else ""
    return WrappedResult(result=placement.result_view(tx, seed_tests.get(tx, result), provider))


@router.delete("/v4/inbox/results/{result}", responses=ABSENT)
async def delete_placement_result(tx: CurrentTx, result: str) -> Done:
    """Delete a result; limits count its test all the same."""
    seed_tests.delete(tx, seed_tests.get(tx, result))
    return Done(message="deleted")


@router.get("/v4/inbox/sharing/public/{share_id}", openapi_extra={"security": []}, responses=ABSENT)
async def get_shared_result(tx: OpenTx, share_id: str) -> WrappedResult:
    """Tell of a shared result to anybody who has its URL, as long as that is valid."""
    return WrappedResult(result=placement.result_view(tx, seed_tests.get_shared(tx, share_id)))


@router.get("/v4/inbox/sharing/public/{share_id}/page", include_in_schema=False, response_class=HTMLResponse)
async def show_shared_result(tx: OpenTx, share_id: str) -> Response:
    """Show a shared result as a page."""
    return HTMLResponse(as_html(placement.result_view(tx, seed_tests.get_shared(tx, share_id))))


@router.get("/v4/inbox/sharing/{result}", responses=ABSENT)
async def get_result_sharing(request: Request, tx: CurrentTx, result: str) -> WrappedSharing:
    """Tell whether a result is shared, and by which URL."""
    return WrappedSharing(sharing=sharing_view(request, seed_tests.get(tx, result)))


@router.put("/v4/inbox/sharing/{result}", responses=REFUSALS)
async def share_result(
    request: Request, tx: CurrentTx, result: str, asked: Annotated[SharingForm, form(SharingForm)]
) -> WrappedSharing:
    """Share a result by a new URL, or share it no longer."""
    test = seed_tests.get(tx, result)
    seed_tests.share(tx, test, enabled=asked.enabled)
    return WrappedSharing(sharing=sharing_view(request, test))


def sharing_view(request: Request, test: SeedTest) -> SharingView:
    """Its URLs are empty when it is not shared."""
    url = f"{base_url(request)}/v4/inbox/sharing/public/{test.sharing_id}" if test.sharing_enabled else ""
    return SharingView(
        result_id=test.result_id,
        expires_at=dates.rfc3339(test.sharing_expires_at),
        enabled=test.sharing_enabled,
        url_id=test.sharing_id,
        url=url and f"{url}/page",
        api_url=url,
    )


def as_html(result: ResultView) -> str:
    rows = "".join(
        f"<tr><td>{escape(each.provider)}<td>{escape(each.email)}<td>{escape(each.destination or each.state)}"
        for each in result.seed_results
    )
    return (
        f"<!doctype html><meta charset=utf-8><title>{escape(result.subject)}</title>"
        f"<h1>{escape(result.subject)}</h1><p>{escape(result.sender)}, {result.status}"
        f"<table><tr><th>Provider<th>Seed<th>Found in{rows}</table>"
    )
