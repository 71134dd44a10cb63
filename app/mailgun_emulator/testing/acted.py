"""What others do to an account's messages, and with its API."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

from mailgun_emulator.testing import happenings
from mailgun_emulator.testing.filters import several
from mailgun_emulator.testing.http_client import File, is_told
from mailgun_emulator.testing.message import Message
from mailgun_emulator.testing.records import Event
from mailgun_emulator.testing.rules import Faults
from mailgun_emulator.testing.watched import Watched

__tracebackhide__ = is_told


class Acted(Watched):
    """An account, as far as something is done to it from outside."""

    faults: Faults

    def send(
        self,
        to: str | Sequence[str] = "ann@example.com",
        subject: str = "Hello",
        text: str | None = "It works.",
        html: str | None = None,
        *,
        from_: str | None = None,
        domain: str | None = None,
        attachments: Sequence[File] = (),
        fields: Mapping[str, str | Sequence[str]] | None = None,
    ) -> Message:
        """Send a message by the API, for tests that need one; `fields` are all others: `{"o:tag": ["a", "b"]}`."""
        name = domain or self.client.domain
        given = {"from": from_ or f"Sender <sender@{name}>", "to": to, "subject": subject, "text": text}
        pairs: list[tuple[str, str | File]] = [
            (key, value)
            for key, values in {**given, "html": html, **(fields or {})}.items()
            for value in several(values)
        ]
        pairs += [("attachment", each) for each in attachments]
        return self.message(self.client.call("POST", f"/v3/{name}/messages", pairs)["id"])

    def deliver(self, message: Message | str, recipient: str | None = None) -> Event:
        """It is delivered now, in the place of the next attempt."""
        return happenings.happened(self.client, self._read(message, recipient), "delivered", {})

    def open(
        self,
        message: Message | str,
        recipient: str | None = None,
        *,
        user_agent: str | None = None,
        ip: str | None = None,
        geolocation: dict[str, str] | None = None,
    ) -> Event:
        """A recipient opens it: by its pixel if it has one, and the event says nothing that this can't."""
        about = {"user_agent": user_agent, "ip": ip, "geolocation": geolocation}
        return happenings.opened(self.client, self._read(message, recipient), about)

    def click(
        self,
        message: Message | str,
        link: str | None = None,
        recipient: str | None = None,
        *,
        user_agent: str | None = None,
        ip: str | None = None,
        geolocation: dict[str, str] | None = None,
    ) -> Event:
        """A recipient clicks a link – its URL or its text, the first if none is named – as with `open`."""
        about = {"user_agent": user_agent, "ip": ip, "geolocation": geolocation}
        return happenings.clicked(self.client, self._read(message, recipient), link, about)

    def unsubscribe(
        self, message: Message | str, recipient: str | None = None, *, tags: list[str] | None = None
    ) -> Event:
        """A recipient unsubscribes: by the one click that `List-Unsubscribe` offers, if it does."""
        return happenings.unsubscribed(self.client, self._read(message, recipient), {"tags": tags})

    def complain(self, message: Message | str, recipient: str | None = None) -> Event:
        """A recipient calls it spam."""
        return happenings.happened(self.client, self._read(message, recipient), "complained", {})

    def bounce(
        self,
        message: Message | str,
        recipient: str | None = None,
        *,
        code: int = 550,
        text: str | None = None,
    ) -> Event:
        """It comes back after the delivery, or in the place of the next attempt; 4xx is tried again."""
        about = {"code": code, "text": text}
        return happenings.happened(self.client, self._read(message, recipient), "failed", about)

    def receive(
        self,
        from_: str = "",
        to: str | Sequence[str] = (),
        subject: str = "",
        text: str | None = None,
        html: str | None = None,
        *,
        cc: str | Sequence[str] = (),
        attachments: Sequence[File] = (),
        headers: dict[str, str] | None = None,
        mime: bytes | str | None = None,
        sender: str | None = None,
        recipient: str | Sequence[str] = (),
    ) -> dict[str, Any]:
        """Mail comes in from outside; what the routes did with it. `mime` is a whole mail instead of its parts.

        `sender` and `recipient` are what SMTP would say, if that is not what the headers say.
        """
        path = "/_emulator/inbound"
        if mime is not None:
            body = mime.encode() if isinstance(mime, str) else mime
            said = {"sender": sender, "recipient": several(recipient)}
            kind = {"Content-Type": "message/rfc822"}
            return told_of(self.client.ask("POST", path, body=body, params=said, headers=kind))
        asked = {
            "from": from_,
            "to": several(to),
            "cc": several(cc),
            "subject": subject,
            "text": text,
            "html": html,
            "sender": sender,
            "recipient": several(recipient),
            "attachment": [_file(each) for each in attachments],
            **{f"h:{name}": value for name, value in (headers or {}).items()},
        }
        given = {name: value for name, value in asked.items() if value is not None}
        return told_of(self.client.post(path, given))

    def fail_next(
        self,
        status: int,
        *,
        times: int = 1,
        retry_after: float | None = None,
        message: str | None = None,
        method: str | None = None,
        path: str | None = None,
        domain: str | None = None,
    ) -> dict[str, Any]:
        """Let the next request to the API, or the next so many, be answered with 401, 402, 429, 500, 503 …"""
        return self.faults.add(
            status,
            times=times,
            retry_after=retry_after,
            message=message,
            method=method,
            path=path,
            domain=domain,
        )


def told_of(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = answer
    return told


def _file(file: File) -> dict[str, str]:
    content = b64encode(file.content).decode()
    return {"filename": file.filename, "content_type": file.content_type, "content": content}
