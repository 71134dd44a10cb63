"""A message as it goes out to one recipient: tracked, signed, and easy to unsubscribe from (facts/sending.md, 5)."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from mailgun_emulator.mail import bodies, dkim_signature, headers, links
from mailgun_emulator.mail.dkim_signature import NotSigned, Signer
from mailgun_emulator.pipeline import placeholders, tracking_settings, tracking_urls
from mailgun_emulator.pipeline.tracking_urls import Links
from mailgun_emulator.state import domain_keys
from mailgun_emulator.state.messages import SentMessage
from mailgun_emulator.state.transaction import Tx

UNSUBSCRIBE_MARKS = ("%unsubscribe_url%", "%tag_unsubscribe_url%", "%mailing_list_unsubscribe_url%")
ADDRESS_MARK = "%unsubscribe_email%"
ONE_CLICK = b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"

log = logging.getLogger(__name__)


def finished(tx: Tx, message: SentMessage, mime: bytes, recipient: str) -> bytes:
    """The same whenever it is asked for. What came in from outside stays as it is, forwarded or not.

    A key is made if the domain has none, so this may write.
    """
    options = orjson.loads(message.options)
    if "signed-by" not in options or "incoming" in options:
        return mime
    mime = placeholders.fill_for(mime, recipient)
    mailing_list = options.get("mailing-list", {}).get("address", "")
    if "tracked" in options or mailing_list:
        urls = tracking_urls.of_copy(tx, message, recipient, mailing_list)
        if urls is not None:
            mime = _Copy(urls, options.get("tracked", {})).finish(mime)
    elif b"unsubscribe_url%" in mime:
        log.info(
            "%s keeps its unsubscribe placeholders as they are: "
            "PUT /v3/domains/%s/tracking/unsubscribe active=yes has them filled in",
            *(message.message_id, message.domain_name),
        )
    return b"".join([*_signatures(tx, message, options, mime), mime])


@dataclass(slots=True)
class _Copy:
    """`settings` are what is tracked; `seen` are the kinds of text met so far: the first of each is special.

    `refusable` tells that there is a way to unsubscribe in it.
    """

    urls: Links
    settings: dict[str, Any]
    seen: set[str] = field(default_factory=set)
    refusable: bool = False

    @property
    def has_unsubscribing(self) -> bool:
        """Placeholders are filled in where unsubscribes are tracked, and always in mail of a list."""
        return "unsubscribes" in self.settings or self.urls.mailing_list != ""

    def finish(self, mime: bytes) -> bytes:
        mime = bodies.change_texts(mime, self._change)
        if not self.has_unsubscribing:
            return mime
        fields, body = headers.split(mime)
        head = b"".join(each.raw for each in fields)
        names = {each.name.lower() for each in fields}
        if self._is_refusable() and "list-unsubscribe" not in names:
            head += f"List-Unsubscribe: <{self._list_unsubscribe()}>\r\n".encode()
            head += b"" if "list-unsubscribe-post" in names else ONE_CLICK
        return self._filled(head.decode("latin-1")).encode("latin-1") + b"\r\n" + body

    def _is_refusable(self) -> bool:
        return self.refusable or self.urls.mailing_list != "" or self.urls.message.tags != "[]"

    def _list_unsubscribe(self) -> str:
        return self.urls.leave_list() if self.urls.mailing_list else self.urls.unsubscribe()

    def _change(self, subtype: str, text: str) -> str:
        is_first = subtype not in self.seen
        self.seen.add(subtype)
        match subtype:
            case "html":
                return self._html(text, is_first)
            case "plain":
                return self._plain(text, is_first)
            case _:
                return self._filled(text)

    def _html(self, text: str, is_first: bool) -> str:
        text = links.append_html(text, self._footer(text, 0) if is_first else "")
        if "clicks" in self.settings:
            text = links.rewrite_html(text, self._click)
        text = self._filled(text)
        if not is_first or "opens" not in self.settings:
            return text
        pixel = f'<img width="1px" height="1px" alt="" src="{self.urls.open()}">'
        insert = links.prepend_html if self.settings["opens"] == tracking_settings.TOP else links.append_html
        return insert(text, pixel)

    def _plain(self, text: str, is_first: bool) -> str:
        text += self._footer(text, 1) if is_first else ""
        if self.settings.get("clicks", tracking_settings.HTML_ONLY) != tracking_settings.HTML_ONLY:
            text = links.rewrite_text(text, self._click)
        return self._filled(text)

    def _click(self, target: str) -> str:
        return self.urls.click(self._filled(target))

    def _footer(self, text: str, which: int) -> str:
        """None where the text has a way to unsubscribe of its own."""
        footer: str = self.settings.get("unsubscribes", ("", ""))[which]
        if any(mark in text for mark in UNSUBSCRIBE_MARKS):
            self.refusable = self.has_unsubscribing
            return ""
        self.refusable = self.refusable or footer != ""
        return footer

    def _filled(self, text: str) -> str:
        if "unsubscribe_" not in text or not self.has_unsubscribing:
            return text
        urls = (self.urls.unsubscribe, self.urls.unsubscribe_from_tags, self.urls.leave_list)
        for mark, url in zip(
            (*UNSUBSCRIBE_MARKS, ADDRESS_MARK), (*urls, self.urls.unsubscribe_address), strict=True
        ):
            if mark in text:
                text = text.replace(mark, url())
        return text


def _signatures(tx: Tx, message: SentMessage, options: dict[str, Any], mime: bytes) -> Iterator[bytes]:
    """The domain's, then the one that the message asks for besides."""
    if options.get("dkim") == "no":
        return
    secondary = options.get("secondary-dkim")
    for record, shown in (
        (options["signed-by"], None),
        (_record(secondary), _record(options.get("secondary-dkim-public"))),
    ):
        if record is None:
            continue
        signer = _signer(tx, message, record, shown)
        if signer is None:
            log.info("%s is not signed with %s: there is no such key", message.message_id, record)
            continue
        try:
            yield dkim_signature.sign(mime, signer, message.accepted_at)
        except NotSigned as reason:
            log.info("%s can't be signed: %s", message.message_id, reason)


def _record(named: str | None) -> str | None:
    """Where the key is published that `o:secondary-dkim` names as `domain/selector`."""
    if not named:
        return None
    host, _, selector = named.partition("/")
    return f"{selector}._domainkey.{host.lower()}"


def _signer(tx: Tx, message: SentMessage, record: str, shown: str | None) -> Signer | None:
    """`shown` is another name that the same key is published by (facts/sending.md, 1.3)."""
    key = domain_keys.find_signing(tx, record, message.domain_id)
    if key is None:
        return None
    selector, _, host = (shown or f"{key.selector}._domainkey.{key.host}").partition("._domainkey.")
    return Signer(host, selector, key.private_pem)
