"""Templates rendered as Mailgun's engine does, mailgun/raymond, a Handlebars 3 in Go (facts/sending.md, 2.4).

Seen in its code beside what the facts tell: a name that a context lacks is looked for in the contexts around it; only
`each`, `with` and blocks without a helper make a context, so that `../` passes over `if`; a helper that does not
exist is a variable that does not exist, and no error; in a list a path is followed from each item; `(equal a b)` in
the tag of a block gives that block's own text; variables of the name of a helper can't be reached.

Otherwise than there: maps keep their order in `each`; regular expressions are Python's and must not backtrack
without end; what takes too long, goes too deep or grows too large is an error.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from pydantic_handlebars._ast_nodes import (
    BlockStatement,
    BooleanLiteral,
    CommentStatement,
    ContentStatement,
    Expression,
    MustacheStatement,
    NullLiteral,
    NumberLiteral,
    PathExpression,
    Program,
    RawBlock,
    Statement,
    StringLiteral,
    SubExpression,
    UndefinedLiteral,
)

from mailgun_emulator.expressions import handlebars_syntax
from mailgun_emulator.expressions import handlebars_values as values
from mailgun_emulator.expressions.handlebars_helpers import HELPERS, Call
from mailgun_emulator.expressions.handlebars_syntax import InverseBlock
from mailgun_emulator.expressions.handlebars_values import TemplateError

MOST_CHARACTERS = 10_000_000
MOST_STEPS = 300_000
MOST_LEVELS = 60


def render(source: str, context: dict[str, Any]) -> str:
    """The text that the template makes of the context, which is JSON. Raise `handlebars_values.TemplateError`."""
    program = _parsed(source)
    if isinstance(program, str):
        raise TemplateError(program)
    try:
        return Rendering(context).program(program)
    except RecursionError:
        raise TemplateError("Evaluation error: nested too deeply") from None
    except OverflowError:
        raise TemplateError("Evaluation error: a number is too large") from None


@lru_cache(maxsize=64)
def _parsed(source: str) -> Program | str:
    """The template, or what is wrong with it."""
    try:
        return handlebars_syntax.parse(source)
    except TemplateError as error:
        return str(error)


class Rendering:
    """One run of a template: the contexts, iterations, block parameters and blocks that it is in."""

    def __init__(self, context: dict[str, Any]) -> None:
        self._contexts: list[Any] = [context]
        self._frames: list[dict[str, Any]] = [{}]
        self._names: list[dict[str, Any]] = []
        self._blocks: list[BlockStatement | RawBlock] = []
        self._steps = self._written = self._levels = 0

    def program(
        self, program: Program, context: Any = None, frame: dict[str, Any] | None = None, key: Any = None
    ) -> str:
        """The program's text, in a context, an iteration and with block parameters of its own if there are any."""
        self.count(level=1)
        names = dict(zip(program.block_params, (context, key), strict=False))
        stacks: list[tuple[list[Any], Any]] = []
        if names:
            stacks.append((self._names, names))
        if context is not None:
            stacks.append((self._contexts, context))
        if frame is not None:
            stacks.append((self._frames, frame))
        for stack, value in stacks:
            stack.append(value)
        text = "".join([self._statement(statement) for statement in program.body])
        for stack, _ in stacks:
            stack.pop()
        self._levels -= 1
        return text

    def block(self, context: Any = None, frame: dict[str, Any] | None = None, key: Any = None) -> str:
        """The text of the block that is being rendered."""
        program = _halves(self._blocks[-1])[0] if self._blocks else None
        return self.program(program, context, frame, key) if program else ""

    def otherwise(self) -> str:
        """The text of its `{{else}}`."""
        program = _halves(self._blocks[-1])[1] if self._blocks else None
        return self.program(program) if program else ""

    def each(self, items: Iterable[tuple[Any, Any]], length: int, *, keys: bool) -> str:
        """The block's text for each key and item."""
        return "".join(
            [
                self.block(values.given(item), self._iteration(index, length, key if keys else None), key)
                for index, (key, item) in enumerate(items)
            ]
        )

    def _iteration(self, index: int, length: int, key: Any) -> dict[str, Any]:
        own = {"index": index, "key": key, "first": index == 0, "last": index == length - 1}
        return {**self._frames[-1], **own}

    def count(self, *, steps: int = 1, level: int = 0, written: int = 0) -> None:
        """Raise `TemplateError` once it is too much."""
        self._steps += steps
        self._levels += level
        self._written += written
        if self._steps > MOST_STEPS:
            raise TemplateError("Evaluation error: the template takes too long")
        if self._levels > MOST_LEVELS:
            raise TemplateError("Evaluation error: nested too deeply")
        if self._written > MOST_CHARACTERS:
            raise TemplateError("Evaluation error: the text is too large")

    def _statement(self, statement: Statement) -> str:
        match statement:
            case ContentStatement():
                text = statement.value
            case CommentStatement():
                text = ""
            case MustacheStatement():
                text = values.text(self._expression(statement.path, statement.params, statement.hash_pairs))
                text = values.escape(text) if statement.escaped else text
            case _:
                return self._render_block(statement)
        self.count(written=len(text))
        return text

    def _render_block(self, block: BlockStatement | RawBlock) -> str:
        params, named = (block.params, block.hash_pairs) if isinstance(block, BlockStatement) else ([], {})
        self._blocks.append(block)
        value = self._expression(block.path, params, named)
        if _helper_name(block.path) in HELPERS:
            text = values.text(value)
        elif not values.is_true(value):
            text = self.otherwise()
        elif isinstance(value, list):
            text = self.each(enumerate(value), len(value), keys=False)
        else:
            text = self.block(value)
        self._blocks.pop()
        return text

    def _expression(self, path: Expression, params: list[Expression], named: dict[str, Expression]) -> Any:
        """What a tag or parentheses begin with: a helper's call, a variable, or a variable's name in quotes."""
        name = _helper_name(path)
        if name in HELPERS:
            return self._call(name, params, named)
        if isinstance(path, PathExpression):
            return self._path(path)
        if isinstance(path, SubExpression):
            return self._expression(path.path, path.params, path.hash_pairs)
        if params or named:
            return None
        if isinstance(path, NullLiteral | UndefinedLiteral):
            return self._up(0, [path.original])
        found = values.field(self._contexts[-1], values.text(path.value))
        return None if found is values.MISSING else found

    def _call(self, name: str, params: list[Expression], named: dict[str, Expression]) -> Any:
        helper = HELPERS[name]
        if len(params) != helper.takes:
            raise TemplateError(
                f"Evaluation error: Helper '{name}' called with wrong number of arguments, "
                f"needed {helper.needed} but got {len(params)}"
            )
        arguments = [self._argument(each) for each in params]
        return helper.run(Call(self, arguments, {key: self._argument(each) for key, each in named.items()}))

    def _argument(self, expression: Expression) -> Any:
        match expression:
            case SubExpression():
                return self._expression(expression.path, expression.params, expression.hash_pairs)
            case PathExpression():
                return self._path(expression)
            case StringLiteral() | NumberLiteral() | BooleanLiteral():
                return expression.value
            case NullLiteral() | UndefinedLiteral():  # to raymond a name like any other
                return self._up(0, [expression.original])

    def _path(self, path: PathExpression) -> Any:
        """Block parameters come first, then `@root` and the iteration's own, then the contexts."""
        parts = path.parts
        own = self._block_param(parts[0]) if parts else None
        if own is not None:
            self._contexts.append({parts[0]: own})
            found = self._up(path.depth, parts)
            self._contexts.pop()
            return found
        if not path.data:
            return self._up(path.depth, parts)
        if parts[:1] == ["root"]:
            return values.reach(self._contexts[0], parts[1:])[0]
        found = None
        if path.depth < len(self._frames):
            found = values.reach(self._frames[-1 - path.depth], parts)[0]
        return self._up(path.depth, parts) if found is None else found

    def _block_param(self, name: str) -> Any:
        return next((names[name] for names in reversed(self._names) if name in names), None)

    def _up(self, depth: int, parts: list[str]) -> Any:
        """From the context so many levels up, or the next one up where the path begins."""
        for context in (
            self._contexts[len(self._contexts) - 1 - depth :: -1] if depth < len(self._contexts) else []
        ):
            found, resolved = values.reach(context, parts)
            if resolved or found is not None:
                return found
        return None


def _helper_name(path: Expression) -> str:
    """The name that may be a helper's, if any."""
    if isinstance(path, PathExpression) and len(path.parts) == 1 and not path.data and path.depth == 0:
        return path.parts[0]
    return ""


def _halves(block: BlockStatement | RawBlock) -> tuple[Program | None, Program | None]:
    """What is shown if it is so, and what if not."""
    match block:
        case InverseBlock():
            return block.inverse, block.body
        case BlockStatement():
            return block.body, block.inverse
        case _:
            return Program([ContentStatement(block.body, block.body)]), None
