"""The parameters of a message, read and checked as Mailgun does (facts/sending.md, 1.2 to 1.7)."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

from fastapi import Request
from pydantic import BeforeValidator, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import headers
from mailgun_emulator.mail.addresses import Address, NotAnAddress, parse_list, unique
from mailgun_emulator.mail.mime import Part
from mailgun_emulator.pipeline import options
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.web.forms import Fields, Form, Upload, read_fields
from mailgun_emulator.web.hints import hint, told_of
from mailgun_emulator.web.paging import base_url

_SENDER = "from"
_VARIABLES = "x-mailgun-variables"
_BY_HEADER = {"x-mailgun-sending-ip": "sending-ip", "x-mailgun-sending-ip-pool": "sending-ip-pool"}
"""Options that an `h:` may ask for as well (facts/sending.md, 1.3)."""
_READ = {_VARIABLES, *_BY_HEADER}


class MissingParameter(BadRequest):
    def __init__(self, name: str, *, hint: str | None = None) -> None:
        super().__init__(f"{name} parameter is missing", hint=hint)


class NoBody(BadRequest):
    message = "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"


class HtmlAndTemplate(BadRequest):
    message = "Only one parameters 'html' or 'template' is allowed"


class NotMultipart(BadRequest):
    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Invalid request content type. Expecting 'multipart/form-data' but got '{content_type}'"
        )


class MessageIsNoFile(BadRequest):
    message = "'message' parameter is not a file"

    def __init__(self) -> None:
        super().__init__(hint="The part `message` needs a file name, as any uploaded file has")


Choice = Annotated[str | None, BeforeValidator(options.choice)]
"""`yes`, `no` or `htmlonly`."""


class OptionsForm(Form):
    """What may be said of a message that is built from parts and of a ready MIME alike.

    Besides these, every `h:NAME` adds a header and every `v:NAME` a variable.
    """

    free: ClassVar[tuple[str, ...]] = ("h:", "v:")
    to: list[str] = Field(
        default_factory=list, description="Recipients: repeated, or separated by commas; 1,000 at the most."
    )
    tag: list[str] = Field(default_factory=list, alias="o:tag", description="Up to 10 tags.")
    deliverytime: str | None = Field(None, alias="o:deliverytime", description="RFC 2822 date or Unix time.")
    deliver_within: str | None = Field(
        None, alias="o:deliver-within", description="Such as `1h30m`; 5m to 24h."
    )
    optimize_period: str | None = Field(
        None, alias="o:deliverytime-optimize-period", description="`24h` to `72h`."
    )
    time_zone_localize: str | None = Field(
        None, alias="o:time-zone-localize", description="`HH:mm` or `hh:mmaa`."
    )
    testmode: Choice = Field(None, alias="o:testmode", description="Accept, but send nothing.")
    dkim: Choice = Field(None, alias="o:dkim")
    secondary_dkim: str | None = Field(None, alias="o:secondary-dkim", description="`domain/selector`.")
    secondary_dkim_public: str | None = Field(None, alias="o:secondary-dkim-public")
    tracking: Choice = Field(None, alias="o:tracking")
    tracking_clicks: Choice = Field(None, alias="o:tracking-clicks")
    tracking_opens: Choice = Field(None, alias="o:tracking-opens")
    tracking_pixel_location_top: Choice = Field(None, alias="o:tracking-pixel-location-top")
    require_tls: Choice = Field(None, alias="o:require-tls")
    skip_verification: Choice = Field(None, alias="o:skip-verification")
    sending_ip: str | None = Field(None, alias="o:sending-ip")
    sending_ip_pool: str | None = Field(None, alias="o:sending-ip-pool")
    archive_to: str | None = Field(
        None, alias="o:archive-to", description="URL that a copy of what is delivered goes to."
    )
    suppress_headers: str | None = Field(
        None, alias="o:suppress-headers", description="X-Mailgun headers to leave out, or `all`."
    )
    template: str | None = Field(None, description="Name of a stored template.")
    template_version: str | None = Field(None, alias="t:version")
    template_text: Choice = Field(None, alias="t:text")
    template_variables: str | None = Field(None, alias="t:variables", description="A JSON object.")
    recipient_variables: str | None = Field(
        None, alias="recipient-variables", description="A JSON object of objects by address: one copy each."
    )


class MessageForm(OptionsForm):
    invalid: ClassVar[str] = "{name} parameter is not valid"
    sender: list[str] = Field(default_factory=list, alias=_SENDER, description="The From header.")
    cc: list[str] = Field(default_factory=list, description="As `to`.")
    bcc: list[str] = Field(default_factory=list, description="As `to`; no other recipient sees them.")
    subject: str = ""
    text: str | None = None
    html: str | None = None
    amp_html: str | None = Field(None, alias="amp-html")
    attachment: list[Any] = Field(default_factory=list, description="Files to attach.")
    inline: list[Any] = Field(
        default_factory=list, description="Files that the HTML shows as `cid:FILENAME`."
    )


class MimeForm(OptionsForm):
    message: Any = Field(None, description="The MIME, as a file.")


class ResendForm(Form):
    invalid: ClassVar[str] = MessageForm.invalid
    to: list[str] = Field(default_factory=list, description="Recipients: repeated, or separated by commas.")


async def read_parts(request: Request) -> Submission:
    """Mailgun does not look into JSON (facts/sending.md, 1.2)."""
    fields = await read_fields(request)
    form = MessageForm.of(fields if fields.json is None else Fields())
    authors = _addresses(_SENDER, form.sender)
    if not authors and not form.template:  # a template may have one
        raise MissingParameter(_SENDER, hint=_why_unread(fields))
    recipients: dict[str, Any] = {name: _addresses(name, getattr(form, name)) for name in ("to", "cc", "bcc")}
    _check_recipients(recipients["to"], sum(map(len, recipients.values())))
    recipients = {name: unique(each) for name, each in recipients.items()}
    if form.html and form.template:
        raise HtmlAndTemplate
    if not any((form.text, form.html, form.amp_html, form.template)):
        raise NoBody
    return Submission(
        sender=", ".join(each for each in form.sender if each) if authors else "",
        subject=form.subject,
        text=form.text,
        html=form.html,
        amp_html=form.amp_html,
        attachments=_parts(request, "attachment", form.attachment),
        inlines=_parts(request, "inline", form.inline),
        **recipients,
        **_shared(request, fields, form),
    )


async def read_mime(request: Request) -> Submission:
    """All recipients are in `to`, whatever the MIME's own headers say."""
    fields = await read_fields(request)
    kind = fields.content_type.partition(";")[0].strip()
    if kind != "multipart/form-data":
        raise NotMultipart(kind)
    form = MimeForm.of(fields)
    to = _addresses("to", form.to)
    if form.message is None:
        raise MissingParameter("message")
    if not isinstance(form.message, Upload):
        raise MessageIsNoFile
    _check_recipients(to, len(to))
    own = {name.lower(): value for name, value in reversed(headers.read(form.message.data))}
    _addresses(_SENDER, [own.get(_SENDER, "")])
    return Submission(
        sender=own.get(_SENDER, ""),
        to=to,
        subject=own.get("subject", ""),
        ready=form.message.data,
        **{"message_id": _bare(own.get("message-id", "")), **_shared(request, fields, form)},
    )


