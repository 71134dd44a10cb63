"""Letters that ask for a yes, and what the link in them does: join a sandbox, activate a user (facts/account.md, 9)."""

import hmac
from enum import StrEnum
from html import escape
from typing import NamedTuple

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.mail import tokens
from mailgun_emulator.mail.tokens import BadToken
from mailgun_emulator.pipeline import letters
from mailgun_emulator.state import accounts, sandbox_recipients, users
from mailgun_emulator.state.accounts import Account, AccountNotFound
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.users import User, UserNotFound

VALID_SECONDS = 7 * 86400
_HTML = '<p>{text}</p>\n<p><a href="{url}">{label}</a></p>\n'


class Asked(StrEnum):
    SANDBOX = "s"
    USER = "u"


class Name(StrEnum):
    """What the fields of a token are called."""

    ACCOUNT = "a"
    ASKED = "q"
    UNTIL = "u"
    WHO = "w"


class InvalidConfirmation(NotFound):
    """People read this."""

    message = "This link is not valid any more: it is too old, was cut short, or what it was about is gone."


class Confirmed(NamedTuple):
    """What the page says."""

    title: str
    text: str


def invite(tx: Tx, email: str) -> None:
    """Ask a recipient whether the sandbox may write to them."""
    account = accounts.get(tx, tx.account_id)
    text = f"{account.name} wants to send you test messages from its sandbox domain."
    _ask(tx, Asked.SANDBOX, email, email, ("Would you like to receive test messages?", text, "I agree"))


def ask_to_activate(tx: Tx, user: User) -> None:
    text = f"One step is left, {user.name}: tell us that this address is yours."
    _ask(tx, Asked.USER, user.id, user.email, ("Activate your account", text, "Activate"))


def _ask(tx: Tx, asked: Asked, who: str, email: str, words: tuple[str, str, str]) -> None:
    subject, text, label = words
    account = accounts.get(tx, tx.account_id)
    fields = [
        (Name.ACCOUNT, account.id),
        (Name.ASKED, asked),
        (Name.UNTIL, str(int(tx.now) + VALID_SECONDS)),
        (Name.WHO, who),
    ]
    url = f"{tx.base_url}/confirm/{tokens.make(asked, fields, _key(account))}"
    html = _HTML.format(text=escape(text), url=escape(url), label=label)
    letters.send(tx, [email], subject, f"{text}\n\n{label}: {url}\n", html)


def confirm(tx: Tx, text: str) -> Confirmed:
    """The transaction becomes that of the account whose link it is."""
    try:
        token = tokens.read(text)
        account = accounts.get(tx, token.first(Name.ACCOUNT))
        asked = token.first(Name.ASKED)
        token.check(asked, _key(account))
    except (BadToken, AccountNotFound):
        raise InvalidConfirmation from None
    tx.account_id = account.id
    if tx.now >= float(token.first(Name.UNTIL)):
        raise InvalidConfirmation
    return (
        _agree(tx, token.first(Name.WHO)) if asked == Asked.SANDBOX else _activate(tx, token.first(Name.WHO))
    )


def _agree(tx: Tx, email: str) -> Confirmed:
    recipient = sandbox_recipients.find(tx, email)
    if recipient is None:
        raise InvalidConfirmation
    sandbox_recipients.agree(recipient)
    name = accounts.get(tx, tx.account_id).name
    return Confirmed("Thank you", f"{email} gets test messages from {name}.")


def _activate(tx: Tx, user_id: str) -> Confirmed:
    try:
        user = users.activate(tx, user_id)
    except UserNotFound:
        raise InvalidConfirmation from None
    return Confirmed("Welcome", f"The user {user.email} is active.")


def _key(account: Account) -> bytes:
    """Neither the signing key itself nor the one for links in messages: see `tracking_urls`."""
    first = account.first_signing_key or account.signing_key
    return hmac.digest(first.encode(), b"confirmations", "sha256")
