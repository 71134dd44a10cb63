"""What a handler can ask for by type."""

import binascii
from base64 import b64decode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.types import Scope

from mailgun_emulator.core.errors import Forbidden, InvalidPrivateKey, NoPreviewKey, Unauthorized
from mailgun_emulator.mail.dkim import KeyPairs
from mailgun_emulator.pipeline import leniency
from mailgun_emulator.state import accounts, domains, keys, sending
from mailgun_emulator.state.domains import Domain
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.forms import as_flag, header_values, read_fields
from mailgun_emulator.web.hints import hint

USER = "api"
"""The user name that goes with every API key."""
ON_BEHALF_OF = b"x-mailgun-on-behalf-of"
PREVIEWS = ("/v1/preview/", "/v2/preview/")
AROUND = " \t\r\n'\"`<>"
"""What no key begins or ends with, and what gets there by mistake."""


async def begin(request: Request) -> AsyncIterator[Tx]:
    """Begin once the body is read: nothing may be awaited while a transaction is open."""
    emulator = request.app.state.emulator
    await emulator.ready()
    await read_fields(request)
    async with emulator.database.begin() as tx:
        authenticate(request, tx)
        yield tx


own_tx = asynccontextmanager(begin)
"""As `CurrentTx`, which is over before what follows: for who posts to somebody afterwards."""

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


AccountId = Annotated[
    str | None, Query(description="Its id; without it the API key sent along tells which, if there is one.")
]


async def chosen_tx(request: Request, tx: OpenTx, account: AccountId = None) -> Tx:
    """Of the account that `account` or an API key names; without both of the default account."""
    if account:
        accounts.check(tx, account)
        tx.account_id = account
    elif "authorization" in request.headers:
        authenticate(request, tx)
    return tx


ChosenTx = Annotated[Tx, Depends(chosen_tx, scope="function")]


async def chosen_account(request: Request, account: AccountId = None) -> str:
    """The id of the account as `ChosenTx` has it, for who works outside a transaction; empty if nothing names one."""
    emulator = request.app.state.emulator
    await emulator.ready()
    if not account and "authorization" not in request.headers:
        return ""
    async with emulator.database.begin(emulator.default_account_id) as tx:
        return (await chosen_tx(request, tx, account)).account_id


ChosenAccount = Annotated[str, Depends(chosen_account)]


async def current_domain(domain: str, tx: CurrentTx) -> Domain:
    """The domain the path names; 404 `Domain not found`."""
    return domains.get(tx, domain)


CurrentDomain = Annotated[Domain, Depends(current_domain)]


async def sending_side_domain(domain: str, tx: CurrentTx) -> SendingDomain:
    """The domain the path names, for paths that begin with it."""
    found = sending.find(tx, domain)
    if found is None:
        raise leniency.refusal_of_unknown_domain(tx)
    return found


KnownDomain = Annotated[SendingDomain, Depends(sending_side_domain)]


class Sending:
    """`CurrentTx` and the domain that the path names, made by the message if need be; for `bare` handlers."""

    def __init__(self, request: Request) -> None:
        self._request = request

    async def __aenter__(self) -> tuple[Tx, SendingDomain]:
        request, emulator = self._request, self._request.app.state.emulator
        await emulator.ready()
        await read_fields(request)
        self._tx: Tx = emulator.database.begin()
        self._tx.__enter__()
        try:
            authenticate(request, self._tx)
            return self._tx, self._domain(request.path_params["domain"])
        except BaseException as error:
            self._tx.__exit__(type(error), error, error.__traceback__)
            raise

    def _domain(self, name: str) -> SendingDomain:
        found = leniency.find_sending_domain(self._tx, name)
        if found is None:
            from mailgun_emulator.web import domain_hints  # seldom needed

            meant = domain_hints.about_made(self._tx, name)
            found = leniency.make_sending_domain(self._tx, name)
            if meant:
                hint(self._request, f"The account had no domain {name}, which a message makes; {meant}")
        return found

    async def __aexit__(self, kind: type[BaseException] | None, *about: object) -> None:
        await self._tx.__aexit__(kind, *about)


async def stocked(request: Request) -> KeyPairs:
    """A stock of DKIM key pairs that lasts for one request: ask for it before `CurrentTx`."""
    pairs: KeyPairs = request.app.state.emulator.database.key_pairs
    fields = await read_fields(request)
    await pairs.at_hand(1024)
    if "2048" in (fields.first("dkim_key_size"), fields.first("bits")):
        await pairs.at_hand(2048)
    if as_flag(fields.first("use_automatic_sender_security")) is True:
        await pairs.at_hand(2048, 2)
    return pairs


Stocked = Annotated[KeyPairs, Depends(stocked)]


