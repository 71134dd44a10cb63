"""Messages made from stored templates (facts/sending.md, 2.4 and 2.5)."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import orjson

from mailgun_emulator.core import hints
from mailgun_emulator.expressions.handlebars_values import TemplateError
from mailgun_emulator.mail import addresses, bodies, json_text, replies, stored
from mailgun_emulator.mail import headers as fields
from mailgun_emulator.pipeline import options as sending_options
from mailgun_emulator.pipeline.submission import Submission
from mailgun_emulator.state import template_versions, templates
from mailgun_emulator.state.sending import SendingDomain
from mailgun_emulator.state.template_versions import Content
from mailgun_emulator.state.transaction import Tx

FEW = 8
OF_VARIABLES = ("member-variables", "plain-variables")


class TemplateFailed(Exception):
    """No message can be made; the text says why, for the event that tells so."""


class Made(NamedTuple):
    """What a version of a template reads to one recipient, or the `error` that there was.

    `missing` are the variables that it prints and nobody gave.
    """

    content: Content
    html: str = ""
    text: str | None = None
    headers: Mapping[str, str] = {}
    error: str = ""
    missing: tuple[str, ...] = ()


def find_for_many(tx: Tx, domain: SendingDomain, submission: Submission) -> Content | None:
    """The version to render for so many recipients that others would wait for it."""
    if (
        submission.recipient_variables is None
        or "template" not in submission.options
        or len(submission.to) <= FEW
    ):
        return None
    try:
        return find(tx, domain.id, submission.options)
    except TemplateFailed:
        return None


async def render_ahead(content: Content, copies: Iterable[Submission]) -> dict[str, Made]:
    """By the address in `to`. It may take seconds, in which others have their turns."""
    made = {}
    for copy in copies:
        made[copy.to[0].email] = make(copy, content)
        await asyncio.sleep(0)
    return made


def fill(tx: Tx, domain: SendingDomain, copy: Submission, ahead: Mapping[str, Made] | None) -> Submission:
    """The copy with its template rendered into it, or with `template-error` in its options where that failed.

    A ready message that has no HTML stays as it is (facts/sending.md, 1.12). What was rendered `ahead` of a version
    that has changed since is rendered anew.
    """
    options = copy.options
    if "template" not in options:
        return copy
    if copy.ready is not None and not stored.read(copy.ready).body_html:
        return replace(copy, options=without(options, (*sending_options.TEMPLATE, *OF_VARIABLES)))
    try:
        content = find(tx, domain.id, options)
        made = ahead.get(copy.to[0].email) if ahead else None
        return render(copy, content, domain.name, made)
    except TemplateFailed as failure:
        hints.add(copy.hints, f"The message will fail: {failure}")
        return _failed(copy, str(failure), domain.name)


def with_member(copy: Submission, values: dict[str, Any]) -> Submission:
    """The copy for a list's member, whose variables its template can use."""
    if "template" not in copy.options:
        return copy
    return replace(copy, options={**copy.options, "member-variables": values})


def without(options: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name not in names}


def find(tx: Tx, domain_id: str, options: Mapping[str, Any]) -> Content:
    """The version that the options name. Raise `TemplateFailed`."""
    name, tag = options["template"], options.get("template-version", "")
    content = template_versions.find_content(tx, domain_id, name, tag)
    if content is not None:
        return content
    if templates.find(tx, domain_id, name) is None:
        raise TemplateFailed(f"template {name} not found")
    if tag:
        raise TemplateFailed(f"template {name} has no version {tag}")
    raise TemplateFailed(f"template {name} has no active version")


def render(copy: Submission, content: Content, domain_name: str, made: Made | None = None) -> Submission:
    """The copy with that version of its template rendered into it. Raise `TemplateFailed`."""
    if made is None or made.content != content:
        made = make(copy, content)
    if made.error:
        raise TemplateFailed(made.error)
    for name in made.missing:
        hints.add(copy.hints, _about_missing(copy, name))
    copy = _with_headers(copy, made.headers, domain_name)
    if copy.ready is not None:
        copy = replace(copy, ready=_with_body(copy.ready, made.html, made.text))
    else:
        copy = replace(copy, html=made.html, text=copy.text if made.text is None else made.text)
    as_text = made.text is not None
    info = {"name": copy.options.get("template", ""), "version": content.tag, "is-text": as_text}
    options = without(copy.options, ("template-version", "template-text", *OF_VARIABLES))
    return replace(copy, options={**options, "template-info": info})


