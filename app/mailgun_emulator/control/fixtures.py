"""Fixture files: accounts with all they have and all that has happened, to read, to change, to load again."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from mailgun_emulator.control import faults, outcomes
from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.fixtures import exporting, importing, writing
from mailgun_emulator.fixtures.importing import Loaded
from mailgun_emulator.fixtures.reading import Readers
from mailgun_emulator.state import accounts
from mailgun_emulator.web.deps import ChosenAccount
from mailgun_emulator.web.forms import Upload, read_fields
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.views import REFUSALS, Done, Responses

router = APIRouter(prefix="/_emulator", tags=["Emulator"])

JSON, YAML = "application/json", "application/yaml"
FILE: Responses = {
    404: {"model": Done},
    200: {
        "description": "A fixture file",
        "content": {JSON: {"schema": {"type": "object"}}, YAML: {"schema": {"type": "string"}}},
    },
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"type": "object"}},
            YAML: {"schema": {"type": "string"}},
            "multipart/form-data": {
                "schema": {"type": "object", "properties": {"file": {"type": "string", "format": "binary"}}}
            },
        },
    }
}


class NoFile(BadRequest):
    message = (
        "There is no fixture file in the request: send it as the body, or as a file of a multipart form. "
        "fixture.schema.json describes it."
    )


class LoadedAccount(BaseModel):
    """`counts` are how many of each kind of thing came into it."""

    id: str
    name: str
    counts: dict[str, int]


class ImportResult(BaseModel):
    message: str
    accounts: list[LoadedAccount]


def read_outcome(given: Any) -> dict[str, Any]:
    asked = outcomes.OutcomeRuleForm.model_validate(given)
    wanted, outcome = outcomes.parts(asked)
    return {"match": wanted, **outcome, **({} if asked.times is None else {"times": asked.times})}


def read_fault(given: Any) -> dict[str, Any]:
    return faults.FaultForm.model_validate(given).model_dump(exclude_none=True)


READERS: Readers = {"outcomes": read_outcome, "faults": read_fault}


@router.get("/export", responses=FILE, response_class=Response)
async def export_fixture(
    request: Request,
    account: ChosenAccount,
    file_format: Annotated[
        Literal["json", "yaml"], Query(alias="format", description="`json` or `yaml`.")
    ] = "json",
) -> Response:
    """Tell all accounts, or the one that `account` or an API key names with its subaccounts, as a fixture file.

    Times are told by how far they are from the latest thing that has happened. Imported and exported again it is the
    same, byte for byte.
    """
    emulator = request.app.state.emulator
    default_id = emulator.default_account_id
    with emulator.database.reading(account or default_id) as tx:
        own = exporting.with_subaccounts(tx, account)
        ids = own if account else [each.id for each in accounts.list_all(tx)]
    copy = emulator.database.copied()
    try:
        told = await asyncio.to_thread(exporting.export, copy, ids, default_id)
        write = writing.as_yaml if file_format == "yaml" else writing.as_json
        text = await asyncio.to_thread(write, told)
    finally:
        copy.close()
    return Response(text, media_type=YAML if file_format == "yaml" else JSON)


@router.post("/import", responses=REFUSALS, openapi_extra=BODY)
async def import_fixture(request: Request, account: ChosenAccount) -> ImportResult:
    """Load a fixture file, JSON or YAML: all of it, or nothing if anything is wrong with it.

    An account whose id is there is emptied first; one without an id is new. With `account` or an API key, or if the
    file has no accounts, all goes into that account, or the default one: what has the same name is replaced, all
    else stays. `$MAILGUN_DOMAIN` in a file without accounts is the name of the first domain of the one it goes into.
    Webhooks are not told of what has happened.
    """
    emulator = request.app.state.emulator
    body, name = await _file(request)
    prepared = await asyncio.to_thread(importing.prepare, body, name, READERS)
    async with emulator.database.begin(emulator.default_account_id) as tx:
        outcome = importing.load(tx, prepared, emulator.default_account_id, base_url(request), account)
        emulator.rename_default(outcome.default_id)
    return ImportResult(
        message=f"Imported {_counted(outcome.accounts)}",
        accounts=[LoadedAccount(**each._asdict()) for each in outcome.accounts],
    )


async def _file(request: Request) -> tuple[bytes, str]:
    """Its content and its name."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        body = await request.body()
        if not body.strip():
            raise NoFile
        return body, ""
    for values in (await read_fields(request)).values():
        for value in values:
            if isinstance(value, Upload):
                return value.data, value.filename
    raise NoFile


def _counted(loaded: list[Loaded]) -> str:
    messages = sum(each.counts.get("messages", 0) for each in loaded)
    number = f"{len(loaded)} account{'' if len(loaded) == 1 else 's'}"
    return f"{number}, {messages} message{'' if messages == 1 else 's'}"
