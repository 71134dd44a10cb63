"""Inspect: what mail clients make of an e-mail's code (facts/account.md, 11.6, and Mailgun's documentation).

What is looked at is at hand at once: nothing is fetched, so a `url` can't be analysed here.
"""

import asyncio
from base64 import b64decode
from quopri import decodestring
from typing import Annotated, Any, NamedTuple

import orjson
from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.state import code_analyses
from mailgun_emulator.state.code_analyses import CodeAnalysis
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import LARGEST, Form, form, read_fields, takes
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.parameters import one_of
from mailgun_emulator.web.views import REFUSALS, Done

router = APIRouter(tags=["Inspect"])

COMPLETED = "Completed"
STATUSES = ("Processing", COMPLETED, "Failed")
APPLICATIONS = ("web", "mobile", "desktop")


class NothingToAnalyse(BadRequest):
    message = "one of html, url, mime is required"


class UrlNotFetched(BadRequest):
    message = "unable to fetch url"


class NotDecodable(BadRequest):
    message = "unable to decode content"


class CodeAnalysisForm(Form):
    """One of `html` and `mime`; `transfer_encoding` says how it is written, `charset` in which letters."""

    html: str = ""
    url: str = ""
    mime: str = ""
    transfer_encoding: str = ""
    charset: str = "utf-8"


class AnalysesForm(Form):
    status: str = ""
    skip: int = Field(0, ge=0, le=LARGEST)
    limit: int = Field(100, ge=1, le=1000)


class ResultForm(Form):
    """What is told of the result: a feature, a level of support, a type of application."""

    slug: str = ""
    support_type: str = ""
    application_type: str = ""


class SelfLink(BaseModel):
    self: str


class Creation(BaseModel):
    status: str
    version: int


class CreatedItem(BaseModel):
    id: str
    links: SelfLink


class CreatedAnalysis(BaseModel):
    meta: Creation
    items: CreatedItem


class AnalysisItem(BaseModel):
    test_id: str
    status: str
    version: int
    created_at: str
    links: SelfLink


class ListMeta(BaseModel):
    total: int
    skip: int
    limit: int


class AnalysisList(BaseModel):
    meta: ListMeta
    items: list[AnalysisItem]


class ResultMeta(BaseModel):
    """Of each type of application how many clients show the features, almost or not, taken together."""

    status: str
    version: int
    count: int
    application_support: dict[str, dict[str, int]]


class FeatureInstance(BaseModel):
    line: int
    code: str


class FeatureView(BaseModel):
    """`support` names the clients by `y`, `a` and `n`: that show it, almost, not."""

    slug: str
    name: str
    category: str
    support: dict[str, list[str]]
    instances: list[FeatureInstance]


class ResultItems(BaseModel):
    id: str
    version: int
    features: list[FeatureView]


class AnalysisResult(BaseModel):
    meta: ResultMeta
    items: ResultItems


class Analysed(NamedTuple):
    html: str
    found: str


@takes(CodeAnalysisForm)
async def analysed(request: Request) -> asyncio.Task[Analysed]:
    """Outside any transaction, and beside the others' work: it may take long.

    It is done by then; what it refuses is told once it is known who asks.
    """
    asked = CodeAnalysisForm.of(await read_fields(request))
    task = asyncio.create_task(asyncio.to_thread(analyse, asked))
    await asyncio.wait([task])
    task.exception()  # so that asyncio doesn't complain of one that nobody wants to know
    return task


def analyse(asked: CodeAnalysisForm) -> Analysed:
    from mailgun_emulator.mail import html_checks, stored  # seldom needed

    if not (asked.html or asked.mime):
        raise UrlNotFetched(hint="Send it as `html`") if asked.url else NothingToAnalyse
    try:
        content = decoded(asked.html or asked.mime, asked)
        parts = None if asked.html else stored.read(content)
        html = parts.body_html if parts else content.decode(asked.charset or "utf-8", "replace")
    except (LookupError, ValueError):
        raise NotDecodable from None
    return Analysed(html, orjson.dumps(html_checks.analyse(html, parts)).decode())


