"""Letters that ask for a yes, and what the link in them does: join a sandbox, activate a user (facts/account.md, 9)."""

import hmac
from enum import StrEnum
from html import escape
from typing import NamedTuple

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.mail import tokens
from mailgun_emulator.mail.periods import DAY
from mailgun_emulator.mail.tokens import BadToken
from mailgun_emulator.pipeline import letters
from mailgun_emulator.state import accounts, sandbox_recipients, users
from mailgun_emulator.state.accounts import Account, AccountNotFound
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.state.users import User, UserNotFound

VALID_SECONDS = 7 * DAY
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


class Words(NamedTuple):
    """What a letter says; `label` is what its link is called."""

    subject: str
    text: str
    label: str


class Confirmed(NamedTuple):
    """What the page says."""

    title: str
    text: str


def invite(tx: Tx, email: str, base_url: str) -> None:
    """Ask a recipient whether the sandbox may write to them; the link begins with `base_url`."""
    name = accounts.get(tx, tx.account_id).name
    text = f"{name} wants to send you test messages from its sandbox domain."
    words = Words("Would you like to receive test messages?", text, "I agree")
    _write(tx, email, words, _link(tx, Asked.SANDBOX, email, base_url), base_url)


def ask_to_activate(tx: Tx, user: User, base_url: str) -> None:
    text = f"One step is left, {user.name}: tell us that this address is yours."
    words = Words("Activate your account", text, "Activate")
    _write(tx, user.email, words, _link(tx, Asked.USER, user.id, base_url), base_url)


def _link(tx: Tx, asked: Asked, who: str, base_url: str) -> str:
    fields = [
        (Name.ACCOUNT, tx.account_id),
        (Name.ASKED, asked),
        (Name.UNTIL, str(int(tx.now) + VALID_SECONDS)),
        (Name.WHO, who),
    ]
    return f"{base_url}/confirm/{tokens.make(asked, fields, _key(accounts.get(tx, tx.account_id)))}"


def _write(tx: Tx, email: str, words: Words, url: str, base_url: str) -> None:
    html = _HTML.format(text=escape(words.text), url=escape(url), label=words.label)
    text = f"{words.text}\n\n{words.label}: {url}\n"
    letters.send(tx, [email], words.subject, text, html, base_url=base_url)


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
