"""Mail from outside, handed in by HTTP instead of SMTP."""

from base64 import b64decode
from binascii import Error as NotBase64
from typing import Any, ClassVar

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import addresses, headers, mime
from mailgun_emulator.mail.addresses import Address, NotAnAddress
from mailgun_emulator.mail.mime import Part
from mailgun_emulator.pipeline import receive
from mailgun_emulator.pipeline.receive import Incoming, Received, Taken
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import ChosenTx
from mailgun_emulator.web.forms import Fields, Form, Upload, read_fields, takes
from mailgun_emulator.web.paging import base_url
from mailgun_emulator.web.views import REFUSALS

router = APIRouter(prefix="/_emulator/inbound", tags=["Emulator"])

MOST_BYTES = 26_214_400
HELP = (
    "Send the MIME as the body, with Content-Type: message/rfc822, or the fields from, to, cc, bcc, subject, text, "
    "html, attachment, inline, h:NAME as a form or JSON. `sender` and `recipient` say what MAIL FROM and RCPT TO "
    "would, if that is not what From, To and Cc say."
)


class NotMail(BadRequest):
    def __init__(self, why: str) -> None:
        super().__init__(f"{why}. {HELP}")


class NobodyTakesIt(BadRequest):
    """All recipients were refused."""

    def __init__(self, received: Received) -> None:
        refusals = " ".join(f"{refusal}: {refusal.hint}" for refusal in received.refused.values())
        super().__init__(f"Nobody takes this message. {refusals}")


class InboundForm(Form):
    """A mail in parts. In JSON a file is `{"filename": …, "content_type": …, "content": base64}`; or send a MIME as
    `message/rfc822`.
    """

    invalid: ClassVar[str] = f"{{name}} is not valid. {HELP}"
    author: str = Field("", alias="from", description="The From header.")
    to: list[str] = Field(default=[], description="Repeated, or separated by commas.")
    cc: list[str] = Field(default=[], description="As `to`.")
    bcc: list[str] = Field(default=[], description="As `to`; no header tells of them.")
    subject: str = Field("", description="The Subject header.")
    text: str | None = Field(None, description="The plain body.")
    html: str | None = Field(None, description="The HTML body.")
    attachment: list[Any] = Field(default=[], description="Files.")
    inline: list[Any] = Field(default=[], description="Files that the HTML shows as `cid:FILENAME`.")
    sender: str | None = Field(
        None, description="What MAIL FROM says; the address in `from` if none is given."
    )
    recipient: list[str] = Field(
        default=[], description="What RCPT TO says; to, cc and bcc if none is given."
    )


class RouteDone(BaseModel):
    """`action` is forward, store or stop; `target` the URL or address it goes to."""

    route: str | None
    expression: str | None
    priority: int | None
    action: str
    target: str


class StoredCopy(BaseModel):
    domain: str
    message_id: str
    key: str
    url: str


class InboundRecipient(BaseModel):
    """`refusal` is what SMTP would have been told, `hint` how to mend it."""

    recipient: str
    accepted: bool
    done: list[RouteDone] = []
    storage: StoredCopy | None = None
    refusal: str | None = None
    hint: str | None = None


class InboundResult(BaseModel):
    message: str
    recipients: list[InboundRecipient]


@router.post("", responses=REFUSALS)
@takes(InboundForm)
async def receive_mail(request: Request, tx: ChosenTx) -> InboundResult:
    """Let a mail come in as if from outside, and tell what the routes did with it.

    Send a MIME as `message/rfc822`, or its parts as a form or as JSON.
    """
    received = receive.receive(tx, read_mail(request, tx, await read_fields(request), await request.body()))
    if not received.taken:
        raise NobodyTakesIt(received)
    return view(received)


