from xml.etree import ElementTree

import pytest

from mailgun_emulator.mail import inline_css, preview_image
from mailgun_emulator.mail.preview_clients import CLIENTS, PreviewClient


def styled(css: str, body: str) -> str:
    return inline_css.inline(f"<style>{css}</style>{body}")


@pytest.mark.parametrize(
    ("css", "body", "inlined"),
    [
        ("p{color:red}", "<p>a</p>", '<p style="color: red;">a</p>'),
        ("p{color:red}", "<b>a</b>", "<b>a</b>"),
        ("p{color:red} .x{color:blue}", "<p class='x y'>", '<p class="x y" style="color: blue;">'),
        (".x{color:blue} p{color:red}", "<p class=x>", '<p class="x" style="color: blue;">'),
        ("#i{a:1} .x{a:2} p{a:3}", "<p class=x id=i>", '<p class="x" id="i" style="a: 1;">'),
        ("p{a:1}", '<p style="a:2;b:3">', '<p style="a: 2; b: 3;">'),
        ("p{a:1 !important}", '<p style="a:2">', '<p style="a: 1;">'),
        ("div b{a:1}", "<div><p><b>x</b></p></div><b>y</b>", '<div><p><b style="a: 1;">x</b></p></div><b>y</b>'),
        ("div > b{a:1}", "<div><p><b>x</b></p><b>y</b></div>", '<div><p><b>x</b></p><b style="a: 1;">y</b></div>'),
        ("div p > b{a:1}", "<div><p><b>x</b></p></div>", '<div><p><b style="a: 1;">x</b></p></div>'),
        ("i, b{a:1}", "<i><b>", '<i style="a: 1;"><b style="a: 1;">'),
        ("*{a:1}", "<br><hr/>", '<br style="a: 1;"><hr style="a: 1;" />'),
        ("p{a:'&<>'}", "<p>&amp;&#8203;<!-- c -->", '<p style="a: &#x27;&amp;&lt;&gt;&#x27;;">&amp;&#8203;<!-- c -->'),
        ("/* p{a:2} */ p{a:1}", "<!doctype html><p>", '<!doctype html><p style="a: 1;">'),
    ],
)  # fmt: skip
def test_rules_go_into_the_elements_they_are_about(css: str, body: str, inlined: str) -> None:
    assert styled(css, body) == inlined


def test_what_no_element_can_hold_stays() -> None:
    css = "@import url(x); @media print{p{a:1}} a:hover{b:2} p{c:3}"
    kept = "<style>@import url(x);@media print{p{a:1}}a:hover{b:2}</style>"
    assert styled(css, "<p>") == f'{kept}<p style="c: 3;">'


def test_html_without_style_sheets_stays_as_it_is() -> None:
    html = "<P Class = x>a & b</P>\n"
    assert inline_css.inline(html) == html


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
def test_a_preview_is_an_image_that_loads_nothing(client: PreviewClient) -> None:
    html = '<p>Hi &lt;there&gt;</p><img src="http://x.com/a.png" alt="Logo"><script>alert(1)</script>\x00'
    drawn = preview_image.draw(client, "S <b> & \x01", html)
    root = ElementTree.fromstring(drawn)  # noqa: S314 - what is read was made here
    texts = [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "S <b> & \ufffd" in texts
    assert any("Hi <there>" in text for text in texts)
    assert any("[image: Logo]" in text for text in texts)
    assert client.display_name in texts[0]
    assert "http://x.com" not in drawn


def test_without_images_their_texts_are_shown() -> None:
    drawn = preview_image.draw(CLIENTS["outlook19"], "S", '<img alt="Our logo">', images=False)
    assert "Our logo" in drawn
    assert "[image" not in drawn


def test_gmail_clips_long_messages() -> None:
    html = f"<p>{'word ' * 30_000}</p>"
    assert "[Message clipped]" in preview_image.draw(CLIENTS["gmailcom_chrome"], "S", html)
    assert "[Message clipped]" not in preview_image.draw(CLIENTS["outlook19"], "S", html)


def test_a_thumbnail_is_the_same_but_smaller() -> None:
    assert 'width="160"' in preview_image.draw(CLIENTS["outlook19"], "S", "<p>x", width=160)


@pytest.mark.parametrize(
    ("html", "empty"),
    [("", True), ("<p> <br></p>", True), ("<p>a", False), ('<img src="x">', False)],
)
def test_what_has_neither_words_nor_images_is_empty(html: str, *, empty: bool) -> None:
    assert preview_image.is_empty(html) is empty
