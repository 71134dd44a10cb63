"""The filter expressions of the Events API (facts/sending.md, 3.3).

expression := both {OR both}        both := negated {[AND] negated}        negated := {NOT} atom
atom := word | "quoted phrase" | >number | <number | ( expression )
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from mailgun_emulator.core.errors import BadRequest

LONGEST = 10_000
DEEPEST = 25
"""Parentheses and NOTs inside one another."""


class MalformedFilter(BadRequest):
    """Mailgun's own text is not known."""


@dataclass(frozen=True)
class Term:
    """A word or a quoted phrase, as it was written."""

    text: str


@dataclass(frozen=True)
class Bound:
    """`>10` or `<10`, for fields that are numbers; elsewhere it is just its text."""

    operator: str
    number: str

    @property
    def text(self) -> str:
        return self.operator + self.number


@dataclass(frozen=True)
class Not:
    operand: "Expression"


@dataclass(frozen=True)
class And:
    operands: "tuple[Expression, ...]"


@dataclass(frozen=True)
class Or:
    operands: "tuple[Expression, ...]"


Atom: TypeAlias = Term | Bound
Expression: TypeAlias = Term | Bound | Not | And | Or

_TOKEN = re.compile(
    r"""\s*(?: (?P<mark> [()] | (?:AND|OR|NOT)(?=[\s()]|$) )
             | "(?P<phrase> [^"]* )"
             | (?P<operator> [<>] )(?P<number> \d+(?:\.\d+)? )(?=[\s()]|$)
             | (?P<word> [^\s()"][^\s()]* ) )""",
    re.VERBOSE,
)


def parse(text: str) -> Expression | None:
    """None if there is nothing but space; `MalformedFilter` if it is no expression."""
    if len(text) > LONGEST:
        raise MalformedFilter(f"Filter expression is longer than {LONGEST} characters")
    tokens = _tokens(text)
    if not tokens:
        return None
    parser = _Parser(text, tokens)
    expression = parser.either(0)
    if parser.next is not None:
        raise parser.malformed(f"'{parser.next}' is not expected")
    return expression


def conjuncts(expression: Expression) -> tuple[Expression, ...]:
    """Those parts that must all hold."""
    return expression.operands if isinstance(expression, And) else (expression,)


def holds(expression: Expression, of: Callable[[Atom], bool]) -> bool:
    """Whether it is true of something, given whether an atom is."""
    match expression:
        case And(operands):
            return all(holds(each, of) for each in operands)
        case Or(operands):
            return any(holds(each, of) for each in operands)
        case Not(operand):
            return not holds(operand, of)
        case atom:
            return of(atom)


def _tokens(text: str) -> list[str | Atom]:
    """Operators and parentheses are text."""
    tokens: list[str | Atom] = []
    end = len(text.rstrip())
    at = 0
    while at < end:
        found = _TOKEN.match(text, at, end)
        if found is None:
            raise MalformedFilter(f"Filter expression '{text}' has a quote that is not closed")
        at = found.end()
        if found["mark"] is not None:
            tokens.append(found["mark"])
        elif found["operator"] is not None:
            tokens.append(Bound(found["operator"], found["number"]))
        else:
            tokens.append(Term(found["word"] if found["phrase"] is None else found["phrase"]))
    return tokens


class _Parser:
    """By recursive descent, one method for each rule of the grammar."""

    def __init__(self, text: str, tokens: list[str | Atom]) -> None:
        self._text = text
        self._rest = iter(tokens)
        self.next: str | Atom | None = next(self._rest, None)

    def malformed(self, why: str) -> MalformedFilter:
        return MalformedFilter(f"Filter expression '{self._text}' is malformed: {why}")

    def either(self, depth: int) -> Expression:
        operands = [self._both(depth)]
        while self.next == "OR":
            self._advance()
            operands.append(self._both(depth))
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def _both(self, depth: int) -> Expression:
        operands = [self._negated(depth)]
        while self.next not in ("OR", ")", None):
            if self.next == "AND":
                self._advance()
            operands.append(self._negated(depth))
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def _negated(self, depth: int) -> Expression:
        if depth > DEEPEST:
            raise self.malformed("it is nested too deeply")
        if self.next == "NOT":
            self._advance()
            return Not(self._negated(depth + 1))
        return self._atom(depth)

    def _atom(self, depth: int) -> Expression:
        token = self._advance()
        if token == "(":  # noqa: S105 - a parenthesis is no password
            expression = self.either(depth + 1)
            if self._advance() != ")":
                raise self.malformed("a parenthesis is not closed")
            return expression
        if token is None:
            raise self.malformed("it ends too early")
        if isinstance(token, str):
            raise self.malformed(f"'{token}' is not expected")
        return token

    def _advance(self) -> str | Atom | None:
        token, self.next = self.next, next(self._rest, None)
        return token
