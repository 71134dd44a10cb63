"""The parameters of a message, read and checked as Mailgun does (facts/sending.md, 1.2 to 1.7)."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar

import orjson
from fastapi import Request
from pydantic import BeforeValidator, Field

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.mail import dates, headers
from mailgun_emulator.mail.addresses import Address, NotAnAddress, parse_list
from mailgun_emulator.mail.mime import Part
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.web.forms import Fields, Form, Upload, as_flag, read_fields
from mailgun_emulator.web.paging import base_url

MOST_RECIPIENTS = 1000
MOST_TAGS = 10
TAG_LENGTH = 128
MOST_OPTION_BYTES = 16 * 1024

_SENDER = "from"
_CHOICES = {True: "yes", False: "no"}


class MissingParameter(BadRequest):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} parameter is missing")


class NoBody(BadRequest):
    message = "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"


class HtmlAndTemplate(BadRequest):
    message = "Only one parameters 'html' or 'template' is allowed"


class TooManyRecipients(BadRequest):
    message = f"Too many recipients, max is {MOST_RECIPIENTS}"


class TooMuchInOptions(BadRequest):
    message = "Send options (parameters starting with o:, h:, or v:) are limited to 16 kB total"


class NotMultipart(BadRequest):
    def __init__(self, content_type: str) -> None:
        super().__init__(
            f"Invalid request content type. Expecting 'multipart/form-data' but got '{content_type}'"
        )


class MessageIsNoFile(BadRequest):
    message = "'message' parameter is not a file"


def _choice(value: Any) -> Any:
    """Yes or no in any spelling; a word that is neither leaves the choice to the domain's setting."""
    flag = as_flag(value)
    if isinstance(flag, bool):
        return _CHOICES[flag]
    return "htmlonly" if str(flag).lower() == "htmlonly" else None


Choice = Annotated[str | None, BeforeValidator(_choice)]
"""`yes`, `no` or `htmlonly`."""


class OptionsForm(Form):
    """What may be said of a message that is built from parts and of a ready MIME alike.

    Besides these, every `h:NAME` adds a header and every `v:NAME` a variable.
    """

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
    to: list[str] = Field(default_factory=list, description="Recipients: repeated, or separated by commas.")


async def read_parts(request: Request) -> Submission:
    fields = await read_fields(request)
    form = MessageForm.of(fields)
    if not any(form.sender):
        raise MissingParameter(_SENDER)
    recipients: dict[str, Any] = {name: _addresses(name, getattr(form, name)) for name in ("to", "cc", "bcc")}
    sender = ", ".join(str(value) for value in form.sender)
    _addresses(_SENDER, [sender])
    _check_recipients(recipients["to"], sum(map(len, recipients.values())))
    if form.html and form.template:
        raise HtmlAndTemplate
    if not any((form.text, form.html, form.amp_html, form.template)):
        raise NoBody
    return Submission(
        sender=sender,
        subject=form.subject,
        text=form.text,
        html=form.html,
        amp_html=form.amp_html,
        attachments=_parts(form.attachment),
        inlines=_parts(form.inline),
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
    to = _addresses("to", fields.get("to", []))
    _check_recipients(to, len(to))
    return Submission(sender="", to=to, **_caller(request))


def _addresses(name: str, values: list[str]) -> list[Address]:
    try:
        return parse_list(value for value in values if value)
    except NotAnAddress:
        raise BadRequest(f"{name} parameter is not a valid address. please check documentation") from None


def _check_recipients(to: list[Address], count: int) -> None:
    if not to:
        raise MissingParameter("to")
    if count > MOST_RECIPIENTS:
        raise TooManyRecipients


def _parts(values: list[Any]) -> list[Part]:
    """What has no file name is no file, and is dropped without a word."""
    return [
        Part(each.filename, each.content_type, each.data)
        for each in values
        if isinstance(each, Upload) and each.filename
    ]


def _shared(request: Request, fields: Fields, form: OptionsForm) -> dict[str, Any]:
    _check_size(fields)
    custom = list(_headers(fields))
    own_id = [value for name, value in custom if name.lower() == "message-id"]
    return {
        **({"message_id": _bare(own_id[0])} if own_id else {}),
        "headers": [(name, value) for name, value in custom if name.lower() != "x-mailgun-variables"],
        "tags": _tags(form.tag),
        "variables": _variables(fields, custom),
        "recipient_variables": _recipient_variables(form.recipient_variables),
        "options": _options(form),
        "deliver_at": _deliver_at(form.deliverytime),
        **_caller(request),
    }


def _caller(request: Request) -> dict[str, Any]:
    client = request.scope.get("client")
    return {
        "base_url": base_url(request),
        "key_id": request.scope.get("mailgun_key_id", ""),
        "client_ip": client[0] if client else "127.0.0.1",
    }


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">")


