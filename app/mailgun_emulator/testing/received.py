"""What was posted to a receiver, read as a webhook or as mail that a route forwards."""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from mailgun_emulator.mail.signing import sign
from mailgun_emulator.testing.http_client import File
from mailgun_emulator.testing.message import Headers
from mailgun_emulator.testing.records import Event

_BOUNDARY = re.compile(r'boundary=(?:"([^"]+)"|([^;\s]+))', re.IGNORECASE)
_SAID = re.compile(r'\b(name|filename)="([^"]*)"', re.IGNORECASE)
_KIND = re.compile(r"^content-type: *([^;\s]+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class ReceivedWebhook:
    """One post. `payload` is the event it tells of, `verified` whether the account's key has signed it.

    Of what is no webhook, as mail that a route forwards, `payload` is empty and `fields` and `files` are read from
    the form.
    """

    method: str
    path: str
    headers: Headers
    body: bytes
    payload: Event
    fields: dict[str, str]
    files: list[File]
    verified: bool

    @property
    def event(self) -> str:
        """`accepted`, `delivered`, `failed`, `opened` …; empty if it tells of none."""
        return str(self.payload.get("event", ""))

    @property
    def webhook(self) -> str:
        """The kind of webhook, which is another word for failures: `permanent_fail`, `temporary_fail`."""
        return f"{self.payload.severity}_fail" if self.event == "failed" else self.event

    @property
    def recipient(self) -> str:
        return self.payload.recipient or self.fields.get("recipient", "")

    @property
    def message_id(self) -> str:
        return self.payload.message_id

    def __repr__(self) -> str:
        what = f"{self.webhook or self.method} for {self.recipient}" if self.recipient else self.method
        return f"<ReceivedWebhook {what}{'' if self.verified else ', not verified'}>"


def read(method: str, path: str, headers: Headers, body: bytes, signing_key: str) -> ReceivedWebhook:
    """What a post says, and whether the key has signed it."""
    kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    payload = Event()
    signature: Mapping[str, Any] = {}
    fields: dict[str, str] = {}
    files: list[File] = []
    if kind == "application/json":
        payload, signature = _from_json(body)
    elif kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        fields, files = _from_form(kind, headers["Content-Type"], body)
        signature = fields
    return ReceivedWebhook(
        method, path, headers, body, payload, fields, files, is_signed(signature, signing_key)
    )


def is_signed(signature: Mapping[str, Any], signing_key: str) -> bool:
    parts = [str(signature.get(name, "")) for name in ("timestamp", "token", "signature")]
    return all(parts) and hmac.compare_digest(sign(signing_key, parts[0], parts[1]), parts[2])


def _from_json(body: bytes) -> tuple[Event, dict[str, Any]]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Event(), {}
    if not isinstance(told, dict):
        return Event(), {}
    event, signature = told.get("event-data"), told.get("signature")
    return (
        Event(event) if isinstance(event, dict) else Event(),
        signature if isinstance(signature, dict) else {},
    )


def _from_form(kind: str, content_type: str, body: bytes) -> tuple[dict[str, str], list[File]]:
    if kind == "application/x-www-form-urlencoded":
        from urllib.parse import parse_qsl

        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)), []
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        return {}, []
    fields: dict[str, str] = {}
    files: list[File] = []
    for part in (b"\r\n" + body).split(b"\r\n--" + (boundary[1] or boundary[2]).encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        said = {name.lower(): value for name, value in _SAID.findall(head.decode("utf-8", "replace"))}
        if "filename" in said:
            said_kind = _KIND.search(head.decode("latin-1"))
            file_kind = said_kind[1] if said_kind else "application/octet-stream"
            files.append(File(said["filename"], content, file_kind))
        else:
            fields[said.get("name", "")] = content.decode("utf-8", "replace")
    return fields, files
