"""Snapshots: everything, or one account, as it was at a moment; to go back to as often as is wanted."""

import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates
from mailgun_emulator.pipeline import restoring
from mailgun_emulator.state import snapshot_files
from mailgun_emulator.state.snapshot_store import MOST_BYTES, Snapshot, SnapshotStore, TooLarge
from mailgun_emulator.web.deps import AccountId, chosen_account
from mailgun_emulator.web.views import REFUSALS, Done, Responses, refusals

router = APIRouter(prefix="/_emulator/snapshots", tags=["Emulator"])

CONFLICTS = refusals(400, 404, 409)
MEDIA_TYPE = "application/vnd.sqlite3"
FILE: Responses = {
    **CONFLICTS,
    200: {
        "description": "A SQLite database",
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
_NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")


class InvalidName(BadRequest):
    message = "name has to be 1 to 64 letters, digits, dots, dashes and underscores"


class OfAnother(BadRequest):
    def __init__(self, found: str | None, wanted: str) -> None:
        whose = f"of account {found}" if found else "of everything"
        super().__init__(
            f"The file is a snapshot {whose}, not of account {wanted}. Leave out account and key."
        )


class NewSnapshot(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, description="1 to 64 of `A-Z a-z 0-9 . _ -`; made up if it is left out.")


class SnapshotView(BaseModel):
    """`account` is null if it is of everything; `at` in seconds since 1970 by the emulator's own clock, `size` in
    bytes.
    """

    name: str
    account: str | None
    at: float
    iso: str
    size: int


class SnapshotList(BaseModel):
    """The oldest first."""

    items: list[SnapshotView]


def view(snapshot: Snapshot) -> SnapshotView:
    return SnapshotView(
        name=snapshot.name,
        account=snapshot.account_id,
        at=snapshot.at,
        iso=dates.rfc3339_ms(snapshot.at),
        size=snapshot.size,
    )


async def snapshots_owner(request: Request, account: AccountId = None) -> str | None:
    """As `ChosenAccount`; also an account that isn't there, but has snapshots."""
    if account and store_of(request).list_all(account):
        return account
    return await chosen_account(request, account) or None


SnapshotsOwner = Annotated[str | None, Depends(snapshots_owner)]


def named_snapshot(request: Request, owner: SnapshotsOwner, name: str) -> Snapshot:
    """If no account is named: that of everything or else the only one of that name."""
    return store_of(request).get(name, owner)


def store_of(request: Request) -> SnapshotStore:
    store: SnapshotStore = request.app.state.emulator.snapshots
    return store


@router.post("", responses=CONFLICTS)
async def create_snapshot(
    request: Request, owner: SnapshotsOwner, asked: NewSnapshot | None = None
) -> SnapshotView:
    """Keep all that is there now: of the account that `account` or a key names, with its subaccounts, or of all.

    One of the same name is replaced.
    """
    emulator, store = request.app.state.emulator, store_of(request)
    name = check(asked.name) if asked and asked.name is not None else store.new_name(owner)
    if owner is None:
        content = await restoring.take_everything(emulator.database)
    else:
        content = restoring.take_account(emulator.database, emulator.account_copies, owner)
    return await keep(request, name, owner, content)


@router.get("", responses=REFUSALS)
async def list_snapshots(request: Request, owner: SnapshotsOwner) -> SnapshotList:
    """List the snapshots of an account or, if none is named, all there are."""
    return SnapshotList(items=[view(each) for each in store_of(request).list_all(owner)])


@router.get("/{name}", responses=FILE, response_class=Response)
async def download_snapshot(request: Request, owner: SnapshotsOwner, name: str) -> Response:
    """Download a snapshot as a file, for any emulator of this version."""
    snapshot = named_snapshot(request, owner, name)
    content = await restoring.call(snapshot.size, store_of(request).read, snapshot)
    headers = {"Content-Disposition": f'attachment; filename="{snapshot.name}.sqlite3"'}
    return Response(content, media_type=MEDIA_TYPE, headers=headers)


@router.put("/{name}", responses=CONFLICTS, openapi_extra=UPLOAD)
async def upload_snapshot(request: Request, owner: SnapshotsOwner, name: str) -> SnapshotView:
    """Keep a snapshot that was downloaded, here or from another emulator; the file says of which account it is.

    What is no snapshot of this version is refused, and nothing of a file but the rows of known tables is taken.
    """
    check(name)
    body = await read_body(request)
    tables = request.app.state.emulator.account_copies.tables
    upload = await restoring.call(len(body), snapshot_files.read, body, tables)
    if owner not in (None, upload.account_id):
        raise OfAnother(upload.account_id, owner)
    return await keep(request, name, upload.account_id, upload.content)


@router.post("/{name}/restore", responses=CONFLICTS)
async def restore_snapshot(request: Request, owner: SnapshotsOwner, name: str) -> Done:
    """Go back: of an account's snapshot the account alone, and all others go on undisturbed.

    Pending work comes back with its times, clocks as they were set; posts under way are broken off.
    """
    emulator, store = request.app.state.emulator, store_of(request)
    snapshot = named_snapshot(request, owner, name)
    content = await restoring.call(snapshot.size, store.read, snapshot)
    await emulator.ready()
    if snapshot.account_id is None:
        await emulator.restore(content)
    else:
        await restoring.restore_account(emulator.database, emulator.worker, emulator.account_copies, content)
    return Done(message="Snapshot restored")


@router.delete("/{name}", responses=CONFLICTS)
async def delete_snapshot(request: Request, owner: SnapshotsOwner, name: str) -> Done:
    """Delete a snapshot."""
    store_of(request).delete(named_snapshot(request, owner, name))
    return Done(message="Snapshot deleted")


async def keep(request: Request, name: str, owner: str | None, content: bytes) -> SnapshotView:
    at = request.app.state.emulator.clock.now()
    return view(await restoring.call(len(content), store_of(request).put, name, owner, at, content))


async def read_body(request: Request) -> bytes:
    """As long as a snapshot may be, which is longer than all else that is sent."""
    pieces, size = [], 0
    async for piece in request.stream():
        pieces.append(piece)
        size += len(piece)
        if size > MOST_BYTES:
            raise TooLarge
    return b"".join(pieces)


def check(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise InvalidName
    return name
