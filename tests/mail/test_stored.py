import orjson
import pytest

from mailgun_emulator.mail import replies, stored
from mailgun_emulator.mail.mime import Draft, Part, build

PNG = b"\x89PNG\r\n\x1a\n\0\xff"


def test_what_was_built_is_read_back() -> None:
    file, letter = (
        Part("naïve.txt", "text/plain", b"a\nb"),
        Part("m.eml", "message/rfc822", b"Subject: x\n\nhello\n"),
    )
    logo = Part("my logo.png", "image/png", PNG)
    parts = stored.read(
        build(
            Draft(
                sender="Jörg <j@mg.example.com>",
                to=["bob@example.net"],
                subject="Grüße",
                text="Grüße\n\nJ",
                html='<p>Grüße</p>\n<img src="cid:my logo.png">',
                amp_html="<html amp4email>",
                attachments=[file, letter],
                inlines=[logo],
                message_id="1@mg.example.com",
                date=0.0,
                domain="mg.example.com",
                boundary="a" * 60,
            )
        )
    )
    assert ("Subject", "Grüße") in parts.headers
    assert ("From", "Jörg <j@mg.example.com>") in parts.headers
    assert parts.body_plain == parts.stripped_text == "Grüße\r\n\r\nJ"
    assert parts.body_html == parts.stripped_html == '<p>Grüße</p>\r\n<img src="cid:my logo.png">'
    assert parts.other == {"x-amp-html": "<html amp4email>"}
    assert parts.attachments == [file, letter, logo]
    assert parts.content_ids == {"<my logo.png>": 2}
    assert parts.stripped_signature == ""


def test_an_html_message_has_a_plain_body_too() -> None:
    parts = stored.read(
        b"Content-Type: text/html; charset=ascii\n\n"
        b"<html><head><title>no</title></head><body><p>This is &lt;some&gt;\n html</p><ul><li>1<li>2</ul>"
        b"<img alt='logo'></body></html>"
    )
    assert parts.body_plain == "This is <some> html\r\n\r\n1\r\n2\r\nlogo"


def test_quotations_in_html_are_taken_off_the_text_made_of_it() -> None:
    parts = stored.read(b"Content-Type: text/html\n\n<p>Yes</p><blockquote>Shall we?</blockquote>")
    assert (parts.body_plain, parts.stripped_text) == ("Yes\r\n\r\nShall we?", "Yes")


@pytest.mark.parametrize(
    ("head", "body", "expected"),
    [
        (b"text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        (b"text/plain; charset=nonsense", "é".encode(), "é"),
        (b"text/plain; charset=ascii", "é".encode(), "é"),
        (b"text/plain", b"a\nb", "a\r\nb"),
    ],
)
def test_bodies_are_decoded(head: bytes, body: bytes, expected: str) -> None:
    assert stored.read(b"Content-Type: " + head + b"\n\n" + body).body_plain == expected


@pytest.mark.parametrize(
    "mime",
    [
        b"Content-Type: text/plain; charset=utf-7\n\n+2AA-",
        b'Content-Type: text/plain; charset="\0"\n\n\xff',
        b"Content-Type: t; charset*=u\x9af-8''%ff\n\n\xa5",
        b"Subject: =?utf-7?q?+2AA-?=\n\nx",
        b"Content-Type: image/png; name*=ut\0f-7''%2B2AA-\n\nx",
        b"Content-Type: image/\xff; name*=utf-7''%2B2AA-\nContent-Id: =?utf-7?q?+2AA-?=\n\nx",
    ],
)
def test_whatever_a_message_says_can_be_told_in_json(mime: bytes) -> None:
    parts = stored.read(mime)
    names = [(part.filename, part.content_type) for part in parts.attachments]
    told = (parts.headers, parts.body_plain, list(parts.other), names, list(parts.content_ids))
    assert orjson.dumps(told)


def test_files_without_a_name_and_attached_messages_are_files() -> None:
    mime = (
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\n\r\nfirst\r\n"
        b"--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\niVBORw==\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\nContent-Type: text/plain\r\n\r\ninner\r\n\r\n"
        b"--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN\r\n"
        b"--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment\r\n\r\nnotes\r\n"
        b"--b\r\n\r\nsecond\r\n"
        b"--b--\r\n"
    )
    parts = stored.read(mime)
    assert parts.body_plain == "first\r\nsecond"
    assert parts.other == {"calendar": "BEGIN"}
    assert parts.attachments == [
        Part("attachment-1", "image/png", b"\x89PNG"),
        Part("attachment-2", "message/rfc822", b"Subject: in\r\nContent-Type: text/plain\r\n\r\ninner\r\n"),
        Part("attachment-3", "text/plain", b"notes"),
    ]
    assert parts.content_ids == {}


@pytest.mark.parametrize(
    "mime", [b"", b"\n", b"garbage", b"Content-Type: multipart/mixed\n\nx", b"Content-Type: ;;\n\nx"]
)
def test_what_is_hardly_a_message_is_read_all_the_same(mime: bytes) -> None:
    assert stored.read(mime).body_html == ""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi\r\n", ("Hi\r\n", "")),
        ("a > b\nno > quote\n", ("a > b\nno > quote\n", "")),
        ("New\r\n\r\nOn Mon, Jan 1 Bob <b@x.com>\r\nwrote:\r\n> old\r\n>> older\r\n", ("New", "")),
        ("On x, Bob wrote:\n> q\n\nbelow\n", ("below", "")),
        ("On x, Bob wrote: nothing\n", ("On x, Bob wrote: nothing\n", "")),
        ("New\n\n-----Original Message-----\nFrom: x\n\nold", ("New", "")),
        ("New\n\nFrom: Bob\nSent: today\n\nold", ("New", "")),
        ("Hi\r\n\r\n-- \r\nBob\r\nAcme\r\n", ("Hi", "-- \r\nBob\r\nAcme")),
        ("Hi\nSent from my phone", ("Hi", "Sent from my phone")),
        ("-- \nBob", ("-- \nBob", "")),
        ("", ("", "")),
    ],
)
def test_quotations_and_signature_are_taken_off_a_text(text: str, expected: tuple[str, str]) -> None:
    assert replies.strip_text(text) == expected


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<P CLASS=x>Hi &amp; &#233;<br/></P>", "<P CLASS=x>Hi &amp; &#233;<br/></P>"),
        ("<p>New</p><blockquote>a<blockquote>b</blockquote>c</blockquote><p>End", "<p>New</p><p>End"),
        (
            '<!DOCTYPE html><!-- c --><p>&eacute;<br/><div class="gmail_quote">On <div>x</div></div></p>',
            "<!DOCTYPE html><!-- c --><p>&eacute;<br/></p>",
        ),
    ],
)
def test_quotations_are_taken_out_of_html(html: str, expected: str) -> None:
    assert replies.strip_html(html) == expected


@pytest.mark.parametrize(
    "kind",
    [
        b'text/plain; charset="utf\0-8"',
        b"text/plain; charset*=utf\0-8''utf-8",
        b"multipart/mixed; boundary*=utf\0''b",
    ],
)
def test_a_type_with_a_nul_in_it_does_no_harm(kind: bytes) -> None:
    told = stored.read(b"Content-Type: " + kind + b"\r\n\r\nhi\r\n")
    assert told.body_plain == "hi\r\n" or told.attachments[0].data == b"hi\r\n"
