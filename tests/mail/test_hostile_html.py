"""HTML that was made to take long takes no longer than its length."""

from collections.abc import Callable
from time import process_time

import pytest

from mailgun_emulator.mail import (
    body_search,
    extract,
    html_checks,
    inline_css,
    preview_image,
    replies,
    stored,
)
from mailgun_emulator.mail.preview_clients import CLIENTS

LENGTH = 100_000
SECONDS = 4.0
"""Of the processor. What looks at all that is left at each step takes a minute and more."""


def repeated(*pieces: str) -> str:
    return "".join(piece * (LENGTH // len(pieces) // len(piece)) for piece in pieces)


def searched(html: str) -> list[str]:
    mime = b"Content-Type: text/html\r\n\r\n" + html.encode()
    body_search.holds(mime, "zzz")
    return list(body_search.texts(mime))


WAYS: dict[str, Callable[[str], object]] = {
    "inlined": inline_css.inline,
    "preview": lambda html: preview_image.draw(CLIENTS["outlook19"], "S", html),
    "links": lambda html: extract.find_links(html, html),
    "analysed": html_checks.analyse,
    "searched": searched,
    "stored": lambda html: stored.read(b"Content-Type: text/html\r\n\r\n" + html.encode()),
}
HOSTILE = {
    "unfinished": repeated("<b "),
    "opened": repeated("<"),
    "opened before one": repeated("<") + "<b>",
    "slashes": repeated("<b/"),
    "closings": repeated("</a "),
    "styles": repeated("<style>"),
    "comments": repeated("<!--"),
    "declarations": repeated("<!x"),
    "sections": repeated("<![foo[x]]>"),
    "quotes": repeated('<a b="'),
    "images": repeated("<img "),
    "nested": repeated("<i>", "</b>"),
    "quotations": repeated("<blockquote>"),
    "attributes": f"<b {repeated('a ')}>",
    "numbers": f"<a href='x:&#{'0' * LENGTH};'>&#{'9' * LENGTH};",
    "rules": f"<style>{repeated('*{a:b}')}</style>{repeated('<b>')}",
    "selectors": f"<style>{repeated('b ')}{{a:b}}</style>{repeated('<b>')}",
    "unknown": f"<style>{repeated('a:b,')}{{{'x' * LENGTH}}}p{{}}</style><p>",
    "blanks": f"<style>p{{a:b{' ' * LENGTH}x}}{repeated('/*')}</style><p>",
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE)
def test_no_html_takes_long(html: str, way: Callable[[str], object]) -> None:
    begun = process_time()
    way(html)
    assert process_time() - begun < SECONDS


def test_what_no_browser_knows_is_no_text() -> None:
    html = "a<![foo[x]]>b<![ >c<![if !mso]>d<![endif]><!-->e<!-- f --> &#" + "9" * 5000 + "; g<b"
    assert replies.to_text(html) == "abcde \ufffd g<b"


def test_rules_go_as_far_as_they_may() -> None:
    html = "<style>" + "b{a:b}" * 2000 + "</style>" + "<b>x</b>" * 1000
    inlined = inline_css.inline(html)
    assert inlined.startswith('<b style="a: b;">x</b>')
    assert inlined.endswith("<b>x</b>")
    assert inlined.count("x") == 1000
