"""The links that a message carries for one recipient, and what they say when followed (facts/sending.md, 5.2)."""

import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import orjson

from mailgun_emulator.core.errors import NotFound
from mailgun_emulator.mail import links, tokens
from mailgun_emulator.mail.tokens import BadToken, Field, Token
from mailgun_emulator.pipeline.about import About
from mailgun_emulator.state import events, tracked
from mailgun_emulator.state.events import EventType
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.tracked import TrackedDomain
from mailgun_emulator.state.transaction import Tx

LONGEST_UNSUBSCRIBE_URL = 900
"""It may stand in a header field, a line of which has at most 998 characters."""
EVERYTHING = "*"
MAILBOX = "u+"

_CLICKED = re.compile(r"https?://[^?#]+/c/([\w-]+)", re.ASCII).fullmatch
_VARIABLE = "v:"
_LEFT_OUT = "-"


class Purpose(StrEnum):
    CLICK = "c"
    OPEN = "o"
    UNSUBSCRIBE = "u"
    MAIL = "m"


class Name(StrEnum):
    """What the fields of a token are called; all others are the message's variables."""

    DOMAIN = "d"
    SENT_AT = "e"
    OF_MESSAGE = "g"
    SIGNATURE = "h"
    MESSAGE_ID = "i"
    TARGET = "l"
    MAILING_LIST = "m"
    RECIPIENT = "r"
    TAG = "t"
    NO_VARIABLES = "u"


class InvalidLink(NotFound):
    """Mailgun's own words are not known; people read these."""

    message = "This link is not valid: it was cut short or changed, or the domain it belongs to is gone."


@dataclass(frozen=True, slots=True)
class Links:
    """`base` is the URL they begin with; `mailing_list` the address of the list the message came by, if it did."""

    domain: TrackedDomain
    message: SentMessage
    recipient: str
    base: str
    mailing_list: str = ""

    def open(self) -> str:
        fields = [*self._fields(), *self._tags(Name.TAG), *_variables(self.message.variables)]
        return self._url(Purpose.OPEN, fields)

    def click(self, target: str) -> str:
        """To `target`, by way of us; directly if that would become too long."""
        fields = [*self._fields(), *self._tags(Name.TAG), *_variables(self.message.variables)]
        try:
            return self._url(Purpose.CLICK, [*fields, (Name.TARGET, target)])
        except tokens.TooLong:
            return target

    def unsubscribe(self) -> str:
        """From all mail of the domain."""
        return self._unsubscribe([(Name.TAG, EVERYTHING), *self._tags(Name.OF_MESSAGE)])

    def unsubscribe_from_tags(self) -> str:
        """From that with the message's tags; from all if it has none."""
        tags = self._tags(Name.TAG)
        return self._unsubscribe(tags) if tags else self.unsubscribe()

    def leave_list(self) -> str:
        if not self.mailing_list:
            return self.unsubscribe()
        return self._unsubscribe([(Name.MAILING_LIST, self.mailing_list), *self._tags(Name.OF_MESSAGE)])

    def unsubscribe_address(self) -> str:
        fields = [*self._fields(), (Name.TAG, EVERYTHING)]
        if self.mailing_list:
            fields = [*self._fields(), (Name.MAILING_LIST, self.mailing_list)]
        local = tokens.make_local_part(Purpose.MAIL, fields, _key(self.domain))
        return f"{MAILBOX}{local}@{self.domain.name}"

    def _unsubscribe(self, refused: list[Field]) -> str:
        fields = [*self._fields(), *refused]
        url = self._url(Purpose.UNSUBSCRIBE, [*fields, *_variables(self.message.variables)])
        if len(url) > LONGEST_UNSUBSCRIBE_URL:
            url = self._url(Purpose.UNSUBSCRIBE, [*fields, (Name.NO_VARIABLES, _LEFT_OUT)])
        return url

    def _fields(self) -> list[Field]:
        return [
            (Name.DOMAIN, self.domain.id),
            (Name.SENT_AT, str(int(self.message.accepted_at))),
            (Name.MESSAGE_ID, self.message.message_id),
            (Name.RECIPIENT, self.recipient),
        ]

    def _tags(self, name: Name) -> list[Field]:
        return [(name, tag) for tag in orjson.loads(self.message.tags)]

    def _url(self, purpose: Purpose, fields: list[Field]) -> str:
        return f"{self.base}/{purpose}/{tokens.make(purpose, fields, _key(self.domain))}"


class Visit(NamedTuple):
    """What a link says: `url` where it leads to, `tags` what mail it refuses, none if all."""

    about: About
    recipient: str
    url: str = ""
    tags: tuple[str, ...] = ()
    mailing_list: str = ""


