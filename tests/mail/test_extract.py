"""What readers do with a message: enter its codes, follow its links, unsubscribe."""

import pytest

from mailgun_emulator.mail import codes, extract
from mailgun_emulator.mail.extract import Link

FOOTER = "\n\nQuestions? Call +1 555 123 4567. © 2024 Example Inc., 123 Main St, Springfield, IL 62704"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Your verification code is 482913.", ["482913"]),
        ("Your code: 4829", ["4829"]),
        ("Your code is 12345678", ["12345678"]),
        ("482913 is your Example code", ["482913"]),
        ("482913 — your login code", ["482913"]),
        ("G-482913 is your Google verification code.", ["482913"]),
        ("Code: 123-456", ["123456"]),
        ("Your login code:\n\n123 456\n\nIt expires in 10 minutes.", ["123456"]),
        ("Your code is *482913*", ["482913"]),
        ("Your code is “482913”", ["482913"]),
        ("Use 482913 to sign in to Example.", ["482913"]),
        ("Use code 482913 to confirm order 771122.", ["482913"]),
        ("Code for order 48291: 771122", ["771122"]),
        ("PIN: 1987", ["1987"]),
        ("Your PIN is 2024", ["2024"]),
        ("OTP 4821 valid for 5 minutes. Do not share the OTP.", ["4821"]),
        ("TAN: 123456 for transfer of 2000 EUR", ["123456"]),
        ("Your token is X7K9P2", ["X7K9P2"]),
        ("Enter the code below.\n\n  7F3K9Q\n\nThanks", ["7F3K9Q"]),
        ("Enter code WDJB-MJHT on your device", ["WDJB-MJHT"]),
        ("Here is your one-time password: a1B2c3", ["a1B2c3"]),
        ("Confirmation code:\nABC-123", ["ABC-123"]),
        ("Your recovery codes:\n\n1a2b3c4d\nAAAA-1111\n99887766\n", ["1a2b3c4d", "AAAA-1111", "99887766"]),
        ("Your code is 111111, your backup code is 222222", ["111111", "222222"]),
        ("To finish, enter this code:\n482913\nIf it was not you, ignore this." + FOOTER, ["482913"]),
        ("Din kode er 4 8 2 9 1 3", ["482913"]),
        ("Ihr Bestätigungscode lautet: 83921", ["83921"]),
        ("Dein Sicherheitscode ist 0042.", ["0042"]),
        ("Ihr Einmalpasswort: 5529", ["5529"]),
        ("Tu código de verificación es 55102", ["55102"]),
        ("Votre code de vérification est : 918273", ["918273"]),
        ("Twój kod weryfikacyjny: 998877", ["998877"]),
        ("Il tuo codice di verifica è 445566", ["445566"]),
        ("Seu código é 778899", ["778899"]),
        ("Din kod är 665544", ["665544"]),
        ("Doğrulama kodunuz: 332211", ["332211"]),
        ("Ваш код: 7788", ["7788"]),
        ("您的验证码是123456，请勿泄露。", ["123456"]),
        ("認証コード：665544", ["665544"]),
        ("인증번호는 112233 입니다", ["112233"]),
    ],
)
def test_codes_are_found_by_the_words_around_them(text: str, expected: list[str]) -> None:
    assert codes.find("", text, None) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Hello, 482913 people like you",
        "Happy new year 2024! Our code of conduct changed in 2023." + FOOTER,
        "Total: $1234.56, order 482913, thank you for confirming",
        "Amount: 1.234,00 EUR, Rechnung Nr. 48291, please confirm",
        "The price of the code review is 1200 EUR",
        "Call us: +1 555 123 4567 or (555) 123-4567 to verify your account",
        "Verify by phone: 0800 123456",
        "Use promo code SAVE2024 at checkout",
        "Your discount code: SPRING25",
        "Ihr Gutscheincode: HERBST24",
        "Votre code promo : ETE2024",
        "Zip code: 94107",
        "Enter your postcode 10115 please",
        "Our color is #1a2b3c and #482913, see the code",
        "The QR code 482913",
        "Invoice 2024-001, dated 2024-01-31, 31.01.2024, 01/31/2024, for your code",
        "See https://x.com/code/482913?code=123456",
        "Write to code482913@x.com",
        "Error code 500123 happened, status code 4040",
        "Your code expires in 1440 minutes",
        "We verified SHA256 and UTF8 in the source code 1234",
        "CODE OF CONDUCT",
        "Your tracking code: 1Z9999",
        "Your login from 192.168.100.200 at 10:30",
    ],
)
def test_other_numbers_are_no_codes(text: str) -> None:
    assert codes.find("", text, None) == []


