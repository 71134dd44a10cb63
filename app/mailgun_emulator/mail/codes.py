"""Finds the codes that a message tells its reader to enter somewhere: one-time codes, PINs, TANs.

Nothing marks them, so this goes by what stands around: a number, or letters and digits, if a word for such codes is
near, in one of some twenty languages, or if it stands alone in a message that speaks of codes or of signing in.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from enum import IntEnum
from heapq import merge
from typing import NamedTuple

LONGEST_TEXT = 50_000
LONGEST_LIST = 1_000
"""In characters; codes that stand one after another are all named by the word before the first."""
BEFORE, AFTER = 90, 70
"""How far from a code, in characters, the word for it may stand: before it, or behind it on the same line."""
USUAL_LENGTH = 6


class Nearness(IntEnum):
    """How sure it is: `Your code is 123456`; near such a word; on a line of its own, or `123456 to sign in`."""

    NAMED = 0
    NEAR = 1
    ALONE = 2


class _Candidate(NamedTuple):
    """`start` and `end` are where it stands; `has_letters` tells it from a number."""

    code: str
    start: int
    end: int
    has_letters: bool


class _Word(NamedTuple):
    """A word for codes, where it stands."""

    start: int
    end: int


_FOR_CODES = re.compile(
    r"(?:PIN|OTP|TAN|PUK)s?\b|(?i:(?:\bpin(?=[ -]?(?:code|number|nummer)\b)|codes?|c[oó]digos?|codice|codici|codul|"
    r"kod(?:e[nr]?|s|u|unuz|as)?|kód\w{0,3}|kood\w?|koodi\w{0,4}|код\w{0,3}|κωδικ\w+|\btokens?|\bpass(?:codes?|keys?)|"
    r"\bone[- ]time[- ]pass\w*|\btemporary pass\w*|einmal\w*|zugangs(?:wort|code|daten)|"
    r"\bmot de passe (?:à usage unique|temporaire|provisoire)|\bpassword (?:monouso|temporanea))\b)"
    r"|验证码|驗證碼|校验码|动态码|動態碼|コード|暗証番号|ワンタイム|인증\s?번호|코드|رمز|كود|קוד|รหัส|(?i:\bmã\b)"
)
_FOR_SIGNING_IN = re.compile(
    r"verif|vérif|confirm|bestätig|bekräft|bevestig|potwierd|conferm|подтвер|\bsign(?:ing)?[- ]?in|"
    r"\blog(?:ging)?[- ]?in|einlogg|anmeld|connexion|authenti|two[- ]factor|\b2fa\b|\bmfa\b|security|sicherheit|"
    r"seguridad|sécurité|activat|aktivier|passwor[dt]|contraseña|one[- ]time|登录|登入|ログイン|로그인|\bвход",
    re.IGNORECASE,
)
_OF_OTHER_KINDS = re.compile(
    r"zip|postal|post-?code|\bpost|postleit|postnummer|\barea|promo|discount|coupon|voucher|gift|referral|rabatt|"
    r"gutschein|remise|réduction|descuento|sconto|error|fehler|status|\bexit|country|\bdial|\bqr\b|\bbar|source|quell|"
    r"dress|tracking|swift|\bsort|product|produkt|\bitem|article|artikel|booking|buchung|class|html|colou?r|decode|"
    r"encode|unicode|geocode|kodak|škoda|\bvs$|fiscal|building|\bcodec",
    re.IGNORECASE,
)
"""Said of a word for codes, or of the word before it: another kind of code."""
_OF_OTHER_KINDS_BEHIND = re.compile(
    r"\W{1,3}(?:promo|postal|de (?:réduction|descuento|conduite|conducta)|fiscale?|sconto|of conduct|review|base)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:order|invoice|receipt|ticket|case|ref(?:erence)?|account|customer|client|member|transaction|tracking|booking|"
    r"reservation|flight|room|suite|apt|floor|unit|street|ext|tel|telephone|phone|fax|mobile|call|dial|page|version|build|"
    r"issue|since|copyright|user|bestell\w+|rechnung\w*|auftrag\w*|kundennummer|konto|telefon|commande|facture|pedido|"
    r"factura|ordine|zamówienie)[^\w\n]{0,3}(?:(?:number|num|no|nr|id|n°|nº|nummer)\b\.?)?[^\w\n]{0,3}$",
    re.IGNORECASE,
)
_PRICE_OR_STATE = re.compile(r"(?:\b(?:USD|EUR|GBP|CHF|JPY|Rs\.?|kr|zł)[ ]?|[a-z],?[ ][A-Z]{2}[ ])$")
_MEASURE = re.compile(
    r"[ ]?(?:[$€£¥₹₽%°]|(?:USD|EUR|GBP|CHF|JPY|kr|zł|px|pt|[kmg]b|km|kg|mi|ft|h|hrs?|ms|am|pm|x|st|nd|rd|th)\b|"
    r"(?:min|sec|sek|hour|stund|day|tage?\b|week|woche|month|monat|year|jahr|jour|heure|hora|giorn|user|people|person|point|punkt|"
    r"mile|credit|character|zeichen|item|customer|times\b|view|visit))",
    re.IGNORECASE,
)
_LINKS_IT = re.compile(
    r"[^\w\n]{0,4}(?:(?:is(?: now)?|below|here|ist|lautet|est|es|è|är|er|jest|este|for \S+ is|number|nummer)\b)?"
    r"[^\w]{0,12}|\s*[是为為はが은는]?[:：]?\s*",
    re.IGNORECASE,
).fullmatch
"""What stands between a word for codes and the code that it names."""
_LINKS_BACK = re.compile(
    r"""["'”»)\].]{0,2}[ ]*(?:is|ist|est|es|è|är|er|jest|—|–|-)[ ]+(?:[^\W\d]+[^\w\n]+){0,6}""", re.IGNORECASE
).fullmatch

