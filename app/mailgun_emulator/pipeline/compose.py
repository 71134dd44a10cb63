"""The MIME of a message as it goes out, with the headers that Mailgun puts in (facts/sending.md, 1.11)."""

from base64 import b64encode
from collections.abc import Iterator

import orjson

from mailgun_emulator.mail import dates, headers, mime
from mailgun_emulator.mail.addresses import Address
from mailgun_emulator.mail.ip_ranges import shared_ip
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.transaction import Tx

Header = tuple[str, str]

_ECHOED = {
    "tracking": "X-Mailgun-Track",
    "tracking-clicks": "X-Mailgun-Track-Clicks",
    "tracking-opens": "X-Mailgun-Track-Opens",
    "template": "X-Mailgun-Template-Name",
    "template-variables": "X-Mailgun-Template-Variables",
}
_WORDS = {"yes": "true", "no": "false"}


def compose(
    tx: Tx, domain: SendingDomain, submission: Submission, message_id: str, recipients: list[Address]
) -> bytes:
    extra = list(_extra(tx, domain, submission, recipients))
    echoes, own = list(_echoes(submission)), submission.headers
    variables, tags = _variables(submission), submission.tags
    remove: list[str] = []
    suppressed = submission.options.get("suppress-headers")
    if suppressed:
        names = {name.strip().lower() for name in suppressed.split(",")}
        extra, echoes, own = (_without(names, each) for each in (extra, echoes, own))
        variables = "" if _is_suppressed(names, "X-Mailgun-Variables") else variables
        tags = [] if _is_suppressed(names, "X-Mailgun-Tag") else tags
        remove = _own_suppressed(names, submission.ready)
    if submission.ready is not None:
        stamp = mime.Stamp(
            message_id=message_id,
            new_id=True,
            date=tx.now,
            domain=domain.name,
            extra=extra,
            headers=[*own, *echoes],
            tags=tags,
            variables=variables,
            remove=remove,
        )
        return mime.restamp(submission.ready, stamp).mime
    return mime.build(
        mime.Draft(
            sender=submission.sender,
            to=[str(each) for each in submission.to],
            cc=[str(each) for each in submission.cc],
            subject=submission.subject,
            text=submission.text,
            html=submission.html,
            amp_html=submission.amp_html,
            attachments=submission.attachments,
            inlines=submission.inlines,
            headers=own,
            tags=tags,
            variables=variables,
            message_id=message_id,
            date=tx.now,
            domain=domain.name,
            extra=extra,
            echoes=echoes,
            boundary=tx.ids.hex(60),
        )
    )


def _variables(submission: Submission) -> str:
    """As Mailgun writes them, with blanks after colons and commas."""
    if not submission.variables:
        return ""
    pairs = (
        f"{orjson.dumps(name).decode()}: {orjson.dumps(value).decode()}"
        for name, value in submission.variables.items()
    )
    return f"{{{', '.join(pairs)}}}"


def _extra(
    tx: Tx, domain: SendingDomain, submission: Submission, recipients: list[Address]
) -> Iterator[Header]:
    first = recipients[0].email if recipients else ""
    sid = orjson.dumps([tx.ids.hex(5), first, domain.id[:6]])
    yield "X-Mailgun-Sid", b64encode(sid).decode()
    yield "Received", _received(tx, submission)
    if "sending-ip-pool-name" in submission.options:
        yield "X-Mailgun-Sending-Ip-Pool-Name", submission.options["sending-ip-pool-name"]
        yield "X-Mailgun-Sending-Ip-Pool", submission.options["sending-ip-pool"]
    yield "X-Mailgun-Sending-Ip", submission.options.get("sending-ip") or shared_ip(tx.account_id)
    if len(recipients) > 1 or "batch" in submission.options:
        batch = submission.options.get("batch") or {"id": tx.ids.object_id()}
        yield "X-Mailgun-Batch-Id", batch["id"]


def _received(tx: Tx, submission: Submission) -> str:
    by, date = f"by {tx.ids.hex(12)} with", dates.rfc2822(tx.now, "GMT")
    id_ = f"{submission.method.upper()} id {tx.ids.object_id()}"
    if not submission.helo:
        return f"{by} {id_}; {date}"
    host = "localhost" if submission.client_ip in ("127.0.0.1", "::1") else "unknown"
    secured = f" ({submission.tls})" if submission.tls else ""
    return f"from {submission.helo} ({host} [{submission.client_ip}]) {by} {id_}{secured}; {date}"


def _echoes(submission: Submission) -> Iterator[Header]:
    """Not of what came by SMTP: there they are header fields already."""
    if submission.method == "SMTP":
        return
    for option, name in _ECHOED.items():
        value = submission.options.get(option)
        if value:
            yield name, _WORDS.get(value, value)


def _without(names: set[str], headers: list[Header]) -> list[Header]:
    return [header for header in headers if not _is_suppressed(names, header[0])]


def _is_suppressed(names: set[str], header: str) -> bool:
    """`o:suppress-headers` names Mailgun's own headers only, or `all` of them."""
    name = header.lower()
    return name.startswith("x-mailgun-") and ("all" in names or name in names)


def _own_suppressed(names: set[str], ready: bytes | None) -> list[str]:
    """The fields of a ready message that go, too."""
    own = [] if ready is None else headers.read(ready)
    return [name for name, _ in own if _is_suppressed(names, name)]