def of_copy(tx: Tx, message: SentMessage, recipient: str, mailing_list: str = "") -> Links | None:
    """None if the domain is gone."""
    domain = tracked.find(tx, message.domain_id)
    if domain is None:
        return None
    return Links(domain, message, recipient, _base(tx, domain, message), mailing_list)


def follow(tx: Tx, purpose: Purpose, text: str) -> Visit:
    """The transaction becomes that of the account whose link it is. Raise `InvalidLink`."""
    try:
        token = tokens.read(text)
        domain = _checked(tx, purpose, token)
    except BadToken:
        raise InvalidLink from None
    url = token.first(Name.TARGET)
    if purpose is Purpose.CLICK and not links.is_http(url):
        raise InvalidLink
    tx.account_id = domain.account_id
    return _visit(tx, domain, token)


def target_of(tx: Tx, url: str) -> str | None:
    """Where a link of the account's mail leads in the end; None if it is not one of those that are counted."""
    match = _CLICKED(url)
    if match is None:
        return None
    try:
        token = tokens.read(match[1])
        domain = _checked(tx, Purpose.CLICK, token)
    except BadToken:
        return None
    return token.first(Name.TARGET) if domain.account_id == tx.account_id else None


def follow_address(tx: Tx, domain_id: str, local_part: str) -> Visit | None:
    """None for an address that is not one of ours to unsubscribe by."""
    if not local_part.lower().startswith(MAILBOX):
        return None
    try:
        token = tokens.read_local_part(local_part[len(MAILBOX) :])
        domain = _checked(tx, Purpose.MAIL, token)
    except BadToken:
        return None
    return _visit(tx, domain, token) if domain.id == domain_id else None


def _base(tx: Tx, domain: TrackedDomain, message: SentMessage) -> str:
    """The URL that the sender called, because Mailgun's own tracking hosts lead nowhere here, unless it is set."""
    if not tx.settings.tracking_url:
        return message.url.partition("/v3/domains/")[0]
    host = f"{domain.web_prefix}.{domain.name}"
    return tx.settings.tracking_url.replace("{scheme}", domain.web_scheme).replace("{host}", host).rstrip("/")


def _key(domain: TrackedDomain) -> bytes:
    """Not the signing key itself: what is signed with one key must not pass for something else."""
    return hmac.digest(domain.signing_key.encode(), b"links in mail", "sha256")


def _variables(text: str) -> list[Field]:
    """Those that were truncated are a text, not an object (facts/sending.md, 1.5)."""
    values = orjson.loads(text)
    if not isinstance(values, dict):
        return [(Name.NO_VARIABLES, str(values))]
    reserved = {*Name, ""}
    return [
        (f"{_VARIABLE}{name}" if name in reserved or name.startswith(_VARIABLE) else name, str(value))
        for name, value in values.items()
    ]


def _checked(tx: Tx, purpose: Purpose, token: Token) -> TrackedDomain:
    domain = tracked.find(tx, token.first(Name.DOMAIN))
    if domain is None:
        raise BadToken
    token.check(purpose, _key(domain))
    return domain


def _visit(tx: Tx, domain: TrackedDomain, token: Token) -> Visit:
    tags = token.all(Name.TAG)
    about = About(
        domain_id=domain.id,
        domain_name=domain.name,
        message_id=token.first(Name.MESSAGE_ID),
        tags=orjson.dumps(token.all(Name.OF_MESSAGE) or [tag for tag in tags if tag != EVERYTHING]).decode(),
        variables=_variables_of(tx, domain, token),
    )
    return Visit(
        about=about,
        recipient=token.first(Name.RECIPIENT),
        url=token.first(Name.TARGET),
        tags=() if EVERYTHING in tags else tuple(tags),
        mailing_list=token.first(Name.MAILING_LIST),
    )


def _variables_of(tx: Tx, domain: TrackedDomain, token: Token) -> str:
    """As JSON text; of a token that had no room for them, those that the delivery told."""
    said = token.first(Name.NO_VARIABLES)
    if said == _LEFT_OUT:
        recipient, message_id = token.first(Name.RECIPIENT), token.first(Name.MESSAGE_ID)
        delivered = events.find_first(tx, domain.id, EventType.DELIVERED, message_id, recipient)
        return orjson.dumps(delivered["user-variables"]).decode() if delivered else "{}"
    if said:
        return orjson.dumps(said).decode()
    known = {*Name}
    values = {name.removeprefix(_VARIABLE): value for name, value in token.fields if name not in known}
    return orjson.dumps(values).decode()