_DIGITS = re.compile(
    r"(?<![A-Za-z0-9_$€£¥₹#+.,/:@&%-])(?<!\d[ )])(?<![)$€£¥₹][ ])"
    r"(?:[A-Z]-)?(\d{4,8}|\d{3}[ -]\d{3}|\d{4}[ -]\d{4}|\d\d([ -])\d\d\2\d\d|\d(?: \d){3,7})"
    r"(?![A-Za-z0-9_/@%])(?![.,:-]\d)(?![ ]\d)(?!-[A-Za-z])"
)
_LETTERS = re.compile(
    r"(?<![A-Za-z0-9_#/@.&%$-])(?:"
    r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{4,12}|(?=[A-Z\d-]*[A-Z])[A-Z\d]{3,5}(?:-[A-Z\d]{3,5}){1,3}|[A-Z]{5,8})"
    r"(?![A-Za-z0-9_@/])(?!-[A-Za-z0-9])(?!\.\w)"
)
_DATE = re.compile(r"(?:19|20)\d\d(?:(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])|[ -](?:19|20)\d\d)?").fullmatch
_TECHNICAL = re.compile(
    r"(?:sha|md|utf|ipv|oauth|iso|rfc|mp|h|win|ios|http|base|aes|rsa|tls|covid|ps|ip|x|v)-?\d+|"
    r"\d+(?:st|nd|rd|th|h|min|s|ms|px|pt|kb|mb|gb|am|pm|x|fa|k|m|d)",
    re.IGNORECASE,
).fullmatch
_CELL_END = re.compile(r"(>\s*+\d\s*+(?:</(?!t[dh]\b)\w+>\s*+)*+)?</t[dh]\s*>", re.IGNORECASE)
_NOT_READ = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://\S+|\bwww\.\S+|[^\s<>@]{1,64}@[^\s<>@]+", re.IGNORECASE)


def find(subject: str, plain: str | None, html: str | None) -> list[str]:
    """The surest first, each once. Numbers come without what separates their digits: `123 456` as `123456`."""
    texts = [_NOT_READ.sub(" · ", text[:LONGEST_TEXT]) for text in (plain, _visible(html), subject) if text]
    length = None
    if any(next(_words_in(text), None) for text in texts):
        length = 0
    elif any(map(_FOR_SIGNING_IN.search, texts)):
        length = USUAL_LENGTH
    found = sorted(
        ((nearness, code) for text in texts for nearness, code in _codes_in(text, length)), key=_nearness
    )
    named = [each for each in found if each[0] < Nearness.ALONE]
    return list(dict.fromkeys(code for _, code in named or found))


def _nearness(found: tuple[Nearness, str]) -> Nearness:
    return found[0]


