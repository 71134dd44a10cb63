"""What filter expressions say of events, as SQL (facts/sending.md, 3.3)."""

from collections.abc import Callable
from typing import Any, TypeAlias

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.expressions.event_filter import And, Atom, Bound, Expression, MalformedFilter, Not, Or

MOST_VALUES = 510
"""SQLite refuses expressions that are 1,000 operators deep."""


class SizeNotANumber(BadRequest):
    """Mailgun's own text is not known."""


class Values:
    """What goes into a statement as parameters."""

    def __init__(self, **known: Any) -> None:
        self.parameters = known

    def put(self, value: Any) -> str:
        """The placeholder that stands for it."""
        if len(self.parameters) >= MOST_VALUES:
            raise MalformedFilter(f"Filter expressions have more than {MOST_VALUES} terms")
        name = f"v{len(self.parameters)}"
        self.parameters[name] = value
        return f":{name}"


Condition: TypeAlias = Callable[[Values, Atom], str]


def condition(field: str, expression: Expression, values: Values) -> str:
    match expression:
        case And(operands):
            return f"({' AND '.join(condition(field, each, values) for each in operands)})"
        case Or(operands):
            return f"({' OR '.join(condition(field, each, values) for each in operands)})"
        case Not(operand):
            return f"NOT {condition(field, operand, values)}"
        case atom:
            return f"({FIELDS[field](values, atom)})"


def is_address(text: str) -> bool:
    """Whether it is a whole address, not a part of one."""
    local, _, domain = text.rpartition("@")
    return bool(local) and "." in domain.strip(".")


def plain_id(text: str) -> str:
    """A message's id as events are looked for by it."""
    return text.removeprefix("<").removesuffix(">").lower()


def _in(path: str, of: str = "payload") -> str:
    return f"json_extract({of}, '{path}')"


def contains(values: Values, subject: str, text: str) -> str:
    """LIKE takes upper and lower case for the same in ASCII only."""
    spellings = [text] if text.isascii() else sorted({text, text.lower(), text.upper(), text.capitalize()})
    patterns = (f"%{_escaped(spelling)}%" for spelling in spellings)
    return " OR ".join(rf"{subject} LIKE {values.put(pattern)} ESCAPE '\'" for pattern in patterns)


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _part_of(path: str) -> Condition:
    """IS TRUE because NOT must hold for what an event does not tell."""
    return lambda values, atom: f"({contains(values, _in(path), atom.text)}) IS TRUE"


def _part_of_any(path: str, subject: str) -> Condition:
    def found(values: Values, atom: Atom) -> str:
        condition = contains(values, subject, atom.text)
        return f"EXISTS (SELECT 1 FROM json_each(payload, '{path}') WHERE {condition})"  # noqa: S608 - texts are parameters

    return found


def _severity(values: Values, atom: Atom) -> str:
    return f"({_in('$.severity')} = {values.put(atom.text.lower())}) IS TRUE"


def _size(values: Values, atom: Atom) -> str:
    operator, number = (atom.operator, atom.number) if isinstance(atom, Bound) else ("=", atom.text)
    try:
        size = float(number)
    except ValueError:
        raise SizeNotANumber(f"'{number}' is not a size: expected a number, >number or <number") from None
    return f"({_in('$.message.size')} {operator} {values.put(size)}) IS TRUE"


def _recipient(values: Values, atom: Atom) -> str:
    text = atom.text.lower()
    return f"recipient = {values.put(text)}" if is_address(text) else contains(values, "recipient", text)


def _message_id(values: Values, atom: Atom) -> str:
    return f"message_id = {values.put(plain_id(atom.text))}"


def _tag(values: Values, atom: Atom) -> str:
    return (
        "EXISTS (SELECT 1 FROM event_tag WHERE event_tag.domain_id = event.domain_id"  # noqa: S608 - texts are parameters
        f" AND tag = {values.put(atom.text.lower())} AND event_tag.at = event.at AND event_id = event.id)"
    )


FIELDS: dict[str, Condition] = {
    "message-id": _message_id,
    "recipient": _recipient,
    "tags": _tag,
    "list": _part_of('$."mailing-list".address'),
    "attachment": _part_of_any("$.message.attachments", _in("$.filename", "value")),
    "from": _part_of("$.message.headers.from"),
    "to": _part_of("$.message.headers.to"),
    "subject": _part_of("$.message.headers.subject"),
    "size": _size,
    "recipients": _part_of_any("$.message.recipients", "value"),
    "severity": _severity,
}
"""What an expression can be about, besides `event`."""