def decoded(text: str, asked: CodeAnalysisForm) -> bytes:
    match asked.transfer_encoding.lower():
        case "base64":
            return b64decode("".join(text.split()), validate=True)
        case "quoted-printable":
            return decodestring(text.encode())
        case "" | "7bit" | "8bit" | "binary":
            return text.encode(asked.charset or "utf-8", "replace") if asked.html else text.encode()
        case _:
            raise NotDecodable


@router.get("/v1/inspect/analyze", responses=REFUSALS)
async def list_code_analyses(
    request: Request, tx: CurrentTx, asked: Annotated[AnalysesForm, form(AnalysesForm)]
) -> AnalysisList:
    """List the e-mails whose code was looked at, the latest first."""
    one_of("status", asked.status, ("", *STATUSES))
    found = code_analyses.list_all(tx) if asked.status in ("", COMPLETED) else []
    items = [item_of(request, each) for each in found[asked.skip : asked.skip + asked.limit]]
    return AnalysisList(meta=ListMeta(total=len(found), skip=asked.skip, limit=asked.limit), items=items)


@router.post("/v1/inspect/analyze", responses=REFUSALS)
async def create_code_analysis(
    request: Request, done: Annotated[asyncio.Task[Analysed], Depends(analysed)], tx: CurrentTx
) -> CreatedAnalysis:
    """Look at the code of an e-mail."""
    made = code_analyses.create(tx, *done.result())
    return CreatedAnalysis(
        meta=Creation(status=COMPLETED, version=1),
        items=CreatedItem(id=made.id, links=link_to(request, made)),
    )


@router.get("/v1/inspect/analyze/{test_id}", responses=REFUSALS)
async def get_code_analysis(
    tx: CurrentTx, test_id: str, asked: Annotated[ResultForm, form(ResultForm)]
) -> AnalysisResult:
    """Tell what in an e-mail's code some mail clients don't show, and what else is wrong with it."""
    from mailgun_emulator.mail.html_checks import CLIENTS  # seldom needed

    kept = code_analyses.get(tx, test_id)
    features = [FeatureView(**each) for each in chosen(orjson.loads(kept.found), asked, CLIENTS)]
    support = {kind: counted(features, kind, CLIENTS) for kind in APPLICATIONS}
    meta = ResultMeta(status=COMPLETED, version=1, count=len(features), application_support=support)
    return AnalysisResult(meta=meta, items=ResultItems(id=kept.id, version=1, features=features))


@router.delete("/v1/inspect/analyze/{test_id}", responses=REFUSALS)
async def delete_code_analysis(tx: CurrentTx, test_id: str) -> Done:
    """Forget what was found in an e-mail."""
    code_analyses.delete(tx, test_id)
    return Done(message="deleted")


def chosen(found: list[Any], asked: ResultForm, clients: dict[str, str]) -> list[Any]:
    one_of("support_type", asked.support_type, ("", *"yanu"))
    one_of("application_type", asked.application_type, ("", *APPLICATIONS))
    for each in found:
        each["support"] = {
            kind: [name for name in names if asked.application_type in ("", clients[name])]
            for kind, names in each["support"].items()
            if asked.support_type in ("", kind)
        }
    told = [each for each in found if asked.slug in ("", each["slug"])]
    return [each for each in told if not asked.support_type or any(each["support"].values())]


def counted(features: list[FeatureView], application: str, clients: dict[str, str]) -> dict[str, int]:
    numbers = dict.fromkeys("yan", 0)
    for feature in features:
        for kind, names in feature.support.items():
            numbers[kind] += sum(clients[name] == application for name in names)
    return numbers


def link_to(request: Request, analysis: CodeAnalysis) -> SelfLink:
    return SelfLink(self=f"{base_url(request)}/v1/inspect/analyze/{analysis.id}")


def item_of(request: Request, analysis: CodeAnalysis) -> AnalysisItem:
    return AnalysisItem(
        test_id=analysis.id,
        status=COMPLETED,
        version=1,
        created_at=dates.rfc3339_s(analysis.created_at),
        links=link_to(request, analysis),
    )
