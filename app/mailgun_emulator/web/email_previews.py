"""What is asked of email previews, and refused as they word it (facts/account.md, 0.4 and 11.5)."""

from base64 import b64decode
from html import escape
from typing import Self

from pydantic import Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import stored
from mailgun_emulator.mail.preview_clients import CLIENTS
from mailgun_emulator.web.forms import Fields, Flag, Form, JsonObject, Listed


class Refused(BadRequest):
    """Mailgun's own texts here are not known."""

    key = "Reason"


class PreviewForm(Form):
    """Refused as this section words it."""

    @classmethod
    def of(cls, fields: Fields) -> Self:
        try:
            return super().of(fields)
        except BadRequest as error:
            raise Refused(str(error)) from None


class NewPreviewForm(PreviewForm):
    """One of `html` and `mime`; it is in Base64 if `transfer_encoding` says so."""

    subject: str = Field(min_length=1)
    html: str = ""
    mime: str = ""
    url: str = ""
    clients: Listed = Field(default=[])
    reference_id: str = ""
    customer_id: str = ""
    charset: str = "utf-8"
    transfer_encoding: str = ""
    image_blocking: Flag = False
    headers: JsonObject = Field(default={})


class PreviewsForm(PreviewForm):
    """Those made between two instants, in seconds since 1970, with these words in their subject."""

    since: float = Field(0.0, alias="from")
    until: float = Field(1e11, alias="to")
    subject: str = ""
    results: int = Field(50, ge=1, le=200)
    page: int = Field(1, ge=0)


class ReprocessForm(PreviewForm):
    clients: Listed = Field(min_length=1)


def html_of(asked: NewPreviewForm) -> str:
    """The HTML itself, or that of a MIME. No page is fetched: the emulator keeps to itself."""
    if asked.url and not asked.html and not asked.mime:
        raise Refused(
            "url could not be fetched", hint="The emulator fetches no pages: send what is there as `html`"
        )
    if not asked.html and not asked.mime:
        raise Refused("one of html, mime or url is required")
    source = (asked.html or asked.mime).encode()
    try:
        if asked.transfer_encoding.lower() == "base64":
            source = b64decode(b"".join(source.split()), validate=True)
            if asked.html:
                source = source.decode(asked.charset).encode()
    except (ValueError, LookupError):  # no Base64, other characters, no such charset
        raise Refused("html could not be decoded") from None
    return source.decode() if asked.html else shown_of(source)


def shown_of(mime: bytes) -> str:
    """Mail clients show the text of a message that has no HTML."""
    contents = stored.take_apart(mime)
    html = contents.text("html")
    return f"<pre>{escape(contents.text('plain') or '')}</pre>" if html is None else html


def clients_of(names: list[str]) -> list[str]:
    wanted = list(dict.fromkeys(names)) or [client.id for client in CLIENTS.values() if client.default]
    for name in wanted:
        if name not in CLIENTS:
            raise Refused(f"invalid client: {name}")
    return wanted
