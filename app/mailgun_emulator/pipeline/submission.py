"""What is handed over to be sent, before it is a message."""

from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from mailgun_emulator.mail import mime
from mailgun_emulator.mail.addresses import Address


@dataclass(frozen=True, kw_only=True)
class Submission:
    """What a sender hands over, whether by the API or by SMTP.

    `options` are those parameters that matter after acceptance, by their names without `o:`; `deliver_at` is in
    seconds since 1970, `message_id` the sender's own choice, `ready` a MIME to send as it is. With
    `recipient_variables` each of `to` gets a copy of its own. `base_url` is the one the sender called.
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

    def for_one(self, to: Address, values: dict[str, Any]) -> "Submission":
        """The copy for that recipient, with its placeholders filled in wherever they stand.

        They are `%recipient.KEY%` and those of facts/sending.md, 1.10; unknown ones stay as they are.
        """
        first, _, last = to.name.partition(" ")
        marks = {
            "%recipient%": str(to),
            "%recipient_email%": to.email,
            "%recipient_name%": to.name,
            "%recipient_fname%": first,
            "%recipient_lname%": last.rpartition(" ")[2],
        }
        for key, value in values.items():
            marks[f"%recipient.{key}%"] = value if isinstance(value, str) else orjson.dumps(value).decode()

        def fill(text: str) -> str:
            for mark, value in marks.items():
                text = text.replace(mark, value)
            return text

        return replace(
            self,
            to=[to],
            subject=fill(self.subject),
            text=None if self.text is None else fill(self.text),
            html=None if self.html is None else fill(self.html),
            amp_html=None if self.amp_html is None else fill(self.amp_html),
            headers=[(name, fill(value)) for name, value in self.headers],
            ready=None if self.ready is None else fill(self.ready.decode("latin-1")).encode("latin-1"),
            variables={name: fill(value) for name, value in self.variables.items()},
        )
