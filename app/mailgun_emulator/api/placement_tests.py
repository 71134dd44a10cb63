"""Inbox Placement: running tests, and how older clients read them (facts/account.md, 11.4)."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest, MailgunError, NotFound
from mailgun_emulator.expressions.handlebars_values import TemplateError
from mailgun_emulator.mail import addresses, dates
from mailgun_emulator.mail.addresses import Address, NotAnAddress
from mailgun_emulator.pipeline import leniency, options, seed_runs
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import seed_lists, seed_tests, templates
from mailgun_emulator.state.seed_lists import MOST_EACH, SeedList
from mailgun_emulator.state.seed_tests import SeedTest
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web import errors, placement, seed_pages
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import Form, JsonObject, Listed, form
from mailgun_emulator.web.paging import Paging, base_url
from mailgun_emulator.web.placement import DeliveryStats, SeedResult
from mailgun_emulator.web.seed_pages import PageForm
from mailgun_emulator.web.views import Done, refusals

router = APIRouter(tags=["Inbox Placement"])

MOST_HTML = 25_000_000
"""As much as Mailgun lets a message have."""
REFUSED = refusals(400, 403, 404)
ABSENT = refusals(404)


class TestNotFound(NotFound):
    """Mailgun's own text is not known."""

    message = "test not found"


class CheckNotFound(NotFound):
    message = "check not found"


class NoContent(BadRequest):
    """As the README of Mailgun's JavaScript client has it."""

    message = "Either 'html' or 'template_name' field should be provided"


class TestForm(Form):
    """`variables` is an object, or JSON of one; its values may have `%recipient.first_name%` and `…last_name%`."""

    sender: str = Field(alias="from", min_length=1)
    subject: str = Field(min_length=1)
    domain: str = Field("", description="What sends it, if that is not the domain of `from`.")
    html: str = Field("", max_length=MOST_HTML)
    template_name: str = ""
    variables: JsonObject = Field(default={})
    provider_filter: Listed = Field(default=[])
    seed_list: str = Field("", description="Target address, id or name; else the account has one of its own.")
    headers: JsonObject = Field(default={})
    sending_ip: str = ""
    sending_ip_pool_id: str = ""
    max_seeds_per_provider: int = Field(0, ge=0, le=MOST_EACH)


class Links(BaseModel):
    results: str


class StartedTest(BaseModel):
    result_id: str
    tid: str
    status: str
    links: Links
    mailing_list: str


class TestView(BaseModel):
    tid: str
    result_id: str
    status: str
    subject: str
    sender: str = Field(serialization_alias="from")
    domain: str
    created_at: str
    counters: DeliveryStats


class Tests(BaseModel):
    tests: list[TestView]
    items: list[TestView]
    paging: Paging
    total: int
    status: str


class Counters(BaseModel):
    tid: str
    status: str
    counters: dict[str, DeliveryStats]


class Checks(BaseModel):
    tid: str
    status: str
    checks: list[SeedResult]


class Check(BaseModel):
    tid: str
    status: str
    check: SeedResult


@router.post("/v4/inbox/tests", response_model=StartedTest, responses=REFUSED)
@router.post("/v3/inbox/tests", response_model=StartedTest, responses=REFUSED)
async def run_placement_test(
    request: Request, tx: CurrentTx, asked: Annotated[TestForm, form(TestForm)]
) -> Response:
    """Send a message to the seeds of a list, and look in which of their folders it is found."""
    test = seed_runs.run(tx, test_of(request, tx, asked))
    if isinstance(test, MailgunError):
        return await errors.answer(request, test)
    return Response(started(request, tx, test).model_dump_json(), media_type="application/json")


def started(request: Request, tx: Tx, test: SeedTest) -> StartedTest:
    seed_list = tx.session.get_one(SeedList, test.seed_list_kid)
    return StartedTest(
        result_id=test.result_id,
        tid=test.result_id,
        status=placement.PROCESSING,
        links=Links(results=placement.result_url(request, test)),
        mailing_list=",".join([seed_list.target_email, *(seed.email for seed in test.members)]),
    )


def test_of(request: Request, tx: Tx, asked: TestForm) -> seed_runs.Asked:
    author = author_of(asked.sender)
    domain = asked.domain.lower() or author.domain
    client = request.scope.get("client")
    submission = Submission(
        sender=asked.sender,
        to=[],
        subject=asked.subject,
        headers=[(name, str(value)) for name, value in asked.headers.items() if value is not None],
        base_url=base_url(request),
        key_id=request.scope.get("mailgun_key_id", ""),
        client_ip=client[0] if client else "127.0.0.1",
        **content_of(tx, asked, domain),
    )
    providers = seed_lists.checked_providers(asked.provider_filter)
    return seed_runs.Asked(
        submission=submission,
        domain_name=domain,
        seed_list=asked.seed_list,
        providers=providers,
        each=asked.max_seeds_per_provider,
    )