def authenticate(request: Request, tx: Tx) -> None:
    """HTTP Basic, user `api`, password the key (facts/sending.md, 10.1)."""
    user, secret = _login(header_values(request.scope).get(b"authorization", b""))
    credential = keys.find_by_secret(tx, secret) if secret else None
    if credential is not None:
        request.scope["mailgun_account_id"] = credential.account_id
        if credential.kind == keys.Kind.DOMAIN and not may_send(request, credential):
            raise refusal_at(request.scope["path"])(
                hint=f"The key is a sending key of {credential.domain_name}: it only sends its messages"
            )
        if not keys.allows(credential.role, request.method, request.scope["path"]):
            raise Forbidden(hint=f"A key of role {credential.role} may not do this.")
        tx.account_id = credential.account_id
        request.scope["mailgun_key_id"] = credential.id
    elif secret and not keys.is_known(tx, secret) and leniency.opens_default_account(tx):
        tx.account_id = request.app.state.emulator.default_account_id
        request.scope["mailgun_key_id"] = keys.key_id(secret)
        request.scope["mailgun_account_id"] = tx.account_id
        if secret.strip(AROUND) != secret:
            hint(request, "There are quotes or white space around the key")
    else:
        _explain(request, tx)
        raise refusal_at(request.scope["path"])
    if credential is not None and credential.kind == keys.Kind.WEB:
        from mailgun_emulator.web import sessions  # programs have keys of another kind

        if not sessions.goes_on(request, tx, credential):
            raise refusal_at(request.scope["path"])(
                hint="The key was not used for longer than inactive_session_timeout"
            )
    elif tx.has_ip_allowlist:
        from mailgun_emulator.web import ip_allowlist  # few accounts say where they may be used from

        ip_allowlist.check(request, tx)
    if ON_BEHALF_OF in header_values(request.scope):
        _speak_for_subaccount(request, tx, credential)
    if user != USER:
        hint(request, f"Mailgun's user name is `{USER}`, not `{user}`")


def _speak_for_subaccount(request: Request, tx: Tx, credential: keys.Credential | None) -> None:
    """From here on the account is the subaccount, for the journal, too."""
    named = spoken_for(request.scope)
    if not named or _deletes_subaccount(request.scope):
        return
    if credential is not None and credential.kind == keys.Kind.DOMAIN:
        raise Forbidden(hint=f"A sending key of {credential.domain_name} speaks for no other account")
    from mailgun_emulator.state import subaccounts  # the others have no use for it

    if not subaccounts.is_live(tx, tx.account_id, named):
        raise Forbidden(hint=subaccounts.why_not(tx, named))
    tx.account_id = request.scope["mailgun_account_id"] = named


def spoken_for(scope: Scope) -> str:
    """The id of the subaccount that a request names; empty if none."""
    return header_values(scope).get(ON_BEHALF_OF, b"").decode("latin-1").strip()


def _deletes_subaccount(scope: Scope) -> bool:
    """There the header says which, and it is its parent who acts (facts/account.md, 8)."""
    path: str = scope["path"]
    return scope["method"] == "DELETE" and path.rstrip("/") == "/v5/accounts/subaccounts"


def refusal_at(path: str) -> type[Unauthorized]:
    """How the service that the path leads to refuses a wrong key (facts/account.md, 0.4 and 0.5)."""
    if path.startswith(PREVIEWS):
        return NoPreviewKey
    return InvalidPrivateKey if path.startswith(("/v1/", "/v4/address/")) else Unauthorized


def _explain(request: Request, tx: Tx) -> None:
    from mailgun_emulator.web import login_hints  # seldom needed

    for text in login_hints.about(request, tx, AROUND):
        hint(request, text)


def account_of(scope: Scope, tx: Tx, default_account_id: str) -> str:
    """The account a request speaks for, whether or not it may; empty if none."""
    _, secret = _login(header_values(scope).get(b"authorization", b""))
    credential = keys.find_by_secret(tx, secret) if secret else None
    if credential is not None:
        account_id = credential.account_id
    else:
        is_welcome = bool(secret) and leniency.opens_default_account(tx) and not keys.is_known(tx, secret)
        account_id = default_account_id if is_welcome else ""
    named = spoken_for(scope)
    if not named or _deletes_subaccount(scope):
        return account_id
    from mailgun_emulator.state import subaccounts

    return named if subaccounts.is_live(tx, account_id, named) else account_id


def may_send(request: Request, credential: keys.Credential) -> bool:
    """A domain's sending key opens its messages, nothing else (facts/account.md, 7)."""
    path = request.scope["path"]
    name = credential.domain_name or ""
    return request.method == "POST" and path.lower() in (f"/v3/{name}/messages", f"/v3/{name}/messages.mime")


def sent_secret(request: Request) -> str:
    """The password of HTTP Basic; empty if there is none."""
    return _login(header_values(request.scope).get(b"authorization", b""))[1]


@lru_cache(maxsize=256)
def _login(header: bytes) -> tuple[str, str]:
    """User name and password."""
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return "", ""
    try:
        user, _, password = b64decode(encoded).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return user, password
