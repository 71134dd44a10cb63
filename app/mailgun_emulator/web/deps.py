"""What a handler can ask for by type."""

import binascii
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from mailgun_emulator.core.errors import InvalidPrivateKey, Unauthorized
from mailgun_emulator.state import keys
from mailgun_emulator.state.database import Tx
from mailgun_emulator.web.forms import read_fields


async def begin(request: Request) -> AsyncIterator[Tx]:
    """Begin once the body is read: nothing may be awaited while a transaction is open."""
    emulator = request.app.state.emulator
    await emulator.ready()
    await read_fields(request)
    async with emulator.database.begin() as tx:
        authenticate(request, tx)
        yield tx


# `scope="function"` commits before the answer is sent, so that a client that has its answer
# can rely on what it says; FastAPI's default commits after.
CurrentTx = Annotated[Tx, Depends(begin, scope="function")]


async def begin_open(request: Request) -> AsyncIterator[Tx]:
    """For `/_emulator`, which asks for no key."""
    emulator = request.app.state.emulator
    await emulator.ready()
    await read_fields(request)
    async with emulator.database.begin(emulator.default_account_id) as tx:
        yield tx


OpenTx = Annotated[Tx, Depends(begin_open, scope="function")]


def authenticate(request: Request, tx: Tx) -> None:
    """HTTP Basic, user `api`, password the key (facts/sending.md, 10.1)."""
    refusal = (
        InvalidPrivateKey if request.scope["path"].startswith(("/v1/", "/v4/address/")) else Unauthorized
    )
    secret = _password(request.headers.get("authorization", ""))
    if not secret:
        raise refusal
    credential = keys.find_by_secret(tx, secret)
    emulator = request.app.state.emulator
    if credential is not None:
        if credential.kind == keys.Kind.DOMAIN and not may_send(request, credential):
            raise refusal
        tx.account_id = credential.account_id
        request.scope["mailgun_key_id"] = credential.id
    elif emulator.settings.strict:
        raise refusal
    else:
        tx.account_id = emulator.default_account_id
        request.scope["mailgun_key_id"] = keys.key_id(secret)


def may_send(request: Request, credential: keys.Credential) -> bool:
    """A domain's sending key opens its messages, nothing else (facts/account.md, 7)."""
    path = request.scope["path"]
    name = credential.domain_name or ""
    return request.method == "POST" and path in (f"/v3/{name}/messages", f"/v3/{name}/messages.mime")


def _password(header: str) -> str:
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(encoded).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