def _about_missing(copy: Submission, name: str) -> str:
    template = copy.options.get("template", "")
    if f"%recipient.{name}%" in copy.marks:
        return (
            f"Template {template} prints `{name}`, which only the recipient-variables have: "
            f'give it as t:variables={{"{name}": "%recipient.{name}%"}}'
        )
    return (
        f"Template {template} prints `{name}`, which was not given: "
        "not in t:variables, nor as v:NAME, nor in h:X-Mailgun-Variables"
    )


def make(copy: Submission, content: Content) -> Made:
    """What takes long of rendering, and needs the copy and the template alone."""
    missing = set[str]()
    try:
        context = _context(copy)
        if content.engine != template_versions.ENGINES[0]:
            raise TemplateFailed(f"engine {content.engine} is not rendered by the emulator")
        html = _rendered(copy, content.content, context, "body", missing)
        headers = {
            name: " ".join(_rendered(copy, source, context, f"{name} header", missing).split())
            for name, source in orjson.loads(content.headers).items()
        }
    except TemplateFailed as failure:
        return Made(content, error=str(failure))
    as_text = copy.options.get("template-text") == "yes"
    text = replies.to_text(html) if as_text else None
    return Made(content, html, text, headers, missing=tuple(sorted(missing)))


def _failed(copy: Submission, why: str, domain_name: str) -> Submission:
    options = copy.options
    info = {
        "name": options["template"],
        "version": options.get("template-version", ""),
        "is-text": options.get("template-text") == "yes",
    }
    copy = _with_headers(copy, {}, domain_name)
    kept = without(copy.options, OF_VARIABLES)
    return replace(copy, options={**kept, "template-info": info, "template-error": why})


def _rendered(copy: Submission, source: str, context: dict[str, Any], where: str, missing: set[str]) -> str:
    """Placeholders are filled in once more in what comes out (facts/sending.md, 2.5)."""
    from mailgun_emulator.expressions import handlebars

    try:
        return copy.filled_in(handlebars.render(source, context, missing))
    except TemplateError as error:
        name = copy.options.get("template") or "given as content"
        raise TemplateFailed(f"template {name}, {where}: {error}") from None


def _context(copy: Submission) -> dict[str, Any]:
    """The weakest first: a list member's variables, the message's, the template's own."""
    options = copy.options
    context: dict[str, Any] = dict(options.get("member-variables", {}))
    plain = options.get("plain-variables", {})
    for name, value in copy.variables.items():
        kept = name in plain and orjson.dumps(plain[name]).decode() == value
        context[name] = plain[name] if kept else _structured(value)
    return {**context, **_own_variables(options.get("template-variables", ""))}


def _structured(text: str) -> Any:
    """Variables are text; one that is a JSON object or list is that to templates (facts/sending.md, 2.5)."""
    if text.lstrip()[:1] not in ("{", "["):
        return text
    try:
        return json_text.read(text)
    except ValueError:
        return text


def _own_variables(text: str) -> dict[str, Any]:
    try:
        found = json_text.read(text or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise TemplateFailed("t:variables is not a JSON object")
    return found


def _with_headers(copy: Submission, headers: Mapping[str, str], domain_name: str) -> Submission:
    """The message's own headers win; without any From it is from postmaster (facts/sending.md, 2.1)."""
    own = {name.lower() for name, _ in (*copy.headers, *fields.read(copy.ready or b""))}
    added, untold = list(copy.headers), {}
    if not copy.sender and "from" not in own:
        sender = headers.get("From") or f"postmaster@{domain_name}"
        _check_sender(sender)
        untold["from"] = ""
        copy = replace(copy, sender=sender)
        added += [("From", sender)] if copy.ready is not None else []
    if not copy.subject and "subject" not in own and headers.get("Subject"):
        untold["subject"] = ""
        copy = replace(copy, subject=headers["Subject"])
        added += [("Subject", copy.subject)] if copy.ready is not None else []
    if "reply-to" not in own and headers.get("Reply-To"):
        added.append(("Reply-To", headers["Reply-To"]))
    return replace(
        copy, headers=added, options={**copy.options, **({sending_options.UNTOLD: untold} if untold else {})}
    )


def _check_sender(sender: str) -> None:
    try:
        found = addresses.parse_list([sender])
    except addresses.NotAnAddress:
        found = []
    if not found:
        raise TemplateFailed(f"the template's From header is not a valid address: {sender}")


def _with_body(mime: bytes, html: str, text: str | None) -> bytes:
    """A ready message with the rendered template in place of its HTML and, if asked for, of its text."""

    def change(subtype: str, old: str) -> str:
        if subtype == "html":
            return html
        return text if subtype == "plain" and text is not None else old

    return bodies.change_texts(fields.crlf(mime), change)