def _check_size(fields: Fields) -> None:
    size = 0
    for name, values in fields.items():
        if name[1:2] == ":" and name[0] in "ohvt":
            size += sum(len(name) + len(str(value)) for value in values)
    if size > MOST_OPTION_BYTES:
        raise TooMuchInOptions


def _headers(fields: Fields) -> Iterator[tuple[str, str]]:
    for name, values in fields.items():
        if name.startswith("h:"):
            if not name.isascii():
                raise BadRequest(f"Header name must be pure ASCII: {name[2:]}")
            for value in values:
                yield name[2:], str(value)


def _tags(given: list[str]) -> list[str]:
    """ASCII only, 128 characters, no two that differ by case alone, the first ten."""
    tags: dict[str, str] = {}
    for tag in given:
        plain = str(tag).encode("ascii", "ignore").decode().strip()[:TAG_LENGTH]
        if plain:
            tags.setdefault(plain.lower(), plain)
    return list(tags.values())[:MOST_TAGS]


def _variables(fields: Fields, custom: list[tuple[str, str]]) -> dict[str, str]:
    """Values are text, whatever was sent (facts/sending.md, trap 5)."""
    variables: dict[str, str] = {}
    for name, value in custom:
        if name.lower() == "x-mailgun-variables":
            variables.update(
                {key: each if isinstance(each, str) else _json(each) for key, each in _object(value).items()}
            )
    for name, values in fields.items():
        if name.startswith("v:"):
            variables[name[2:]] = str(values[0])
    return variables


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _object(text: str) -> dict[str, Any]:
    """What is no JSON object counts as an empty one."""
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _recipient_variables(text: str | None) -> dict[str, dict[str, Any]] | None:
    if text is None:
        return None
    try:
        found = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(each, dict) for each in found.values()):
        raise BadRequest("'recipient-variables' parameter is not a valid JSON")
    return found


_OPTIONS = {
    name: (field.alias or name).partition(":")[2]
    for name, field in OptionsForm.model_fields.items()
    if (field.alias or "").startswith("o:") and name not in ("tag", "deliverytime")
}


def _options(form: OptionsForm) -> dict[str, Any]:
    _check_times(form)
    given = ((name, getattr(form, name)) for name in form.model_fields_set if name in _OPTIONS)
    options: dict[str, Any] = {_OPTIONS[name]: value for name, value in given if value}
    if form.testmode != _CHOICES[True]:
        options.pop("testmode", None)
    if form.template:
        options["template"] = form.template.lower()
        options["template-variables"] = form.template_variables or ""
    return options


def _deliver_at(text: str | None) -> float | None:
    if not text:
        return None
    try:
        return dates.parse(text)
    except ValueError:
        raise BadRequest(f"{text} is not an RFC-2822 compliant date") from None


_WITHIN = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?")
_PERIOD = re.compile(r"(\d+)h")
_TIME_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})\s*(am|pm)?", re.IGNORECASE)
_DKIM = re.compile(r"[\w.-]+\.[\w-]+/[\w-]+")


def _check_times(form: OptionsForm) -> None:
    if form.deliver_within:
        within = _WITHIN.fullmatch(form.deliver_within)
        minutes = int(within[1] or 0) * 60 + int(within[2] or 0) if within else 0
        if not 5 <= minutes <= 24 * 60:
            raise BadRequest("invalid delivery time format")
    if form.optimize_period:
        period = _PERIOD.fullmatch(form.optimize_period)
        if period is None or not 24 <= int(period[1]) <= 72:
            raise BadRequest("invalid delivery time format")
    if form.time_zone_localize:
        _check_time_of_day(form.time_zone_localize)
    if form.archive_to and not form.archive_to.lower().startswith(("http://", "https://")):
        raise BadRequest("Invalid parameter: o:archive-to is invalid")
    for name in (form.secondary_dkim, form.secondary_dkim_public):
        if name and not _DKIM.fullmatch(name):
            raise BadRequest(f"{name} is not a valid secondary dkim domain name")


def _check_time_of_day(text: str) -> None:
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if found is None or int(found[2]) > 59 or (found[3] and not 1 <= int(found[1]) <= 12):
        raise BadRequest(f"{text} is not a valid time to send (value of 'o:time-zone-localize')")
    if int(found[1]) > 23:
        raise BadRequest(f"{found[1]} invalid 24 hour time(value of 'o:time-zone-localize')")
