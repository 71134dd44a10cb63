"""What is handed over to be sent, before it is a message."""

from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import orjson
from pydantic import Field

from mailgun_emulator.mail import addresses, headers, json_text, mime
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.pipeline import placeholders


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a sender hands over, whether by the API or by SMTP.

    `options` are those parameters that matter after acceptance, by their names without `o:`; `deliver_at` is in
    seconds since 1970, `message_id` the sender's own choice, `ready` a MIME to send as it is. With
    `recipient_variables` each of `to` gets a copy of its own. `base_url` is the one the sender called. By SMTP it came
    from a client that called itself `helo`, secured as `tls` says.
    Who only sends to us, as any server may, is not `authenticated`. `marks` are the placeholders of the one recipient
    that this is the copy for, with what to fill in. `hints` are for who sends it; all its copies share them.
    """

    sender: str
    to: list[Address]
    cc: list[Address] = field(default_factory=list)
    bcc: list[Address] = field(default_factory=list)
    subject: str = ""
    text: str | None = None
    html: str | None = None
    amp_html: str | None = None
    attachments: list[mime.Part] = field(default_factory=list)
    inlines: list[mime.Part] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    message_id: str = ""
    ready: bytes | None = None
    tags: list[str] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    recipient_variables: dict[str, dict[str, Any]] | None = None
    options: dict[str, Any] = field(default_factory=dict)
    deliver_at: float | None = None
    method: str = "HTTP"
    base_url: str = ""
    key_id: str = ""
    client_ip: str = "127.0.0.1"
    helo: str = ""
    tls: str = ""
    authenticated: bool = True
    marks: dict[str, str] = field(default_factory=dict)
    hints: Annotated[list[str], Field(exclude=True)] = field(default_factory=list, compare=False)

    @property
    def reach(self) -> int:
        """So many `accepted` events there will be: in batch mode everybody in `cc` and `bcc` gets each copy."""
        copied = [*self.cc, *self.bcc]
        if self.recipient_variables is None:
            return len(addresses.unique([*self.to, *copied]))
        return sum(len(addresses.unique([to, *copied])) for to in addresses.unique(self.to))

    @property
    def is_personal(self) -> bool:
        """Whether it may read otherwise to each recipient: it has placeholders, or a template that may have some."""
        texts = [self.sender, self.subject, self.text, self.html, self.amp_html, *self.variables.values()]
        texts += [*(value for _, value in self.headers), *(each.name for each in self.cc)]
        if self.ready is not None:
            texts += placeholders.texts_of(headers.crlf(self.ready))
        return "template" in self.options or any(map(placeholders.are_in, texts))

    def for_one(self, to: Address, values: dict[str, Any]) -> "Submission":
        """The copy for that recipient, with its placeholders filled in wherever they stand."""
        return self._with_marks(to, placeholders.of_recipient(to) | placeholders.of_values(values))

    def for_list(self, to: Address, values: dict[str, Any]) -> "Submission":
        """The copy for a mailing list. Only the `values` are filled in: who the recipient is differs by member."""
        return self._with_marks(to, placeholders.of_values(values))

    def _with_marks(self, to: Address, marks: dict[str, str]) -> "Submission":
        personal = replace(self, to=[to], marks=self.marks | marks)
        fill = personal.filled_in
        return replace(
            personal,
            sender=placeholders.fill_addresses(self.sender, fill),
            cc=[Address(fill(each.name), each.email) for each in self.cc],
            subject=fill(self.subject),
            text=None if self.text is None else fill(self.text),
            html=None if self.html is None else fill(self.html),
            amp_html=None if self.amp_html is None else fill(self.amp_html),
            headers=[(name, fill(value)) for name, value in self.headers],
            ready=None if self.ready is None else placeholders.fill_mime(headers.crlf(self.ready), fill),
            variables={name: fill(value) for name, value in self.variables.items()},
            options=personal._filled_options(),
        )

    def filled_in(self, text: str) -> str:
        """The text with what stands in for the one recipient's placeholders."""
        return placeholders.fill(text, self.marks)

    def _filled_options(self) -> dict[str, Any]:
        """With the template's own variables filled in, which are JSON (facts/sending.md, 2.5)."""
        text = self.options.get("template-variables", "")
        if not placeholders.are_in(text):
            return self.options
        try:
            filled = orjson.dumps(self._filled_values(json_text.read(text))).decode()
        except ValueError:
            filled = self.filled_in(text)
        return {**self.options, "template-variables": filled}

    def _filled_values(self, value: Any) -> Any:
        match value:
            case str():
                return self.filled_in(value)
            case list():
                return [self._filled_values(each) for each in value]
            case dict():
                return {name: self._filled_values(each) for name, each in value.items()}
            case _:
                return value