def author_of(sender: str) -> Address:
    try:
        return addresses.parse(sender)
    except NotAnAddress:
        raise BadRequest("from parameter is not a valid address. please check documentation") from None


def content_of(tx: Tx, asked: TestForm, domain: str) -> dict[str, Any]:
    """HTML is filled in with the variables here, a template when it is sent."""
    asks = {"sending-ip": asked.sending_ip, "sending-ip-pool": asked.sending_ip_pool_id}
    given = {name: value for name, value in asks.items() if value}
    if asked.html:
        return {"html": rendered(asked.html, asked.variables), "options": given}
    if not asked.template_name:
        raise NoContent
    sender = leniency.find_sending_domain(tx, domain)
    if sender is None:
        raise templates.TemplateNotFound
    templates.get(tx, sender.id, asked.template_name.lower())
    made = options.template(asked.template_name, orjson.dumps(asked.variables).decode())
    return {"options": {**given, **made}}


def rendered(html: str, variables: dict[str, Any]) -> str:
    """Without variables it stays as it is, braces and all."""
    if not variables:
        return html
    from mailgun_emulator.expressions import handlebars

    try:
        return handlebars.render(html, variables)
    except TemplateError as error:
        raise BadRequest(f"html can't be rendered: {error}") from None


def test_view(tx: Tx, test: SeedTest) -> TestView:
    result = placement.result_view(tx, test)
    return TestView(
        tid=test.result_id,
        result_id=test.result_id,
        status=result.status,
        subject=test.subject,
        sender=test.sender,
        domain=test.domain_name,
        created_at=dates.rfc3339(test.created_at),
        counters=result.delivery_stats[placement.ALL],
    )


def of_id(tx: Tx, test_id: str) -> SeedTest:
    test = seed_tests.find(tx, test_id)
    if test is None:
        raise TestNotFound
    return test


@router.get("/v4/inbox/tests", responses=refusals(400))
@router.get("/v3/inbox/tests", responses=refusals(400))
async def list_placement_tests(
    request: Request, tx: CurrentTx, asked: Annotated[PageForm, form(PageForm)]
) -> Tests:
    """List the tests that were run."""
    kept = [test for test in seed_tests.list_all(tx) if asked.between(test.created_at)]
    keys: dict[str, Any] = {"created_at": lambda test: (test.created_at, test.rid)}
    shown, paging, total = seed_pages.page(request, asked, kept, keys, lambda test: test.result_id)
    views = [test_view(tx, test) for test in shown]
    is_done = all(view.status == placement.COMPLETE for view in views)
    status = placement.COMPLETE if is_done else placement.PROCESSING
    return Tests(tests=views, items=views, paging=paging, total=total, status=status)


@router.get("/v4/inbox/tests/{test_id}", responses=ABSENT)
@router.get("/v3/inbox/tests/{test_id}", responses=ABSENT)
async def get_placement_test(tx: CurrentTx, test_id: str) -> TestView:
    """Tell how far a test is."""
    return test_view(tx, of_id(tx, test_id))


@router.delete("/v4/inbox/tests/{test_id}", responses=ABSENT)
@router.delete("/v3/inbox/tests/{test_id}", responses=ABSENT)
async def delete_placement_test(tx: CurrentTx, test_id: str) -> Done:
    """Delete a test with its result; limits count it all the same."""
    seed_tests.delete(tx, of_id(tx, test_id))
    return Done(message="deleted")


@router.get("/v4/inbox/tests/{test_id}/counters", responses=ABSENT)
@router.get("/v3/inbox/tests/{test_id}/counters", include_in_schema=False, responses=ABSENT)
async def get_placement_test_counters(tx: CurrentTx, test_id: str) -> Counters:
    """Count where a test's message was found, at all providers and at each."""
    result = placement.result_view(tx, of_id(tx, test_id))
    return Counters(tid=result.result_id, status=result.status, counters=result.delivery_stats)


@router.get("/v4/inbox/tests/{test_id}/checks", responses=ABSENT)
@router.get("/v3/inbox/tests/{test_id}/checks", include_in_schema=False, responses=ABSENT)
async def list_placement_test_checks(tx: CurrentTx, test_id: str) -> Checks:
    """List where each seed has a test's message."""
    result = placement.result_view(tx, of_id(tx, test_id))
    return Checks(tid=result.result_id, status=result.status, checks=result.seed_results)


@router.get("/v4/inbox/tests/{test_id}/checks/{address}", responses=ABSENT)
@router.get("/v3/inbox/tests/{test_id}/checks/{address}", include_in_schema=False, responses=ABSENT)
async def get_placement_test_check(tx: CurrentTx, test_id: str, address: str) -> Check:
    """Tell where one seed has a test's message."""
    result = placement.result_view(tx, of_id(tx, test_id))
    found = next((each for each in result.seed_results if each.email == address.lower()), None)
    if found is None:
        raise CheckNotFound
    return Check(tid=result.result_id, status=result.status, check=found)
