from collections.abc import Sequence

from mailgun_emulator.web.nearest import Wanted, nearest

LETTERS = [
    {"to": ["bob@x.com"], "subject": ["Hi"]},
    {"to": ["ann@x.com"], "subject": ["Bye"]},
    {"to": ["ann@x.com"], "subject": ["Hallo Ann"]},
    {"to": ["eve@x.com"], "subject": ["Hello Ann"]},
    {"to": ["ann@x.com"], "subject": ["Hello Ann"]},
]


def wanted(name: str, text: str, *, negated: bool = False) -> Wanted:
    return Wanted(name, text, lambda values: (text in values) != negated, negated)


def values_of(letter: dict[str, list[str]], name: str) -> Sequence[str]:
    return letter.get(name, [])


def test_what_meets_most_conditions_is_nearest_then_what_is_most_alike() -> None:
    found = nearest([wanted("to", "ann@x.com"), wanted("subject", "Hello Ann")], LETTERS, values_of)
    assert [(LETTERS.index(letter), difference) for letter, difference in found] == [
        (4, ""),
        (2, "subject: 'Hallo Ann' instead of 'Hello Ann'"),
        (3, "to: 'eve@x.com' instead of 'ann@x.com'"),
        (1, "subject: 'Bye' instead of 'Hello Ann'"),
        (0, "to: 'bob@x.com' instead of 'ann@x.com'"),
    ]
    assert len(nearest([wanted("to", "x")], LETTERS, values_of, most=2)) == 2


def test_a_difference_is_told_in_few_words() -> None:
    def told(values: list[str], condition: Wanted) -> str:
        return nearest([condition], [{"tag": values}], values_of)[0][1]

    assert told([], wanted("tag", "a")) == "tag: none instead of 'a'"
    assert told(["b", "c", "d", "e", "f"], wanted("tag", "a")) == "tag: 'b', 'c', 'd', 2 more instead of 'a'"
    assert told(["a", "b"], wanted("tag", "a", negated=True)) == "tag: 'a', 'b', though not 'a'"
    assert told(["b", "b ", "b"], wanted("tag", "a")) == "tag: 'b' instead of 'a'"
    assert told(["x\n" * 100], wanted("tag", "a")) == f"tag: '{'x ' * 40}…' instead of 'a'"


def test_among_equals_the_order_stays() -> None:
    assert [letter for letter, _ in nearest([], LETTERS, values_of)] == LETTERS
