r"""The expressions that say which mail a route takes (facts/sending.md, 8.2).

expression := both {or both}        both := term {and term}        term := not term | function | ( expression )
function := match_recipient("pattern") | match_header("name", "pattern") | catch_all()

Strings stand in single or double quotes, and what a backslash means in them is the pattern's affair.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.expressions import patterns
from mailgun_emulator.expressions.patterns import BadPattern, Captures

LONGEST = 4096
"""Bytes, of an expression and of an action alike (facts/sending.md, 8.1)."""
DEEPEST = 25
"""Parentheses and nots inside one another."""


class MalformedExpression(BadRequest):
    """Mailgun has Python read the expression and hands on what Python says (mailgun/documentation issue 412)."""

    message = "invalid syntax (<unknown>, line 1)"

    def __init__(self, why: str) -> None:
        super().__init__(hint=f"The route's expression is malformed: {why}.")


class BadExpressionPattern(BadRequest):
    def __init__(self, pattern: str, error: BadPattern) -> None:
        super().__init__(str(error), hint=f"{pattern!r} is no regular expression of Python's: {error}.")


class ExpressionTooLong(BadRequest):
    message = f"The 'expression' parameter can't be larger than {LONGEST} bytes"


@dataclass(frozen=True)
class MatchRecipient:
    pattern: str


@dataclass(frozen=True)
class MatchHeader:
    name: str
    pattern: str


@dataclass(frozen=True)
class CatchAll:
    """True if no route before it matched."""


@dataclass(frozen=True)
class Not:
    operand: "Expression"


@dataclass(frozen=True)
class And:
    operands: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Or:
    operands: "tuple[Expression, ...]"


Expression: TypeAlias = MatchRecipient | MatchHeader | CatchAll | Not | And | Or
Header: TypeAlias = tuple[str, str]


class _Mail(NamedTuple):
    """`headers` is none if they are not known yet."""

    recipient: str
    headers: Sequence[Header] | None
    earlier_matched: bool


class _Verdict(NamedTuple):
    """`truth` is none if it is up to headers that are not known."""

    truth: bool | None
    captures: Captures = Captures()


_FALSE = _Verdict(truth=False)


def match(
    text: str, recipient: str, headers: Sequence[Header], *, earlier_matched: bool = False
) -> Captures | None:
    """What the patterns that held caught, counted on from one to the next; None if the expression does not hold.

    Patterns are matched from the beginning, those for recipients whatever their case.
    """
    verdict = _judge(parse(text), _Mail(recipient, headers, earlier_matched))
    return verdict.captures if verdict.truth else None


def may_match(text: str, recipient: str) -> bool:
    """Whether it holds for mail to that recipient, or might with the right headers."""
    return _judge(parse(text), _Mail(recipient, None, earlier_matched=False)).truth is not False


@lru_cache(maxsize=1024)
def parse(text: str) -> Expression:
    """Refuse what is no expression, and what has a pattern that is none."""
    if len(text.encode("utf-8", "replace")) > LONGEST:
        raise ExpressionTooLong
    parser = _Parser(_tokens(text))
    expression = parser.either(0)
    if parser.next is not None:
        raise MalformedExpression(f"{parser.next} is not expected")
    return expression


def _judge(expression: Expression, mail: _Mail) -> _Verdict:
    match expression:
        case And(operands):
            return _all(_judge(each, mail) for each in operands)
        case Or(operands):
            return _any(_judge(each, mail) for each in operands)
        case Not(operand):
            truth = _judge(operand, mail).truth
            return _Verdict(None if truth is None else not truth)
        case CatchAll():
            return _Verdict(not mail.earlier_matched)
        case MatchRecipient(pattern):
            return _found(patterns.match(pattern, mail.recipient, ignore_case=True))
        case MatchHeader(name, pattern):
            return _judge_headers(name.lower(), pattern, mail.headers)


def _judge_headers(name: str, pattern: str, headers: Sequence[Header] | None) -> _Verdict:
    if headers is None:
        return _Verdict(None)
    values = (value for own, value in headers if own.lower() == name)
    return _any(_found(patterns.match(pattern, value)) for value in values)


def _found(captures: Captures | None) -> _Verdict:
    return _FALSE if captures is None else _Verdict(True, captures)


def _all(verdicts: Iterable[_Verdict]) -> _Verdict:
    truth: bool | None = True
    captures = Captures()
    for verdict in verdicts:
        if verdict.truth is False:
            return _FALSE
        truth = truth and verdict.truth
        captures = captures.joined(verdict.captures)
    return _Verdict(truth, captures)


def _any(verdicts: Iterable[_Verdict]) -> _Verdict:
    truth: bool | None = False
    for verdict in verdicts:
        if verdict.truth:
            return verdict
        truth = None if verdict.truth is None else truth
    return _Verdict(truth)


_TOKEN = re.compile(
    r"""[ \t]*(?: (?P<mark> [(),] ) | (?P<word> \w+ )
                | "(?P<double> (?:[^"\\]|\\.)* )" | '(?P<single> (?:[^'\\]|\\.)* )' )""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class _String:
    text: str

    def __str__(self) -> str:
        return f'"{self.text}"'


