import pytest

from mailgun_emulator.expressions.event_filter import (
    And,
    Bound,
    Expression,
    MalformedFilter,
    Not,
    Or,
    Term,
    conjuncts,
    holds,
    parse,
)

A, B, C, D = Term("a"), Term("b"), Term("c"), Term("d")


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("", None),
        ("  ", None),
        ("a", A),
        (" a ", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b", Or((A, B))),
        ("a b OR c d", Or((And((A, B)), And((C, D))))),
        ("a (b OR c)", And((A, Or((B, C))))),
        ("a(b OR c)d", And((A, Or((B, C)), D))),
        ("NOT a", Not(A)),
        ("NOT NOT a", Not(Not(A))),
        ("NOT a b", And((Not(A), B))),
        ("NOT (a OR b)", Not(Or((A, B)))),
        ("a AND NOT b", And((A, Not(B)))),
        ("((a))", A),
        ('"a b"', Term("a b")),
        ('"a" "b OR c"', And((A, Term("b OR c")))),
        ('""', Term("")),
        ('"OR"', Term("OR")),
        ("or and not", And((Term("or"), Term("and"), Term("not")))),
        ("ORDER NOTE ANDY", And((Term("ORDER"), Term("NOTE"), Term("ANDY")))),
        (">10 <20.5", And((Bound(">", "10"), Bound("<", "20.5")))),
        ("<20250124124439.f6@d.com>", Term("<20250124124439.f6@d.com>")),
        ("Ann <ann@d.com>", And((Term("Ann"), Term("<ann@d.com>")))),
        ('5" x', And((Term('5"'), Term("x")))),
        ("größe", Term("größe")),
    ],
)
def test_an_expression_means(text: str, meaning: Expression | None) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("(a", "Filter expression '(a' is malformed: a parenthesis is not closed"),
        ("a)", "Filter expression 'a)' is malformed: ')' is not expected"),
        ("()", "Filter expression '()' is malformed: ')' is not expected"),
        ("OR a", "Filter expression 'OR a' is malformed: 'OR' is not expected"),
        ("a AND", "Filter expression 'a AND' is malformed: it ends too early"),
        ("a OR OR b", "Filter expression 'a OR OR b' is malformed: 'OR' is not expected"),
        ("NOT", "Filter expression 'NOT' is malformed: it ends too early"),
        ('"a', "Filter expression '\"a' has a quote that is not closed"),
        ("a" * 10_001, "Filter expression is longer than 10000 characters"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, why: str) -> None:
    with pytest.raises(MalformedFilter) as refusal:
        parse(text)
    assert str(refusal.value) == why


@pytest.mark.parametrize("text", ["(" * 3000 + "a" + ")" * 3000, "NOT " * 2000 + "a"])
def test_what_is_nested_too_deeply_is_refused(text: str) -> None:
    with pytest.raises(MalformedFilter, match="it is nested too deeply"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "said", "true"),
    [
        ("a OR b", {"b"}, True),
        ("a OR b", {"c"}, False),
        ("a b", {"a"}, False),
        ("a b", {"a", "b"}, True),
        ("NOT a", {"b"}, True),
        ("NOT (a OR b)", {"b"}, False),
        (">5", {">5"}, True),
    ],
)
def test_an_expression_holds_if_its_terms_do(text: str, said: set[str], true: bool) -> None:
    expression = parse(text)
    assert expression is not None
    assert holds(expression, lambda atom: atom.text in said) is true


def test_the_conjuncts_are_the_parts_that_must_all_hold() -> None:
    assert conjuncts(And((A, Or((B, C))))) == (A, Or((B, C)))
    assert conjuncts(A) == (A,)