def read_mail(request: Request, tx: Tx, fields: Fields, body: bytes) -> Incoming:
    asked = InboundForm.of(fields)
    is_raw = fields.content_type.partition(";")[0].strip().lower() in ("message/rfc822", "message/rfc2822")
    content = body if is_raw else build(tx, fields, asked)
    if len(content) > MOST_BYTES:
        raise NotMail(f"The message has more than {MOST_BYTES} bytes")
    own = [(name.lower(), value) for name, value in headers.read(content)]
    named = [*asked.to, *asked.cc, *asked.bcc] or [
        value for name, value in own if name in ("to", "cc", "bcc")
    ]
    recipients = [each.email for each in addresses_in("recipient", asked.recipient or named)]
    if not recipients:
        raise NotMail("The message is for nobody: neither to nor recipient names an address")
    client = request.scope.get("client")
    return Incoming(
        sender=sender_of(asked, dict(reversed(own)).get("from", "")),
        recipients=recipients,
        mime=content,
        method="HTTP",
        client_ip=client[0] if client else "127.0.0.1",
        base_url=base_url(request),
    )


def sender_of(asked: InboundForm, author: str) -> str:
    """An empty `sender` is a bounce's."""
    given = author if asked.sender is None else asked.sender
    found = addresses_in("sender", [given])
    return found[0].email if found else ""


def build(tx: Tx, fields: Fields, asked: InboundForm) -> bytes:
    authors = addresses_in("from", [asked.author])
    if not authors:
        raise NotMail("from is missing")
    domain = authors[0].domain
    custom = [
        (name[2:], str(value))
        for name, values in fields.items()
        if name.startswith("h:") and name.isascii()
        for value in values
    ]
    return mime.build(
        mime.Draft(
            sender=asked.author,
            to=[str(each) for each in addresses_in("to", asked.to)],
            cc=[str(each) for each in addresses_in("cc", asked.cc)],
            subject=asked.subject,
            text=asked.text,
            html=asked.html,
            attachments=[read_file(each) for each in asked.attachment],
            inlines=[read_file(each) for each in asked.inline],
            headers=custom,
            message_id=tx.ids.message_id(domain, tx.now),
            date=tx.now,
            domain=domain,
            boundary=tx.ids.hex(60),
        )
    )


def addresses_in(name: str, values: list[str]) -> list[Address]:
    try:
        return addresses.parse_list(value for value in values if value)
    except NotAnAddress as error:
        raise NotMail(f"{name} has {str(error)!r}, which is no address") from None


def read_file(given: Any) -> Part:
    if isinstance(given, Upload):
        return Part(given.filename, given.content_type, given.data)
    if not isinstance(given, dict) or not isinstance(given.get("content"), str):
        raise NotMail(
            "A file is neither a part of a multipart form with a file name nor JSON with its content"
        )
    try:
        data = b64decode(given["content"], validate=True)
    except NotBase64:
        raise NotMail("The content of a file is not base64") from None
    kind = str(given.get("content_type") or "application/octet-stream")
    return Part(str(given.get("filename") or "file"), kind, data)


def view(received: Received) -> InboundResult:
    taken = [taken_view(recipient, each) for recipient, each in received.taken.items()]
    refused = [
        InboundRecipient(recipient=recipient, accepted=False, refusal=str(each), hint=each.hint)
        for recipient, each in received.refused.items()
    ]
    message = f"Received for {len(taken)} of {len(taken) + len(refused)} recipients"
    return InboundResult(message=message, recipients=[*taken, *refused])


def taken_view(recipient: str, taken: Taken) -> InboundRecipient:
    done = [
        RouteDone(
            route=each.route and each.route.id,
            expression=each.route and each.route.expression,
            priority=each.route and each.route.priority,
            action=each.action,
            target=each.target,
        )
        for each in taken.done
    ]
    return InboundRecipient(
        recipient=recipient, accepted=True, done=done, storage=taken.message and copy_view(taken.message)
    )


def copy_view(message: SentMessage) -> StoredCopy:
    return StoredCopy(
        domain=message.domain_name,
        message_id=message.message_id,
        key=message.storage_key,
        url=message.url,
    )