def _visible(html: str | None) -> str:
    """What is in cells side by side is not one word, unless each holds a digit."""
    from mailgun_emulator.mail import replies

    if not html:
        return ""
    parted = _CELL_END.sub(lambda match: f"{match[1]} </td>" if match[1] else " | </td>", html)
    return replies.to_text(parted).replace("\r\n", "\n")


def _codes_in(text: str, length: int | None) -> Iterator[tuple[Nearness, str]]:
    """Those that stand alone count if they have that `length`, any if it is 0, and not at all if it is None."""
    words = list(_words_in(text))
    for candidate in _candidates_in(text):
        nearness = _nearness_of(text, candidate, words)
        if nearness is None and length is not None and _is_alone(text, candidate, length):
            nearness = Nearness.ALONE
        if nearness is not None and _is_possible(candidate, nearness):
            yield nearness, candidate.code


def _words_in(text: str) -> Iterator[_Word]:
    for match in _FOR_CODES.finditer(text):
        start = match.start()
        before = re.split(r"[^\w\n-]{1,3}", text[max(0, start - 40) : start].rpartition("\n")[2])
        whole = before[-1] + match[0]
        said = [whole, *before[-2:-1]]
        if not any(map(_OF_OTHER_KINDS.search, said)) and not _OF_OTHER_KINDS_BEHIND.match(text, match.end()):
            yield _Word(start - len(before[-1]), match.end())


def _candidates_in(text: str) -> Iterator[_Candidate]:
    numbers = (
        _Candidate(re.sub(r"\D", "", match[1]), match.start(1), match.end(1), has_letters=False)
        for match in _DIGITS.finditer(text)
    )
    others = (
        _Candidate(match[0], match.start(), match.end(), has_letters=True)
        for match in _LETTERS.finditer(text)
        if not _TECHNICAL(match[0])
    )
    for each in merge(numbers, others, key=lambda candidate: candidate.start):
        if not _is_of_something(text, each):
            yield each


def _is_of_something(text: str, candidate: _Candidate) -> bool:
    """A number that says of what: an order, a street, a price, a span of time."""
    before = text[max(0, candidate.start - 40) : candidate.start]
    return (
        _NUMBERED.search(before) is not None
        or _PRICE_OR_STATE.search(before) is not None
        or _MEASURE.match(text, candidate.end) is not None
    )


def _nearness_of(text: str, candidate: _Candidate, words: list[_Word]) -> Nearness | None:
    """By the last word before it and the first behind it."""
    found = []
    before = bisect_right(words, candidate.start, key=lambda word: word.end) - 1
    if before >= 0:
        found.append(_from_before(text[words[before].end : candidate.start]))
    behind = bisect_left(words, candidate.end, key=lambda word: word.start)
    if behind < len(words):
        found.append(_from_behind(text[candidate.end : words[behind].start]))
    return min((each for each in found if each is not None), default=None)


def _from_before(between: str) -> Nearness | None:
    """Other codes in between, as in a list of them, don't count."""
    if len(between) > LONGEST_LIST:
        return None
    rest = " ".join(_LETTERS.sub("", _DIGITS.sub("", between)).split())
    if _LINKS_IT(between) or not rest:
        return Nearness.NAMED
    return Nearness.NEAR if len(rest) <= BEFORE else None


def _from_behind(between: str) -> Nearness | None:
    if len(between) > AFTER or "\n" in between:
        return None
    return Nearness.NAMED if _LINKS_BACK(between) else Nearness.NEAR


def _is_alone(text: str, candidate: _Candidate, length: int) -> bool:
    """On a line of its own, or in one that says that it is to sign in with."""
    start = text.rfind("\n", 0, candidate.start) + 1
    end = text.find("\n", candidate.end)
    line = text[start : len(text) if end < 0 else end]
    if length and (candidate.has_letters or len(candidate.code) != length):
        return False
    if line.strip(" \t*_=-.:|") == text[candidate.start : candidate.end]:
        return True
    return len(candidate.code) == USUAL_LENGTH and _FOR_SIGNING_IN.search(line) is not None


def _is_possible(candidate: _Candidate, nearness: Nearness) -> bool:
    """What looks like something else has to be named."""
    code = candidate.code
    if nearness is Nearness.NAMED:
        return True
    if candidate.has_letters:
        return code.upper() == code and any(map(str.isdigit, code))
    return _DATE(code) is None
