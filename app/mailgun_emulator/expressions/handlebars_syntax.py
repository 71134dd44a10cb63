"""Handlebars templates taken apart, as Mailgun's engine reads them (facts/sending.md, 2.4).

The grammar is pydantic-handlebars', whose public interface has no way to its tree; `.ci/constraints.txt` says which
version this was tested with. What that reads otherwise is mended here: backslashes in strings stay, `..` is the
parent, `{{^a}}…{{else}}…{{/a}}` has both halves, `{{~{a}~}}` is a tag, names may hold what raymond allows in them,
and a tag that stands alone on its line takes the line with it.

What can't be mended: raw blocks (`{{{{a}}}}`) take a name and nothing else.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydantic_handlebars._ast_nodes import BlockStatement, Program
from pydantic_handlebars._exceptions import HandlebarsParseError
from pydantic_handlebars._parser import _Parser
from pydantic_handlebars._tokenizer import Token, TokenType, _make_delimiters, _TemplateTokenizer

from mailgun_emulator.expressions.handlebars_values import TemplateError

_OPENINGS = frozenset(
    {
        TokenType.OPEN,
        TokenType.OPEN_UNESCAPED,
        TokenType.OPEN_BLOCK,
        TokenType.OPEN_ENDBLOCK,
        TokenType.OPEN_INVERSE,
        TokenType.OPEN_PARTIAL,
    }
)
_CLOSINGS = frozenset({TokenType.CLOSE, TokenType.CLOSE_UNESCAPED})
_OWN_LINE = frozenset(
    {TokenType.OPEN_BLOCK, TokenType.OPEN_ENDBLOCK, TokenType.OPEN_INVERSE, TokenType.COMMENT}
)
_INVERTED = "{{^"
_NOT_IN_NAMES = frozenset(" \n\r\t!\"#%&'()*+,./;<=>@[\\]^`{|}~")
_LINE_BEFORE = re.compile(r"\n[ \t]*\Z").search
_LINE_AFTER = re.compile(r"[ \t]*\r?\n").match


@dataclass(slots=True)
class InverseBlock(BlockStatement):
    """`{{^a}}`: the body is shown when the value is falsy, the inverse when it is not."""


def parse(source: str) -> Program:
    """Raise `TemplateError`, which tells the line."""
    source = re.sub(r"\{\{~\{(?!\{)", "{{{~", source)
    source = re.sub(r"(?<!\})\}~\}\}", "~}}}", source)
    try:
        return _TemplateParser(list(_read(source)), source).parse()
    except (HandlebarsParseError, ValueError) as error:  # what only looks like a number is a ValueError
        raise TemplateError(f"Parse error: {error}") from None
    except RecursionError:
        raise TemplateError("Parse error: nested too deeply") from None


class _Tokenizer(_TemplateTokenizer):
    def _read_expression_token(self) -> None:
        line, column = self._line, self._column
        if self._starts_with("..") and not self._starts_with("../"):
            self._advance(2)
            self._emit(TokenType.PARENT, "../", line, column)
            self._emit(TokenType.ID, ".", line, column)
        else:
            super()._read_expression_token()

    def _read_string(self) -> None:
        """Only the quote can be escaped; a string ends in its own line."""
        line, column = self._line, self._column
        quote = self._advance()
        found = re.compile(rf"(?:[^{quote}\n\\]|\\{quote}|\\)*+{quote}").match(self._source, self._pos)
        if found is None:
            raise HandlebarsParseError("Unterminated string", line=line, column=column)
        self._advance(len(found[0]))
        self._emit(TokenType.STRING, found[0][:-1].replace("\\" + quote, quote), line, column)

    @staticmethod
    def _is_id_char(ch: str) -> bool:
        return ch != "" and ch not in _NOT_IN_NAMES


class _TemplateParser(_Parser):
    def _parse_block(self) -> BlockStatement:
        inverted = self._current().value == _INVERTED
        block = super()._parse_block()
        if not inverted:
            return block
        return InverseBlock(
            path=block.path,
            params=block.params,
            hash_pairs=block.hash_pairs,
            body=block.body,
            inverse=block.inverse,
            block_params=block.block_params,
        )


def _read(source: str) -> Iterator[Token]:
    """The tokens, with `{{^}}` for the `{{else}}` and `{{^a}}` for the block that they are."""
    tokens = list(_trimmed(_Tokenizer(source, _make_delimiters("{{", "}}")).tokenize()))
    for token, following in zip(tokens, [*tokens[1:], tokens[-1]], strict=True):
        if token.type != TokenType.OPEN_INVERSE:
            yield token
        elif following.type == TokenType.CLOSE:
            yield Token(TokenType.OPEN, "{{", token.line, token.column)
            yield Token(TokenType.INVERSE, "else", token.line, token.column)
        else:
            yield Token(TokenType.OPEN_BLOCK, _INVERTED, token.line, token.column)


def _trimmed(tokens: list[Token]) -> Iterator[Token]:
    """Without the whitespace that `~` and tags alone on their lines take away, and without `~`."""
    before: dict[int, str] = {}
    after: dict[int, str] = {}
    for start, end in _tags(tokens):
        alone = _stands_alone(tokens, start, end)
        left, right = _tildes(tokens, start, end)
        after[start - 1] = "all" if left else "line" if alone else ""
        before[end] = "all" if right else "line" if alone else ""
    for index, token in enumerate(tokens):
        if token.type == TokenType.CONTENT:
            yield _cut(token, before.get(index, ""), after.get(index, ""))
        elif token.type != TokenType.STRIP:
            yield token


def _tags(tokens: list[Token]) -> Iterator[tuple[int, int]]:
    """Where each tag starts and where what follows it does; a `~` in front of the tag counts to it."""
    index = 0
    while index < len(tokens):
        start = index
        if tokens[index].type == TokenType.STRIP:
            index += 1
        kind = tokens[index].type if index < len(tokens) else TokenType.EOF
        index += 1
        if kind == TokenType.COMMENT:
            if tokens[index].type == TokenType.STRIP and tokens[index + 1].type not in _FOLLOWED_BY_TAG:
                index += 1
            yield start, index
        elif kind in _OPENINGS:
            while tokens[index].type != TokenType.EOF and tokens[index - 1].type not in _CLOSINGS:
                index += 1
            yield start, index


_FOLLOWED_BY_TAG = frozenset({TokenType.COMMENT, TokenType.OPEN_INVERSE})
"""What a `~` may stand in front of: after a comment it is that comment's, unless one of these follows."""


