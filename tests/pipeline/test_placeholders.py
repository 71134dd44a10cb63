"""What stands for a recipient in the copy that goes out to them."""

from email import message_from_bytes, policy

import pytest

from mailgun_emulator.mail import headers
from mailgun_emulator.pipeline.placeholders import fill_for

TEXT = "%recipient_fname%|%recipient_lname%|%recipient_name%|%recipient_email%|%recipient%|%recipient.x%"
FIELDS = 'To: "Doe, Bob" <bob@x.com>, sue@x.com\nCc: =?utf-8?q?J=C3=BCrgen_Klein?= <jk@x.com>\n'


@pytest.mark.parametrize(
    ("recipient", "filled"),
    [
        ("bob@x.com", 'Doe,|Bob|Doe, Bob|bob@x.com|"Doe, Bob" <bob@x.com>|%recipient.x%'),
        ("JK@x.com", "Jürgen|Klein|Jürgen Klein|jk@x.com|Jürgen Klein <jk@x.com>|%recipient.x%"),
        ("blind@x.com", "|||blind@x.com|blind@x.com|%recipient.x%"),
    ],
)
@pytest.mark.parametrize(
    "encoded",
    [
        f"\n{TEXT}",
        "Content-Transfer-Encoding: quoted-printable\n\n" + TEXT.replace("_f", "_=\nf"),
        "Content-Transfer-Encoding: base64\n\n"
        "JXJlY2lwaWVudF9mbmFtZSV8JXJlY2lwaWVudF9sbmFtZSV8JXJlY2lwaWVudF9uYW1lJXwlcmVjaXBpZW50X2VtYWls\n"
        "JXwlcmVjaXBpZW50JXwlcmVjaXBpZW50LnglCg==\n",
    ],
)
def test_it_is_filled_in_for_each_recipient(encoded: str, recipient: str, filled: str) -> None:
    mime = headers.crlf(f"{FIELDS}Subject: to %recipient_email%\n{encoded}".encode())
    copy = message_from_bytes(fill_for(mime, recipient), policy=policy.default)
    assert copy.get_content().strip() == filled
    assert str(copy["Subject"]).lower() == f"to {recipient}".lower()


def test_what_has_no_placeholders_keeps_its_bytes() -> None:
    mime = headers.crlf(f"{FIELDS}Subject:   odd   blanks\n\n100 %, %recipients\n".encode())
    assert fill_for(mime, "bob@x.com") == mime
