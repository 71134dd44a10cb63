"""Validations of whole lists (facts/account.md, 11.2 and 11.3)."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import quote

import orjson
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import validation_lists
from mailgun_emulator.mail.validation_lists import AddressList
from mailgun_emulator.state import features, mailing_lists, validation_jobs
from mailgun_emulator.state.features import Feature
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.validation_jobs import JobNotFound, Kind, Status, ValidationJob
from mailgun_emulator.web.deps import CurrentTx
from mailgun_emulator.web.forms import CurrentFields, Form, Upload, read_fields, takes
from mailgun_emulator.web.paging import KeysetRequest, base_url, keyset, link
from mailgun_emulator.web.views import REFUSALS, Done, only_if_set

router = APIRouter(tags=["Validations"])

MOST_ON_PAGE = 500
FORMATS = {"csv": validation_lists.as_csv, "json": validation_lists.as_json}


class MissingFile(BadRequest):
    """Mailgun's own text is not known."""

    message = "'file' parameter is required"


class FileForm(Form):
    file: Any = Field(description="CSV with a column `email` or `email_address`; gzip is read, too.")


class JobsForm(Form):
    limit: int = Field(MOST_ON_PAGE, description="Most jobs on a page.")
    page: str = Field("", description="`first`, `next`, `prev` or `last`.")
    pivot: str = Field("", description="Where next and prev begin.")


class ResultNumbers(BaseModel):
    catch_all: int
    deliverable: int
    do_not_send: int
    undeliverable: int
    unknown: int


class RiskNumbers(BaseModel):
    high: int
    low: int
    medium: int
    unknown: int


class Summary(BaseModel):
    result: ResultNumbers
    risk: RiskNumbers


class DownloadUrls(BaseModel):
    """Each is an archive with one file."""

    csv: str
    json_: str = Field(alias="json")


class JobView(BaseModel):
    """Results and their summary are there once the job is `uploaded`; `records_processed` is null before it begins."""

    created_at: int
    download_url: DownloadUrls | None = only_if_set()
    id: str
    quantity: int
    records_processed: int | None
    status: Status
    summary: Summary | None = only_if_set()


class JobPaging(BaseModel):
    """`prev` and `previous` are the same."""

    first: str
    last: str
    next: str
    prev: str
    previous: str


class JobList(BaseModel):
    jobs: list[JobView]
    paging: JobPaging
    total: int


class Submitted(BaseModel):
    id: str
    message: str


class PreviewView(BaseModel):
    """The summary's numbers are percentages of the addresses that were looked at."""

    id: str
    valid: bool
    status: str
    quantity: int
    created_at: int
    summary: dict[str, dict[str, int | float]]


class PreviewList(BaseModel):
    previews: list[PreviewView]


class OnePreview(BaseModel):
    preview: PreviewView


# What is read from a request


@takes(FileForm)
async def read_file(request: Request) -> AddressList:
    """Ask for it before `CurrentTx`: a large file is read in a thread. What is wrong with it comes after the key."""
    given = (await read_fields(request)).first("file")
    if given is None or given == "":
        return AddressList(refusal=MissingFile())
    data = given.data if isinstance(given, Upload) else str(given).encode()
    return await asyncio.to_thread(validation_lists.read, data)


CurrentAddresses = Annotated[AddressList, Depends(read_file)]

# What is answered


def view(request: Request, job: ValidationJob, name: str = "") -> JobView:
    name = name or job.name
    is_done = job.status == Status.UPLOADED
    at = f"{base_url(request)}/v4/address/validate/bulk/{quote(name, safe='@')}/{job.id}"
    return JobView(
        created_at=int(job.created_at),
        download_url=DownloadUrls(**{each: f"{at}.{each}.zip" for each in FORMATS}) if is_done else None,
        id=name,
        quantity=job.quantity,
        records_processed=None if job.status == Status.CREATED else job.records_processed,
        status=Status(job.status),
        summary=None if job.finished_at is None else Summary.model_validate_json(job.summary),
    )