def _tildes(tokens: list[Token], start: int, end: int) -> tuple[bool, bool]:
    """Whether there is one at the beginning and one at the end."""
    kinds = [token.type for token in tokens[start:end]]
    left = TokenType.STRIP in kinds[:2] and (kinds[0] == TokenType.STRIP or kinds[0] in _OPENINGS)
    right = len(kinds) > 2 and (kinds[-2] == TokenType.STRIP and kinds[-1] in _CLOSINGS)
    return left, right or (len(kinds) > 1 and kinds[-1] == TokenType.STRIP)


def _stands_alone(tokens: list[Token], start: int, end: int) -> bool:
    """A block's tag, `{{else}}` or a comment with nothing else on its line."""
    kinds = [token.type for token in tokens[start:end] if token.type != TokenType.STRIP]
    if kinds[0] not in _OWN_LINE and kinds[:2] != [TokenType.OPEN, TokenType.INVERSE]:
        return False
    if start > 0:
        previous = tokens[start - 1]
        blank = start == 1 and not previous.value.strip(" \t")
        if previous.type != TokenType.CONTENT or not (blank or _LINE_BEFORE(previous.value)):
            return False
    following = tokens[end]
    if following.type == TokenType.EOF:
        return True
    blank = tokens[end + 1].type == TokenType.EOF and not following.value.strip(" \t")
    return following.type == TokenType.CONTENT and (blank or _LINE_AFTER(following.value) is not None)


def _cut(token: Token, before: str, after: str) -> Token:
    text = token.value
    if before == "all":
        text = text.lstrip()
    elif before == "line":
        found = _LINE_AFTER(text)
        text = text[found.end() :] if found else text.lstrip(" \t")
    if after == "all":
        text = text.rstrip()
    elif after == "line":
        text = text.rstrip(" \t")
    return Token(TokenType.CONTENT, text, token.line, token.column)
