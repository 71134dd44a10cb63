"""What a message made from a template would read, without sending it."""

import json
import re
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from mailgun_emulator.core.errors import BadRequest, NotFound
from mailgun_emulator.mail import addresses
from mailgun_emulator.mail.addresses import Address, NotAnAddress
from mailgun_emulator.pipeline import options, templating
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.pipeline.templating import TemplateFailed
from mailgun_emulator.state import sending
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.template_versions import Content
from mailgun_emulator.state.transaction import Tx
from mailgun_emulator.web.deps import ChosenTx
from mailgun_emulator.web.views import only_if_set, refusals

router = APIRouter(prefix="/_emulator/templates", tags=["Emulator"])

Header = Literal["From", "Subject", "Reply-To"]
LINE_END = re.compile(r"\r\n?|\n")


class NoSuchDomain(NotFound):
    def __init__(self, name: str) -> None:
        super().__init__(f"The account has no domain {name}; create it, or name another account by ?account=")


class NothingToRender(BadRequest):
    message = "Name a stored template by template, or give what one would say as content"


class NotARecipient(BadRequest):
    def __init__(self, field: str, given: str) -> None:
        super().__init__(f"{field} is not an address: {given}")


class NotRendered(BadRequest):
    """The message tells where it failed."""


class RenderingForm(BaseModel):
    """A message's parameters, as far as they matter here, with objects for JSON text."""

    model_config = ConfigDict(extra="forbid")
    domain: str = Field(description="The one that would send.")
    template: str = Field("", description="Name of a stored template.")
    version: str = Field("", description="Tag of its version; else the active one, as `t:version`.")
    content: str | None = Field(None, description="What a template says, instead of a stored one.")
    headers: dict[Header, str] = Field(default_factory=dict, description="The headers it sets.")
    variables: dict[str, Any] = Field(default_factory=dict, description="As `t:variables`.")
    user_variables: dict[str, Any] = Field(default_factory=dict, description="As `X-Mailgun-Variables`.")
    text: bool = Field(False, description="Make a text part, too, as `t:text`.")
    recipient: str = Field("recipient@example.com", description="Whom the message is for.")
    recipient_variables: dict[str, dict[str, Any]] | None = Field(
        None, description="As `recipient-variables`: with them placeholders are filled in."
    )
    sender: str = Field("", alias="from", description="The message's own, which wins over the template's.")
    subject: str = Field("", description="As `from`.")


class RenderedTemplate(BaseModel):
    """`reply-to` and `text` are left out if the message would have none."""

    sender: Annotated[str, Field(serialization_alias="from")]
    subject: str
    reply_to: Annotated[str | None, Field(serialization_alias="reply-to")] = only_if_set()
    html: str
    text: str | None = only_if_set()


def message_of(asked: RenderingForm) -> Submission:
    """What `api/messages` would hand over."""
    header = json.dumps(asked.user_variables)
    about = options.template(
        asked.template,
        json.dumps(asked.variables),
        asked.version,
        options.choice(asked.text),
    )
    message = Submission(
        sender=asked.sender,
        to=[address("recipient", asked.recipient)],
        subject=asked.subject,
        variables=options.variables(header),
        options={**about, **options.plain_variables([header])},
    )
    if asked.sender:
        address("from", asked.sender)
    given = asked.recipient_variables
    of_recipients = options.recipient_variables(None if given is None else json.dumps(given))
    return message if of_recipients is None else personal(message, of_recipients)


def address(field: str, text: str) -> Address:
    try:
        return addresses.parse(text)
    except NotAnAddress:
        raise NotARecipient(field, text) from None


def personal(message: Submission, variables: dict[str, dict[str, Any]]) -> Submission:
    to = message.to[0]
    known = {name.lower(): values for name, values in variables.items()}
    return message.for_one(to, known.get(to.email.lower(), {}))


def rendered(tx: Tx, domain: SendingDomain, asked: RenderingForm) -> Submission:
    message = message_of(asked)
    if asked.content is None:
        content = templating.find(tx, domain.id, message.options)
    else:
        headers = json.dumps(asked.headers)
        content = Content(tag="", content=asked.content, engine="handlebars", headers=headers)
    return templating.render(message, content, domain.name)


def view(message: Submission) -> RenderedTemplate:
    """Lines end as they do in mail."""
    own = {name.lower(): value for name, value in message.headers}
    return RenderedTemplate(
        sender=message.sender,
        subject=message.subject,
        reply_to=own.get("reply-to"),
        html=LINE_END.sub("\r\n", message.html or ""),
        text=message.text,
    )


@router.post("/render", responses=refusals(400, 404))
async def render_template(tx: ChosenTx, asked: RenderingForm) -> RenderedTemplate:
    """Render a template as a message would be, and tell where it fails if it does; nothing is sent."""
    domain = sending.find(tx, asked.domain)
    if domain is None:
        raise NoSuchDomain(asked.domain)
    if asked.content is None and not asked.template:
        raise NothingToRender
    try:
        return view(rendered(tx, domain, asked))
    except TemplateFailed as failure:
        raise NotRendered(str(failure)) from None