def preview_view(job: ValidationJob) -> PreviewView:
    summary = orjson.loads(job.summary)
    return PreviewView(
        id=job.name,
        valid=True,
        status="preview_complete" if job.status == Status.UPLOADED else "preview_processing",
        quantity=job.quantity,
        created_at=int(job.created_at),
        summary={
            name: {each: percentage(number, job.records_processed) for each, number in numbers.items()}
            for name, numbers in summary.items()
        },
    )


def percentage(number: int, of: int) -> int | float:
    found = round(100 * number / of, 2) if of else 0
    return int(found) if found == int(found) else found


def page_of(jobs: Sequence[ValidationJob], asked: KeysetRequest) -> Sequence[ValidationJob]:
    """Before or behind the pivot, or from either end."""
    place = next((place for place, job in enumerate(jobs) if job.id == asked.pivot), None)
    if asked.page == "last":
        return jobs[-asked.limit :]
    if asked.page == "next" and asked.pivot:
        return [] if place is None else jobs[place + 1 :][: asked.limit]
    if asked.page == "previous":
        return [] if place is None else jobs[:place][-asked.limit :]
    return jobs[: asked.limit]


def links(request: Request, asked: KeysetRequest, page: Sequence[ValidationJob], newest: str) -> JobPaging:
    """Nothing is before the `newest`; past either end, the way back leads to the page at that end."""

    def to(name: str, pivot: str = "") -> str:
        return link(request, limit=asked.limit, page=name, pivot=pivot)

    before, behind = to("prev"), to("next", asked.pivot)
    if page:
        before, behind = to("prev", "" if page[0].id == newest else page[0].id), to("next", page[-1].id)
    elif asked.page == "previous":
        behind = to("first")
    elif asked.page == "next":
        before = to("last")
    return JobPaging(first=to("first"), last=to("last"), next=behind, prev=before, previous=before)


class Results(NamedTuple):
    """What the one file in an archive is called, and what it is written of, and how."""

    name: str
    parts: list[str]
    write: Callable[[list[str]], bytes]


async def find_results(request: Request, file: str) -> Results:
    """`file` is the job's id, and `.csv.zip` or `.json.zip`."""
    job_id, _, kind = file.removesuffix(".zip").partition(".")
    emulator = request.app.state.emulator
    await emulator.ready()
    async with emulator.database.begin() as tx:
        job = validation_jobs.find_anybodys(tx, job_id)
        if job is None or job.status != Status.UPLOADED or kind not in FORMATS:
            raise JobNotFound
        return Results(f"{job.name}.{kind}", validation_jobs.results(tx, job), FORMATS[kind])


def start(tx: Tx, kind: Kind, name: str, addresses: AddressList) -> str:
    features.check(tx, Feature.VALIDATIONS_BULK)
    return validation_jobs.create(tx, kind, name, addresses).name


# Lists


@router.get("/v4/address/validate/bulk", responses=REFUSALS)
@takes(JobsForm)
async def list_validation_jobs(request: Request, tx: CurrentTx, fields: CurrentFields) -> JobList:
    """List the validations of lists, the newest first."""
    asked = keyset(fields, "pivot", default=MOST_ON_PAGE, most=MOST_ON_PAGE)
    jobs = validation_jobs.list_jobs(tx, Kind.BULK)
    page = page_of(jobs, asked)
    paging = links(request, asked, page, jobs[0].id if jobs else "")
    return JobList(jobs=[view(request, job) for job in page], paging=paging, total=len(jobs))


@router.post("/v4/address/validate/bulk/{list_id}", responses=REFUSALS)
async def validate_list(addresses: CurrentAddresses, tx: CurrentTx, list_id: str) -> Submitted:
    """Validate all addresses of a file, in the background."""
    name = start(tx, Kind.BULK, list_id, addresses)
    return Submitted(id=name, message="The validation job was submitted.")


@router.get("/v4/address/validate/bulk/{list_id}", responses=REFUSALS)
async def get_validation_job(request: Request, tx: CurrentTx, list_id: str) -> JobView:
    """Tell how far a list's validation is and, once it is done, where its results are."""
    return view(request, validation_jobs.get(tx, Kind.BULK, list_id))