def _tokens(text: str) -> list[str | _String]:
    """Words, parentheses and commas are text. As in Python, only inside parentheses may a line end."""
    tokens: list[str | _String] = []
    text = text.strip()
    at = depth = 0
    while at < len(text):
        if depth and text[at] in "\r\n":
            at += 1
            continue
        found = _TOKEN.match(text, at)
        if found is None:
            raise MalformedExpression(f"{text[at : at + 20]!r} can't be read")
        at = found.end()
        string = found["single"] if found["double"] is None else found["double"]
        tokens.append(found["mark"] or found["word"] if string is None else _String(string))
        depth += (tokens[-1] == "(") - (tokens[-1] == ")")
    return tokens


class _Parser:
    """By recursive descent, one method for each rule of the grammar."""

    def __init__(self, tokens: list[str | _String]) -> None:
        self._rest = iter(tokens)
        self.next: str | _String | None = next(self._rest, None)

    def either(self, depth: int) -> Expression:
        operands = [self._both(depth)]
        while self._takes("or"):
            operands.append(self._both(depth))
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _both(self, depth: int) -> Expression:
        operands = [self._term(depth)]
        while self._takes("and"):
            operands.append(self._term(depth))
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _term(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise MalformedExpression("it is nested too deeply")
        if self._takes("not"):
            return Not(self._term(depth + 1))
        if self._takes("("):
            expression = self.either(depth + 1)
            self._expect(")")
            return expression
        return self._function()

    def _function(self) -> Expression:
        name = self._advance()
        self._expect("(")
        match name:
            case "match_recipient":
                function: Expression = MatchRecipient(self._pattern())
            case "match_header":
                header = self._string()
                self._expect(",")
                function = MatchHeader(header, self._pattern())
            case "catch_all" | "catchall":
                function = CatchAll()
            case _:
                raise MalformedExpression(f"{name} is neither match_recipient, match_header nor catch_all")
        self._expect(")")
        return function

    def _pattern(self) -> str:
        pattern = self._string()
        try:
            patterns.check(pattern)
        except BadPattern as error:
            raise BadExpressionPattern(pattern, error) from None
        return pattern

    def _string(self) -> str:
        token = self._advance()
        if not isinstance(token, _String):
            raise MalformedExpression(f"a quoted string is expected instead of {token or 'the end'}")
        return token.text

    def _takes(self, word: str) -> bool:
        taken = isinstance(self.next, str) and self.next.lower() == word
        if taken:
            self._advance()
        return taken

    def _expect(self, mark: str) -> None:
        token = self._advance()
        if token != mark:
            raise MalformedExpression(f"{mark} is expected instead of {token or 'the end'}")

    def _advance(self) -> str | _String | None:
        token, self.next = self.next, next(self._rest, None)
        return token