@pytest.mark.parametrize(
    ("subject", "html", "expected"),
    [
        ("", "<p>Your code</p><table><tr><td>4</td><td>8</td><td>2</td><td>9</td></tr></table>", ["4829"]),
        ("", '<style>.a{color:#123456}</style>Your code is <b style="color:#654321">123456</b>', ["123456"]),
        ("", "<td>Code: 482913</td><td>10 minutes left</td>", ["482913"]),
        ("", '<a href="https://x.com/?code=111111">Sign in</a> with code <span>222222</span>', ["222222"]),
        ("Confirm your e-mail", "<h1>482913</h1>", ["482913"]),
        ("Order confirmation", "<p>48291</p><p>1200</p>", []),
        ("482913 is your code", "<p>Hello</p>", ["482913"]),
        ("Your code", "<p>Hello</p><h1>4829</h1>", ["4829"]),
    ],
)
def test_what_is_read_counts_not_how_it_is_written(subject: str, html: str, expected: list[str]) -> None:
    assert codes.find(subject, None, html) == expected


def test_text_and_html_that_say_the_same_say_it_once() -> None:
    assert codes.find("Code 123456", "Your code is 123 456", "<p>Your code is 123-456</p>") == ["123456"]


@pytest.mark.parametrize("piece", ["code 1234 ", "a-", "1 ", "A1B2 ", "x@", "verify 123456 ", "code "])
def test_what_is_long_and_strange_is_read_in_bounded_time(piece: str) -> None:
    codes.find("", piece * 20_000, None)


@pytest.mark.parametrize(
    ("plain", "html", "expected"),
    [
        (None, None, []),
        ("See https://x.com/a, or (https://x.com/b).", None, ["https://x.com/a", "https://x.com/b"]),
        (None, '<a href="https://x.com/?a=1&amp;copy=2">x</a>', ["https://x.com/?a=1&copy=2"]),
        (None, "<a href=\" https://x.com/\n a \">x</a>", ["https://x.com/ a"]),
        (None, '<a href="mailto:a@x.com">x</a><a href="#top">y</a><a href="/rel">z</a><a>n</a>', []),
        (None, '<a href="myapp://reset?token=1">Open</a>', ["myapp://reset?token=1"]),
        (None, '<!-- <a href="https://x.com">x</a> --><script>"<a href=https://x.com>"</script>', []),
        (None, '<map><area href="https://x.com/m" alt="Map"></map>', ["https://x.com/m"]),
        ("https://x.com/t https://x.com/h", '<a href="https://x.com/h">h</a>', ["https://x.com/h", "https://x.com/t"]),
    ],
)  # fmt: skip
def test_links_are_what_can_be_followed(plain: str | None, html: str | None, expected: list[str]) -> None:
    assert [link.url for link in extract.find_links(plain, html)] == expected


def test_a_link_tells_what_it_shows() -> None:
    html = (
        '<a href="https://x.com/1"><img src="l.png" alt="Logo"></a>'
        '<a href="https://x.com/2"><b>Reset</b>\n password</a>'
        '<a href="https://x.com/3"><img src="i.png"></a><a href="https://x.com/3">Third</a><a href="https://x.com/4">open'
    )
    assert extract.find_links("https://x.com/5", html) == [
        Link("https://x.com/1", "Logo"),
        Link("https://x.com/2", "Reset password"),
        Link("https://x.com/3", "Third"),
        Link("https://x.com/4", "open"),
        Link("https://x.com/5", "https://x.com/5"),
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("<https://x.com/u?a=1>, <mailto:u@x.com>", "https://x.com/u?a=1"),
        ("<mailto:u@x.com>, <https://x.com/long\r\n er>", "https://x.com/longer"),
        ("<mailto:u@x.com>", None),
        ("https://x.com/u", None),
        ("", None),
    ],
)
def test_the_header_names_a_web_address_to_unsubscribe_at(header: str, expected: str | None) -> None:
    assert extract.list_unsubscribe([("Subject", "Hi"), ("List-Unsubscribe", header)]) == expected


@pytest.mark.parametrize(
    ("url", "text", "expected"),
    [
        ("https://x.com/a", "Unsubscribe", True),
        ("https://x.com/a", "Hier vom Newsletter abmelden", True),
        ("https://x.com/a", "Se désabonner", True),
        ("https://x.com/unsubscribe?id=1", "here", True),
        ("https://x.com/opt-out", "here", True),
        ("https://x.com/a", "Subscribe", False),
    ],
)
def test_a_link_to_unsubscribe_says_so(url: str, text: str, expected: bool) -> None:
    assert extract.is_to_unsubscribe(Link(url, text)) is expected