@router.delete("/v4/address/validate/bulk/{list_id}", responses=REFUSALS)
async def cancel_validation_job(tx: CurrentTx, list_id: str) -> Done:
    """Stop a list's validation, or delete its results."""
    validation_jobs.cancel(tx, validation_jobs.get(tx, Kind.BULK, list_id))
    return Done(message="Validation job canceled.")


@router.get("/v4/address/validate/bulk/{list_id}/{file}", include_in_schema=False)
async def download_results(request: Request, list_id: str, file: str) -> Response:
    """Who knows the address of the results gets them without a key."""
    found = await find_results(request, file)
    content = await asyncio.to_thread(lambda: validation_lists.packed(found.name, found.write(found.parts)))
    return Response(content, media_type="application/zip")


# Previews of lists


@router.get("/v4/address/validate/preview", responses=REFUSALS)
async def list_validation_previews(tx: CurrentTx) -> PreviewList:
    """List the previews of lists, the newest first."""
    return PreviewList(previews=[*map(preview_view, validation_jobs.list_jobs(tx, Kind.PREVIEW))])


@router.post("/v4/address/validate/preview/{list_id}", responses=REFUSALS)
async def preview_list(addresses: CurrentAddresses, tx: CurrentTx, list_id: str) -> Submitted:
    """Validate a sample of a file's addresses, which is not billed for."""
    name = start(tx, Kind.PREVIEW, list_id, addresses)
    return Submitted(id=name, message="The bulk preview was submitted.")


@router.get("/v4/address/validate/preview/{list_id}", responses=REFUSALS)
async def get_validation_preview(tx: CurrentTx, list_id: str) -> OnePreview:
    """Tell what a list would come to, in percentages."""
    return OnePreview(preview=preview_view(validation_jobs.get(tx, Kind.PREVIEW, list_id)))


@router.put("/v4/address/validate/preview/{list_id}", responses=REFUSALS)
async def promote_validation_preview(tx: CurrentTx, list_id: str) -> Submitted:
    """Validate the whole list that was previewed."""
    features.check(tx, Feature.VALIDATIONS_BULK)
    job = validation_jobs.promote(tx, validation_jobs.get(tx, Kind.PREVIEW, list_id))
    return Submitted(id=job.name, message="The bulk preview job was promoted to a bulk validation job.")


@router.delete("/v4/address/validate/preview/{list_id}", status_code=204, responses=REFUSALS)
async def delete_validation_preview(tx: CurrentTx, list_id: str) -> Response:
    """Delete a preview; a validation it was promoted to goes on."""
    validation_jobs.delete_preview(tx, validation_jobs.get(tx, Kind.PREVIEW, list_id))
    return Response(status_code=204)


# Mailing lists


@router.post("/v3/lists/{list_address}/validate", responses=REFUSALS)
async def validate_mailing_list(tx: CurrentTx, list_address: str) -> Submitted:
    """Validate the addresses of a mailing list's members, in the background."""
    features.check(tx, Feature.VALIDATIONS_BULK)
    listed = mailing_lists.get(tx, list_address)
    validation_jobs.create_of_list(tx, listed)
    return Submitted(id=listed.spelled, message="The validation job was submitted.")


@router.get("/v3/lists/{list_address}/validate", responses=REFUSALS)
async def get_mailing_list_validation(request: Request, tx: CurrentTx, list_address: str) -> JobView:
    """Tell how far the validation of a mailing list is and, once it is done, where its results are."""
    listed = mailing_lists.get(tx, list_address)
    return view(request, validation_jobs.get_of_list(tx, listed), listed.spelled)


@router.delete("/v3/lists/{list_address}/validate", responses=REFUSALS)
async def cancel_mailing_list_validation(tx: CurrentTx, list_address: str) -> Done:
    """Stop the validation of a mailing list, or delete its results."""
    validation_jobs.cancel(tx, validation_jobs.get_of_list(tx, mailing_lists.get(tx, list_address)))
    return Done(message="Validation job canceled.")
