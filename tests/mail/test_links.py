"""Links are found and changed, and nothing else is."""

import random
import time

import pytest

from mailgun_emulator.mail import links


def marked(url: str) -> str:
    return f"[{url}]"


@pytest.mark.parametrize(
    ("html", "changed"),
    [
        ('<a href="http://x.com">x</a>', '<a href="[http://x.com]">x</a>'),
        (
            "<A class=big\n HREF = 'https://x.com/?q=1'>x</A>",
            "<A class=big\n HREF = '[https://x.com/?q=1]'>x</A>",
        ),
        ("<a href=http://x.com/a/>x</a>", "<a href=[http://x.com/a/]>x</a>"),
        (
            '<map><area shape=rect href="http://x.com"/></map>',
            '<map><area shape=rect href="[http://x.com]"/></map>',
        ),
        ('<a href=" http://x.com ">x</a>', '<a href="[http://x.com]">x</a>'),
        ('<a href="http://x.com/\n\t?a=1">x</a>', '<a href="[http://x.com/?a=1]">x</a>'),
        ('<a href="HTTP://X.com">x</a>', '<a href="[HTTP://X.com]">x</a>'),
        ('<a href="http://x.com/?a=1&amp;b=2">x</a>', '<a href="[http://x.com/?a=1&amp;b=2]">x</a>'),
        ('<a href="http://x.com/?a=1&copy=2">x</a>', '<a href="[http://x.com/?a=1&amp;copy=2]">x</a>'),
        ('<a href="http://x.com/&#x41;&#66">x</a>', '<a href="[http://x.com/AB]">x</a>'),
        ('<a title=it\'s href="http://x.com">x</a>', '<a title=it\'s href="[http://x.com]">x</a>'),
        ('<a title="a > b" href="http://x.com">x</a>', '<a title="a > b" href="[http://x.com]">x</a>'),
        (
            '<a href="http://x.com" href="http://y.com">x</a>',
            '<a href="[http://x.com]" href="http://y.com">x</a>',
        ),
        ('<!--> <a href="http://x.com">x</a>', '<!--> <a href="[http://x.com]">x</a>'),
        (
            '<![if !mso]><a href="http://x.com">x</a><![endif]>',
            '<![if !mso]><a href="[http://x.com]">x</a><![endif]>',
        ),
        (
            '<a href="http://x.com" disable-tracking=false>',
            '<a href="[http://x.com]" disable-tracking=false>',
        ),
    ],
)
def test_links_of_html_are_changed(html: str, changed: str) -> None:
    assert links.rewrite_html(html, marked) == changed


@pytest.mark.parametrize(
    "html",
    [
        "",
        "http://x.com in plain sight",
        '<a href="mailto:a@x.com">',
        '<a href="tel:+1">',
        '<a href="#top">',
        '<a href="/relative">',
        '<a href="//x.com">',
        '<a href="javascript:alert(1)">',
        '<a href="%unsubscribe_url%">',
        '<a href="http://">',
        "<a name=http://x.com>",
        '<a data-href="http://x.com">',
        '<a href="http://x.com" disable-tracking=true>',
        "<a disable-tracking='TRUE' href='http://x.com'>",
        '<img src="http://x.com">',
        '<link href="http://x.com">',
        '<abbr href="http://x.com">',
        '<!-- <a href="http://x.com"> -->',
        '<!-- never closed <a href="http://x.com">',
        "<script>'<a href=\"http://x.com\">'</script>",
        '<style>/*<a href="http://x.com">*/</STYLE >',
        '<textarea><a href="http://x.com"></textarea>',
        '<a href="http://x.com"',
        "</a href='http://x.com'>",
        "< a href='http://x.com'>",
    ],
)
def test_all_else_in_html_stays(html: str) -> None:
    assert links.rewrite_html(html, marked) == html


def test_whatever_the_html_only_what_links_lead_to_changes() -> None:
    chance = random.Random(7)
    pieces = (
        '<a href="http://x.com/?a&amp;b">', "<a href='https://y.com'>", "<A HREF=http://z.com>", "</a>", "<!--", "-->",
        "<p title='>", '"', "'", "<script>", "</script>", "&lt;", "é", "\n", "<", ">", "=", "<br/>", "<a ", "</",
    )  # fmt: skip
    for _ in range(3000):
        html = "".join(chance.choices(pieces, k=chance.randrange(12)))
        changed = links.rewrite_html(html, lambda url: f"http://tracked/?{url}")
        undone = changed.replace("http://tracked/?", "")
        assert undone == html
        assert links.rewrite_html(html, lambda url: url) == html


@pytest.mark.parametrize(
    "html",
    [
        "<a " * 100_000,
        "<a x=\"' " * 50_000,
        "<!--" * 100_000,
        "<a href='" * 60_000,
        "<script>" * 60_000,
        "<a" + "/" * 300_000,
    ],
)
def test_html_made_to_be_slow_is_not(html: str) -> None:
    start = time.perf_counter()
    links.rewrite_html(html, marked)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        ("See http://x.com.", "See [http://x.com]."),
        ("(https://x.com/a_(b)), or", "([https://x.com/a_(b)]), or"),
        ("<http://x.com/?a=1&b=2>", "<[http://x.com/?a=1&b=2]>"),
        ('"http://x.com"', '"[http://x.com]"'),
        ("http://x.com/a\nhttp://y.com!", "[http://x.com/a]\n[http://y.com]!"),
        ("HTTPS://X.COM/é", "[HTTPS://X.COM/é]"),
        ("“http://x.com/a”, «http://y.com/b»…", "“[http://x.com/a]”, «[http://y.com/b]»…"),
        ("ftp://x.com xhttp://x.com mailto:a@x.com http:// www.x.com", None),
        ("To unsubscribe click: <%unsubscribe_url%>", None),
    ],
)
def test_urls_in_text_are_changed(text: str, changed: str | None) -> None:
    assert links.rewrite_text(text, marked) == (text if changed is None else changed)


@pytest.mark.parametrize(
    ("html", "appended", "prepended"),
    [
        ("<body class=x>hi</body>", "<body class=x>hi!</body>", "<body class=x>!hi</body>"),
        ("<html>hi</html>", "<html>hi!</html>", "!<html>hi</html>"),
        ("hi", "hi!", "!hi"),
        ("<!-- </body> -->hi</BODY >\n", "<!-- </body> -->hi!</BODY >\n", "!<!-- </body> -->hi</BODY >\n"),
        ("<body>a</body></body>", "<body>a</body>!</body>", "<body>!a</body></body>"),
    ],
)
def test_what_is_added_stands_in_the_body(html: str, appended: str, prepended: str) -> None:
    assert links.append_html(html, "!") == appended
    assert links.prepend_html(html, "!") == prepended
