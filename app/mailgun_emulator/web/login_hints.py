"""Why a key was refused."""

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailgun_emulator.state import accounts, keys
from mailgun_emulator.web.forms import header_values

if TYPE_CHECKING:
    from fastapi import Request

    from mailgun_emulator.state.transaction import Tx

HOW = "log in by HTTP Basic with the user name `api` and an API key as password"
_SIGNING_KEY = re.compile(r"[0-9a-f]{32}")


def about(request: "Request", tx: "Tx", around: str) -> Iterator[str]:
    """`around` are the letters that get around keys by mistake."""
    header = header_values(request.scope).get(b"authorization", b"").decode("latin-1").strip()
    scheme, _, encoded = header.partition(" ")
    if not header:
        yield f"No Authorization header came: {HOW}"
    elif scheme.lower() == "bearer":
        yield f"Mailgun takes no Bearer token: {HOW}"
    elif scheme.lower() != "basic":
        yield f"The Authorization header does not begin with `Basic `: {HOW}"
    else:
        try:
            user, colon, password = b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            user, colon, password = "", "", ""
        if not colon:
            yield f"What stands behind `Basic ` is not user:password in base64: {HOW}"
        elif not password:
            yield _about_user(tx, user)
        else:
            yield from _about_login(request, tx, user, password, around)


def _about_user(tx: "Tx", user: str) -> str:
    if keys.is_known(tx, user) or user.startswith(("key-", "pubkey-")):
        return f"The key came as the user name: {HOW}"
    return f"The password is empty: {HOW}"


def _about_login(request: "Request", tx: "Tx", user: str, secret: str, around: str) -> Iterator[str]:
    if user != "api":
        yield f"Mailgun's user name is `api`, not `{user}`"
    former = keys.find_former(tx, secret)
    if former is not None:
        request.scope["mailgun_account_id"] = former.account_id
        yield _about_former(former)
    else:
        yield _about_unknown(tx, user, secret, secret.strip(around))


def _about_former(key: keys.Credential) -> str:
    if key.deleted:
        return "This key was deleted"
    if key.disabled_reason is not None:
        return (
            f"This key is disabled: {key.disabled_reason}" if key.disabled_reason else "This key is disabled"
        )
    return "This key has expired"


def _about_unknown(tx: "Tx", user: str, secret: str, bare: str) -> str:
    if bare != secret and keys.is_known(tx, bare):
        return "There are quotes or white space around the key: without them it is known"
    if secret.startswith("pubkey-"):
        return "This is a public key: it opens nothing but the validation of addresses"
    if accounts.has_signing_key(tx, secret):
        return "This is the key that webhooks are signed with, not an API key"
    if keys.is_known(tx, user):
        return f"The key came as the user name: {HOW}"
    if _SIGNING_KEY.fullmatch(secret):
        return "No account has this key. It looks like one that webhooks are signed with, not like an API key"
    return "No account has this key"