async def read_resending(request: Request) -> Submission:
    """Whom to send a stored message to again; the rest of it is in the store."""
    fields = await read_fields(request)
    to = _addresses("to", ResendForm.of(fields).to)
    _check_recipients(to, len(to))
    return Submission(sender="", to=to, **_caller(request))


def _addresses(name: str, values: list[str]) -> list[Address]:
    try:
        return parse_list(value for value in values if value)
    except NotAnAddress:
        raise BadRequest(
            f"{name} parameter is not a valid address. please check documentation",
            hint=_why_no_address(name, values),
        ) from None


def _why_no_address(name: str, values: list[str]) -> str | None:
    if any(value.lstrip()[:1] in ("[", "{") for value in values):
        return f"`{name}` is not read as JSON: repeat it, once for each address, or separate them by commas"
    return None


def _why_unread(fields: Fields) -> str | None:
    """Why a message may have no fields at all."""
    if fields.json is not None:
        return "The body is JSON, which messages are not read from: send it as multipart/form-data"
    if not fields and fields.content_type:
        kind = fields.content_type.partition(";")[0]
        return f"No fields were found in the body, which is {kind}: send multipart/form-data"
    return None


def _check_recipients(to: list[Address], count: int) -> None:
    if not to:
        raise MissingParameter("to")
    if count > options.MOST_RECIPIENTS:
        raise options.TooManyRecipients


