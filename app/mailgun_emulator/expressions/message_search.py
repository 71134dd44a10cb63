"""Words that messages are searched by, as mail catchers have them: `to:ann@example.com "your code" -tag:news`.

words := word {blank word}      word := {-} [field:] text      text := characters without blanks | "a phrase"
"""

import re
from collections.abc import Iterable
from typing import NamedTuple

LONGEST = 2_000
ANYWHERE = ""
"""The field of a word that names none."""
BODY = "text"
FIELDS = ("to", "from", "subject", "tag", BODY, "has", "since", "before", "domain", "message-id")
_ALIASES = {"after": "since", "message_id": "message-id"}
_WHOLE = frozenset({"tag", "has", "domain", "message-id"})
"""Names: one is met by itself alone, not by those it is a part of."""
_OF_PEOPLE = frozenset({"to", "from"})
_FILES = ("attachment", "attachments")
_ELSEWHERE = frozenset({"is", "cc", "bcc", "reply-to", "addressed", "larger", "smaller"})
"""What other programs know; a mail that holds such a text is not meant."""

_WORD = re.compile(r'(?P<not>[-!]?)(?:(?P<field>[a-zA-Z_-]+):)?(?:"(?P<phrase>[^"]*)"|(?P<text>[^\s"]+))')
_WHOLE_ADDRESS = re.compile(r"[^\s@*<>,]+@[^\s@*<>,]+").fullmatch
_ADDRESS = re.compile(r"[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+")


class BadSearch(ValueError):
    """The message says in plain words what is wrong."""


class Word(NamedTuple):
    """What is looked for in a field; `negated`, what must not be there. Upper and lower case are the same.

    `*` stands for anything. Without it a whole address is met by itself alone, and any other text by those it is a
    part of, unless it is a name: a tag, a domain, an id. In bodies, and anywhere, parts are enough in any case.
    """

    field: str
    text: str
    negated: bool = False

    def fits(self, there: Iterable[str]) -> bool:
        """Whether one of the texts meets it; of a `negated` word, whether none does."""
        return any(map(Pattern(self).meets, there)) != self.negated


class Pattern:
    """The text of a word, made ready to be held against many."""

    def __init__(self, word: Word) -> None:
        within = word.field in (BODY, ANYWHERE)
        self._text = " ".join(word.text.lower().split()) if within else word.text.lower()
        self._pieces = self._text.split("*")
        if within and len(self._pieces) > 1:
            self._pieces = ["", *self._pieces, ""]
        self._is_whole = word.field in _WHOLE or (word.field in _OF_PEOPLE and is_address(word.text))

    def meets(self, there: str) -> bool:
        there = there.lower()
        if len(self._pieces) > 1:
            return self._is_met_in_pieces(there)
        return there == self._text if self._is_whole else self._text in there

    def _is_met_in_pieces(self, there: str) -> bool:
        """One pass, however many pieces there are."""
        first, *between, last = self._pieces
        end = len(there) - len(last)
        if not there.startswith(first) or not there.endswith(last):
            return False
        position = len(first)
        for piece in between:
            found = there.find(piece, position, end)
            if found < 0:
                return False
            position = found + len(piece)
        return position <= end

    @property
    def longest_piece(self) -> str:
        """What is in every text that meets it, in lower case."""
        return max(self._pieces, key=len)


def is_address(text: str) -> bool:
    """Whether it is a whole one, not a part of one, and nothing besides."""
    return _WHOLE_ADDRESS(text) is not None


def word_of(field: str, text: str, *, negated: bool = False) -> Word:
    """Refuse a field, or what can't be in it."""
    field = _ALIASES.get(field, field)
    if field in _ELSEWHERE:
        raise BadSearch(
            f"{field}: is not known here; possible are {', '.join(f'{each}:' for each in FIELDS)}"
        )
    if field == "has":
        if text.lower() not in _FILES:
            raise BadSearch(f"has can't be '{text}'; possible is attachment")
        text = _FILES[0]
    if field == "message-id":
        text = text.strip().removeprefix("<").removesuffix(">")
    return Word(field, text, negated)


def parse(text: str) -> list[Word]:
    """All of them must hold. Raise `BadSearch` for words that other programs know and we don't."""
    if len(text) > LONGEST:
        raise BadSearch(f"query is longer than {LONGEST} characters")
    words, position = [], 0
    while match := _WORD.search(text, position):
        position = match.end()
        words.append(_read(match))
    return words


def _read(match: re.Match[str]) -> Word:
    phrase, field = match["phrase"], (match["field"] or "").lower()
    found = phrase if phrase is not None else match["text"]
    negated = match["not"] != ""
    if phrase is None and found.endswith(":") and found[:-1].lower() in FIELDS:
        raise BadSearch(f"{found} has nothing behind it; write {found}something, without a blank")
    if not field or (field not in FIELDS and field not in _ALIASES and field not in _ELSEWHERE):
        return Word(ANYWHERE, f"{match['field']}:{found}" if field else found, negated)
    return word_of(field, found, negated=negated)


def addresses_in(text: str) -> list[str]:
    """What looks like an address in a header's text."""
    return _ADDRESS.findall(text)
