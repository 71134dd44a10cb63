"""Templates rendered as Mailgun's engine does, mailgun/raymond, a Handlebars 3 in Go (facts/sending.md, 2.4).

Seen in its code beside what the facts tell: a name that a context lacks is looked for in the contexts around it; only
`each`, `with` and blocks without a helper make a context, so that `../` passes over `if`; a helper that does not
exist is a variable that does not exist, and no error; in a list a path is followed from each item; `(equal a b)` in
the tag of a block gives that block's own text; variables of the name of a helper can't be reached.

Otherwise than there: maps keep their order in `each`; regular expressions are Python's and must not backtrack
without end; what takes too long, goes too deep or grows too large is an error.

A template is made into functions once, because one batch renders it a thousand times.
"""

from functools import lru_cache
from typing import Any

from pydantic_handlebars import _ast_nodes as ast

from mailgun_emulator.expressions import handlebars_syntax
from mailgun_emulator.expressions import handlebars_values as values
from mailgun_emulator.expressions.handlebars_helpers import HELPERS, Call
from mailgun_emulator.expressions.handlebars_rendering import Halves, Program, Rendering, Text, Value
from mailgun_emulator.expressions.handlebars_syntax import InverseBlock
from mailgun_emulator.expressions.handlebars_values import TemplateError


def render(source: str, context: dict[str, Any], missing: set[str] | None = None) -> str:
    """The text that the template makes of the context, which is JSON. Raise `handlebars_values.TemplateError`.

    Variables that tags print and that the context does not have, are added to `missing`.
    """
    program = _compiled(source)
    if isinstance(program, str):
        raise TemplateError(program)
    try:
        return Rendering(context, missing).program(program)
    except RecursionError:
        raise TemplateError("Evaluation error: nested too deeply") from None
    except OverflowError:
        raise TemplateError("Evaluation error: a number is too large") from None


@lru_cache(maxsize=64)
def _compiled(source: str) -> Program | str:
    """The template, or what is wrong with it."""
    try:
        return _program(handlebars_syntax.parse(source))
    except TemplateError as error:
        return str(error)
    except RecursionError:
        return "Evaluation error: nested too deeply"


def _program(program: ast.Program) -> Program:
    pieces = list(map(_piece, program.body))
    return Program(
        pieces, program.block_params, sum(len(piece) for piece in pieces if isinstance(piece, str))
    )


def _piece(statement: ast.Statement) -> str | Text:
    match statement:
        case ast.ContentStatement():
            return statement.value
        case ast.CommentStatement():
            return ""
        case ast.MustacheStatement():
            value = _expression(statement.path, statement.params, statement.hash_pairs)
            return _tag(value, escaped=statement.escaped, path=_plain_path(statement))
        case ast.RawBlock():
            raw = ast.Program([ast.ContentStatement(statement.body, statement.body)])
            return _block(statement.path, _expression(statement.path, [], {}), Halves(_program(raw), None))
        case _:
            value = _expression(statement.path, statement.params, statement.hash_pairs)
            return _block(statement.path, value, _halves(statement))


def _plain_path(statement: ast.MustacheStatement) -> ast.PathExpression | None:
    """Of a tag that prints a variable and does nothing else."""
    path = statement.path
    if not isinstance(path, ast.PathExpression) or statement.params or statement.hash_pairs:
        return None
    return None if path.data or _helper_name(path) in HELPERS else path


def _tag(value: Value, *, escaped: bool, path: ast.PathExpression | None) -> Text:
    def piece(rendering: Rendering) -> str:
        found = value(rendering)
        if found is None and path is not None:
            rendering.miss(path.parts)
        text = found if type(found) is str else values.text(found)
        text = values.escape(text) if escaped else text
        rendering.write(len(text))
        return text

    return piece


def _halves(block: ast.BlockStatement) -> Halves:
    body, inverse = (None if half is None else _program(half) for half in (block.body, block.inverse))
    return Halves(inverse, body) if isinstance(block, InverseBlock) else Halves(body, inverse)


def _block(path: ast.Expression, value: Value, halves: Halves) -> Text:
    has_helper = _helper_name(path) in HELPERS

    def piece(rendering: Rendering) -> str:
        rendering.enter(halves)
        found = value(rendering)
        if has_helper:
            text = values.text(found)
        elif not values.is_true(found):
            text = rendering.otherwise()
        elif isinstance(found, list):
            text = rendering.each(enumerate(found), len(found), keys=False)
        else:
            text = rendering.block(found)
        rendering.leave()
        return text

    return piece


def _expression(
    path: ast.Expression, params: list[ast.Expression], named: dict[str, ast.Expression]
) -> Value:
    """What a tag or parentheses begin with: a helper's call, a variable, or a variable's name in quotes."""
    name = _helper_name(path)
    if name in HELPERS:
        return _call(name, params, named)
    if isinstance(path, ast.PathExpression):
        return _path(path)
    if isinstance(path, ast.SubExpression):
        return _expression(path.path, path.params, path.hash_pairs)
    if params or named:
        return lambda _: None
    if isinstance(path, ast.NullLiteral | ast.UndefinedLiteral):
        return _name(path.original)
    text = values.text(path.value)
    return lambda rendering: rendering.field(text)


def _call(name: str, params: list[ast.Expression], named: dict[str, ast.Expression]) -> Value:
    helper = HELPERS[name]
    arguments = list(map(_argument, params))
    others = {key: _argument(each) for key, each in named.items()}

    def run(rendering: Rendering) -> Any:
        if len(arguments) != helper.takes:
            raise TemplateError(
                f"Evaluation error: Helper '{name}' called with wrong number of arguments, "
                f"needed {helper.needed} but got {len(arguments)}"
            )
        told = {key: each(rendering) for key, each in others.items()} if others else {}
        return helper.run(Call(rendering, [each(rendering) for each in arguments], told))

    return run


def _argument(expression: ast.Expression) -> Value:
    match expression:
        case ast.SubExpression():
            return _expression(expression.path, expression.params, expression.hash_pairs)
        case ast.PathExpression():
            return _path(expression)
        case ast.NullLiteral() | ast.UndefinedLiteral():  # to raymond a name like any other
            return _name(expression.original)
        case _:
            value = expression.value
            return lambda _: value


def _path(path: ast.PathExpression) -> Value:
    depth, parts = path.depth, path.parts
    if path.data:
        return lambda rendering: rendering.data(depth, parts)
    if depth == 0 and len(parts) == 1:
        name = parts[0]
        return lambda rendering: rendering.variable(name)
    return lambda rendering: rendering.path(depth, parts)


def _name(original: str) -> Value:
    return lambda rendering: rendering.up(0, [original])


def _helper_name(path: ast.Expression) -> str:
    """The name that may be a helper's, if any."""
    if isinstance(path, ast.PathExpression) and len(path.parts) == 1 and not path.data and path.depth == 0:
        return path.parts[0]
    return ""