def _parts(request: Request, name: str, values: list[Any]) -> list[Part]:
    """What has no file name is no file, and is dropped."""
    parts = [
        Part(each.filename, each.content_type, each.data)
        for each in values
        if isinstance(each, Upload) and each.filename
    ]
    if len(parts) < len(values):
        hint(request, f"`{name}` came without a file name and was left out: send it as a file")
    return parts


def _shared(request: Request, fields: Fields, form: OptionsForm) -> dict[str, Any]:
    _check_size(fields)
    custom = list(_headers(fields))
    own_id = [value for name, value in custom if name.lower() == "message-id"]
    return {
        **({"message_id": _bare(own_id[0])} if own_id else {}),
        "headers": [(name, value) for name, value in custom if name.lower() not in _READ],
        "tags": options.tags(form.tag),
        "variables": _variables(fields, custom),
        "recipient_variables": options.recipient_variables(form.recipient_variables),
        "options": _options(form, custom),
        "deliver_at": options.delivery_time(form.deliverytime),
        **_caller(request),
    }


def _caller(request: Request) -> dict[str, Any]:
    client = request.scope.get("client")
    return {
        "base_url": base_url(request),
        "key_id": request.scope.get("mailgun_key_id", ""),
        "client_ip": client[0] if client else "127.0.0.1",
        "hints": told_of(request),
    }


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">")


def _check_size(fields: Fields) -> None:
    size = 0
    for name, values in fields.items():
        if name[1:2] == ":" and name[0] in "ohvt":
            size += sum(len(name) + len(str(value).encode()) for value in values)
    if size > options.MOST_OPTION_BYTES:
        raise options.TooMuchInOptions


def _headers(fields: Fields) -> Iterator[tuple[str, str]]:
    for name, values in fields.items():
        if name.startswith("h:"):
            if not name.isascii():
                raise BadRequest(f"Header name must be pure ASCII: {name[2:]}")
            for value in values:
                if isinstance(value, str):
                    yield name[2:], value


def _variables(fields: Fields, custom: list[tuple[str, str]]) -> dict[str, str]:
    """Values are text, whatever was sent (facts/sending.md, trap 5)."""
    variables: dict[str, str] = {}
    for name, value in custom:
        if name.lower() == _VARIABLES:
            variables.update(options.variables(value))
    for name, values in fields.items():
        if name.startswith("v:") and values and isinstance(values[0], str):
            variables[name[2:]] = values[0]
    return variables


_OPTIONS = {
    name: (field.alias or name).partition(":")[2]
    for name, field in OptionsForm.model_fields.items()
    if (field.alias or "").startswith("o:") and name not in ("tag", "deliverytime")
}


def _options(form: OptionsForm, custom: list[tuple[str, str]]) -> dict[str, Any]:
    given = ((name, getattr(form, name)) for name in form.model_fields_set if name in _OPTIONS)
    asked: dict[str, Any] = {_OPTIONS[name]: value for name, value in given if value}
    for name, value in custom:
        if value and name.lower() in _BY_HEADER:
            asked.setdefault(_BY_HEADER[name.lower()], value)
    options.check(asked)
    if asked.get("testmode") != "yes":
        asked.pop("testmode", None)
    if form.template:
        about = (form.template_variables, form.template_version, form.template_text)
        variables = options.plain_variables(value for name, value in custom if name.lower() == _VARIABLES)
        asked.update(options.template(form.template, *about), **variables)
    return asked
