"""Messages as `/_emulator` shows them: in lists, and whole, as one recipient gets them."""

from collections.abc import Iterator
from typing import Any, Self

import orjson
from pydantic import BaseModel, Field

from mailgun_emulator.mail import codes, dates, extract, stored
from mailgun_emulator.mail.extract import Link
from mailgun_emulator.mail.stored import File
from mailgun_emulator.pipeline import tracking_urls
from mailgun_emulator.pipeline.finish import finished
from mailgun_emulator.state import inbox, messages
from mailgun_emulator.state.inbox import Direction
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx


class AttachedFile(BaseModel):
    """`size` in bytes; `inline` is what the text shows, by its `content_id`, without angle brackets, if it has
    one; `url` gives its bytes.
    """

    index: int
    filename: str
    content_type: str
    size: int
    content_id: str | None
    inline: bool
    url: str


class InboxMessage(BaseModel):
    """One stored copy: in batch mode there is one for each recipient.

    `id` is its storage key, `message_id` has no angle brackets. `to` and `cc` are what the header says, `recipients`
    the addresses it went to. `at` is when it was accepted, in seconds since 1970 by the account's clock; `size` in
    bytes; `template` the name of the one it was made from.
    """

    id: str
    message_id: str
    account: str
    domain: str
    direction: Direction
    sender: str = Field(alias="from")
    to: list[str]
    cc: list[str]
    recipients: list[str]
    subject: str
    at: float
    iso: str
    tags: list[str]
    variables: dict[str, Any] | str
    size: int
    template: str | None
    test_mode: bool
    attachments: list[AttachedFile]


class FollowableLink(BaseModel):
    """`url` is where it leads in the end, `tracked` how it stands in the mail if clicks on it are counted."""

    url: str
    tracked: str | None
    text: str


class ReadMessage(InboxMessage):
    """As it goes out to `recipient`: placeholders filled in, links tracked, footers added.

    `text` and `html` have LF line ends and are null where there is no such body. `headers` are pairs of name and value.
    `codes` are one-time codes and the like, the surest first. `events` are those of the copy, the oldest first.
    """

    recipient: str
    text: str | None
    html: str | None
    headers: list[list[str]]
    links: list[FollowableLink]
    codes: list[str]
    unsubscribe_url: str | None
    events: list[dict[str, Any]]


class DeletedMessages(BaseModel):
    """`deleted` is how many."""

    message: str
    deleted: int

    @classmethod
    def of(cls, count: int) -> Self:
        return cls(message=f"{count} message{'' if count == 1 else 's'} deleted", deleted=count)


def summary(tx: Tx, message: SentMessage, base_url: str) -> dict[str, Any]:
    """An `InboxMessage`. `base_url` is that of the server, for links."""
    options, told = orjson.loads(message.options), orjson.loads(message.headers)
    to, cc = orjson.loads(message.addressees)
    return {
        "id": message.storage_key,
        "message_id": message.message_id,
        "account": tx.account_id,
        "domain": message.domain_name,
        "direction": "incoming" if "incoming" in options else "outgoing",
        "from": told.get("from", ""),
        "to": to,
        "cc": cc,
        "recipients": orjson.loads(message.recipients),
        "subject": told.get("subject", ""),
        "at": message.accepted_at,
        "iso": dates.rfc3339_ms(message.accepted_at),
        "tags": orjson.loads(message.tags),
        "variables": orjson.loads(message.variables),
        "size": message.size,
        "template": options.get("template-info", {}).get("name") or options.get("template"),
        "test_mode": "testmode" in options,
        "attachments": _attachments(tx, message, base_url),
    }


def find_summary(tx: Tx, storage_key: str, base_url: str) -> dict[str, Any] | None:
    """None if the copy is gone."""
    message = inbox.find_by_key(tx, storage_key)
    return None if message is None else summary(tx, message, base_url)


def whole(
    tx: Tx, message: SentMessage, recipient: str, base_url: str, *, events_of: str | None = None
) -> dict[str, Any]:
    """A `ReadMessage`; `events_of` one of its recipients, or of all."""
    mime = as_sent(tx, message, recipient)
    contents, headers = stored.take_apart(mime), stored.read_headers(mime)
    plain, html = contents.text("plain"), contents.text("html")
    own = {name.lower(): value for name, value in reversed(headers)}
    subject = own.get("subject", "")
    found = list(_links(tx, extract.find_links(plain, html)))
    return {
        **summary(tx, message, base_url),
        "from": own.get("from", ""),
        "subject": subject,
        "recipient": recipient,
        "text": plain,
        "html": html,
        "headers": headers,
        "links": found,
        "codes": codes.find(subject, plain, html),
        "unsubscribe_url": _unsubscribe_url(headers, found),
        "events": inbox.list_events(tx, message, events_of),
    }


def as_sent(tx: Tx, message: SentMessage, recipient: str) -> bytes:
    """The MIME as it goes out to one of its recipients."""
    return finished(tx, message, messages.find_mime(tx, message.id) or b"", recipient)


def list_files(tx: Tx, message: SentMessage) -> list[File]:
    return stored.list_files(messages.find_mime(tx, message.id) or b"")


def _attachments(tx: Tx, message: SentMessage, base_url: str) -> list[dict[str, Any]]:
    """Of ready messages their MIME alone tells."""
    url = f"{base_url}/_emulator/messages/{message.storage_key}/attachments"
    return [
        {
            "index": index,
            "filename": file.part.filename,
            "content_type": file.part.content_type,
            "size": len(file.part.data),
            "content_id": file.content_id.strip("<>") or None,
            "inline": file.inline,
            "url": f"{url}/{index}?account={tx.account_id}",
        }
        for index, file in enumerate(list_files(tx, message))
    ]


def _links(tx: Tx, found: list[Link]) -> Iterator[dict[str, Any]]:
    """Each place they lead to once: text and HTML may have the same link, and only one of them tracked."""
    by_target: dict[str, dict[str, Any]] = {}
    for link in found:
        target = tracking_urls.target_of(tx, link.url)
        url = target or link.url
        tracked = link.url if target is not None else None
        known = by_target.setdefault(url, {"url": url, "tracked": tracked, "text": link.text})
        known["tracked"] = known["tracked"] or tracked
    for each in by_target.values():
        if each["text"] == each["tracked"]:
            each["text"] = each["url"]
    yield from by_target.values()


def _unsubscribe_url(headers: list[tuple[str, str]], found: list[dict[str, Any]]) -> str | None:
    """What the header says, else the first link that reads so."""
    url = extract.list_unsubscribe(headers)
    in_body = (each["url"] for each in found if extract.is_to_unsubscribe(Link(each["url"], each["text"])))
    return url or next(in_body, None)
