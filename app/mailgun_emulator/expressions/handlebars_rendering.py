"""One run of a template: the contexts it is in, and how much it has done."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from mailgun_emulator.expressions import handlebars_values as values
from mailgun_emulator.expressions.handlebars_values import TemplateError

MOST_CHARACTERS = 10_000_000
MOST_STEPS = 300_000
MOST_LEVELS = 60

Text = Callable[["Rendering"], str]
Value = Callable[["Rendering"], Any]


class Program(NamedTuple):
    """A template, or what stands between two of its tags: what is printed as it stands, `length` characters in all,
    and what makes texts. `names` are those of block parameters.
    """

    pieces: list[str | Text]
    names: list[str]
    length: int


class Halves(NamedTuple):
    """Of a block: what is shown if it is so, and what if not."""

    body: Program | None
    inverse: Program | None


class Rendering:
    """The contexts, iterations, block parameters and blocks that it is in."""

    def __init__(self, context: dict[str, Any], missing: set[str] | None = None) -> None:
        self._missing = missing
        self._contexts: list[Any] = [context]
        self._frames: list[dict[str, Any]] = [{}]
        self._names: list[dict[str, Any]] = []
        self._blocks: list[Halves] = []
        self._steps = self._written = self._levels = 0

    def program(
        self, program: Program, context: Any = None, frame: dict[str, Any] | None = None, key: Any = None
    ) -> str:
        """The program's text, in a context, an iteration and with block parameters of its own if there are any."""
        self.count(steps=1 + len(program.pieces), level=1)
        stacks: list[tuple[list[Any], Any]] = []
        if program.names:
            stacks.append((self._names, dict(zip(program.names, (context, key), strict=False))))
        if context is not None:
            stacks.append((self._contexts, context))
        if frame is not None:
            stacks.append((self._frames, frame))
        for stack, value in stacks:
            stack.append(value)
        self.write(program.length)
        text = "".join([piece if isinstance(piece, str) else piece(self) for piece in program.pieces])
        for stack, _ in stacks:
            stack.pop()
        self._levels -= 1
        return text

    def enter(self, halves: Halves) -> None:
        """The tag of a block begins."""
        self._blocks.append(halves)

    def leave(self) -> None:
        self._blocks.pop()

    def block(self, context: Any = None, frame: dict[str, Any] | None = None, key: Any = None) -> str:
        """The text of the block that is being rendered."""
        program = self._blocks[-1].body if self._blocks else None
        return self.program(program, context, frame, key) if program else ""

    def otherwise(self) -> str:
        """The text of its `{{else}}`."""
        program = self._blocks[-1].inverse if self._blocks else None
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

    def miss(self, parts: list[str]) -> None:
        """A tag prints nothing for that path: note it down unless some context has null there."""
        if self._missing is None or not parts:
            return
        if not any(values.has(each, parts) for each in (*self._contexts, *self._names)):
            self._missing.add(".".join(parts))

    def count(self, *, steps: int = 1, level: int = 0) -> None:
        """Raise `TemplateError` once it is too much."""
        self._steps += steps
        self._levels += level
        if self._steps > MOST_STEPS:
            raise TemplateError("Evaluation error: the template takes too long")
        if self._levels > MOST_LEVELS:
            raise TemplateError("Evaluation error: nested too deeply")

    def write(self, characters: int) -> None:
        """Raise `TemplateError` once they are too many."""
        self._written += characters
        if self._written > MOST_CHARACTERS:
            raise TemplateError("Evaluation error: the text is too large")

    def variable(self, name: str) -> Any:
        """What most paths are: a name that the context has."""
        context = self._contexts[-1]
        found = context.get(name) if type(context) is dict and not self._names else None
        return self.path(0, [name]) if found is None else values.given(found)

    def field(self, name: str) -> Any:
        """A field of the innermost context, and of no other."""
        found = values.field(self._contexts[-1], name)
        return None if found is values.MISSING else found

    def path(self, depth: int, parts: list[str]) -> Any:
        """Block parameters come first, then the contexts."""
        own = self._block_param(parts[0]) if parts else None
        if own is None:
            return self.up(depth, parts)
        self._contexts.append({parts[0]: own})
        found = self.up(depth, parts)
        self._contexts.pop()
        return found

    def data(self, depth: int, parts: list[str]) -> Any:
        """Block parameters come first, then `@root` and the iteration's own, then the contexts."""
        if parts and self._block_param(parts[0]) is not None:
            return self.path(depth, parts)
        if parts[:1] == ["root"]:
            return values.reach(self._contexts[0], parts[1:])[0]
        found = None
        if depth < len(self._frames):
            found = values.reach(self._frames[-1 - depth], parts)[0]
        return self.up(depth, parts) if found is None else found

    def _block_param(self, name: str) -> Any:
        return next((names[name] for names in reversed(self._names) if name in names), None)

    def up(self, depth: int, parts: list[str]) -> Any:
        """From the context so many levels up, or the next one up where the path begins."""
        for level in range(len(self._contexts) - 1 - depth, -1, -1):
            found, resolved = values.reach(self._contexts[level], parts)
            if resolved or found is not None:
                return found
        return None
