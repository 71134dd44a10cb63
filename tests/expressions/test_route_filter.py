import pytest

from mailgun_emulator.core.errors import BadRequest
from mailgun_emulator.expressions import patterns
from mailgun_emulator.expressions.patterns import BadPattern, Captures
from mailgun_emulator.expressions.route_filter import (
    And,
    CatchAll,
    Expression,
    MatchHeader,
    MatchRecipient,
    Not,
    Or,
    match,
    may_match,
    parse,
)

A, B, C = MatchRecipient("a"), MatchRecipient("b"), MatchRecipient("c")
a, b, c = 'match_recipient("a")', "match_recipient('b')", 'match_recipient( "c" )'
HEADERS = [("Subject", "We need support"), ("Received", "from one"), ("Received", "from two")]


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        (a, A),
        (f"  {a}  ", A),
        (f"({a})", A),
        (f"{a} and {b}", And((A, B))),
        (f"{a} AND {b} And {c}", And((A, B, C))),
        (f"{a} or {b} and {c}", Or((A, And((B, C))))),
        (f"({a} or {b}) and {c}", And((Or((A, B)), C))),
        (f"{a} and (\n{b}\n or {c})", And((A, Or((B, C))))),
        (f"not {a} and {b}", And((Not(A), B))),
        (f"not not {a}", Not(Not(A))),
        (f"not({a} or {b})", Not(Or((A, B)))),
        ('match_header("subject", ".*")', MatchHeader("subject", ".*")),
        ("match_header('X-Mailgun-Sflag','Yes')", MatchHeader("X-Mailgun-Sflag", "Yes")),
        ("catch_all()", CatchAll()),
        ("catchall( )", CatchAll()),
        (r'match_recipient("^chris\+(.*)@example.com$")', MatchRecipient(r"^chris\+(.*)@example.com$")),
        (r'match_recipient("a\"b")', MatchRecipient(r"a\"b")),
        ("match_recipient('a\"b')", MatchRecipient('a"b')),
    ],
)
def test_an_expression_means(text: str, meaning: Expression) -> None:
    assert parse(text) == meaning


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("alice@example.com", "'@example.com' can't be read"),
        ("match_recipient", "( is expected instead of the end"),
        ("match_recipient()", "a quoted string is expected instead of )"),
        ("match_recipient(alice)", "a quoted string is expected instead of alice"),
        ('match_recipient("alice)', "can't be read"),
        ('match_recipient("a", "b")', ") is expected instead of ,"),
        ('match_header("subject")', ", is expected instead of )"),
        ("catch_all(1)", ") is expected instead of 1"),
        ('match_sender("a")', "match_sender is neither match_recipient, match_header nor catch_all"),
        (f"{a} and", "( is expected instead of the end"),
        (f"{a} {b}", "match_recipient is not expected"),
        (f"({a}", ") is expected instead of the end"),
        (f"{a})", ") is not expected"),
        (f"{a} and\n{b}", "can't be read"),
        ("(" * 3000 + a + ")" * 3000, "longer"),
        ("(" * 100 + a + ")" * 100, "nested too deeply"),
        ("not " * 500 + a, "nested too deeply"),
    ],
)
def test_what_is_no_expression_is_refused_as_python_would(text: str, why: str) -> None:
    with pytest.raises(BadRequest) as refusal:
        parse(text)
    if why == "longer":
        assert str(refusal.value) == "The 'expression' parameter can't be larger than 4096 bytes"
    else:
        assert str(refusal.value) == "invalid syntax (<unknown>, line 1)"
        assert why in str(refusal.value.hint)


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("*", "nothing to repeat at position 0"),
        ("(", "missing ), unterminated subpattern at position 0"),
        ("[", "unterminated character set at position 0"),
        ("(" * 2000 + ")" * 2000, "the pattern is too complex"),
    ],
)
def test_a_pattern_that_is_none_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(BadRequest, match="^" + why.replace("(", r"\(").replace(")", r"\)")):
        parse(f'match_recipient("{pattern}")')


@pytest.mark.parametrize(
    ("text", "recipient", "groups"),
    [
        ('match_recipient("bob@")', "bob@x.com", ()),
        ('match_recipient("bob@")', "BOB@x.com", ()),
        ('match_recipient("BOB@x.com")', "bob@x.com", ()),
        ('match_recipient("ob@")', "bob@x.com", None),
        ('match_recipient("bob")', "bobby@x.com", ()),
        ('match_recipient("^bob@x.com$")', "bob@x.com.org", None),
        ('match_recipient(".*@x.com")', "bob@x.com", ()),
        ('match_recipient("(.*)@(.*)")', "bob@x.com", ("bob", "x.com")),
        ('match_recipient("(bob)?(.*)")', "ann@x.com", ("", "ann@x.com")),
        ('match_header("subject", ".*support")', "bob@x.com", ()),
        ('match_header("SUBJECT", "(.*)(urgent|support)(.*)")', "bob@x.com", ("We need ", "support", "")),
        ('match_header("subject", "support")', "bob@x.com", None),
        ('match_header("subject", ".*SUPPORT")', "bob@x.com", None),
        ('match_header("received", ".*(two)")', "bob@x.com", ("two",)),
        ('match_header("x-nothing", ".*")', "bob@x.com", None),
        ('match_recipient("(b)") and match_header("subject", "(We)")', "bob@x.com", ("b", "We")),
        ('match_recipient("(a)") and match_header("subject", "(We)")', "bob@x.com", None),
        ('match_recipient("(a)") or match_header("subject", "(We)")', "bob@x.com", ("We",)),
        ('match_recipient("(b)") or match_header("subject", "(We)")', "bob@x.com", ("b",)),
        ('not match_recipient("(a)")', "bob@x.com", ()),
        ('not match_recipient("(b)")', "bob@x.com", None),
        ("catch_all()", "bob@x.com", ()),
        ("not catch_all()", "bob@x.com", None),
    ],
)
def test_an_expression_holds(text: str, recipient: str, groups: tuple[str, ...] | None) -> None:
    captures = match(text, recipient, HEADERS)
    assert (None if captures is None else captures.groups) == groups


def test_groups_have_names() -> None:
    captures = match('match_recipient("(?P<user>.*?)@(?P<domain>.*)")', "bob@x.com", [])
    assert captures == Captures(("bob", "x.com"), {"user": "bob", "domain": "x.com"})


def test_catch_all_takes_what_no_earlier_route_took() -> None:
    assert match("catch_all()", "bob@x.com", [], earlier_matched=True) is None
    assert match('catch_all() or match_recipient("bob")', "bob@x.com", [], earlier_matched=True) is not None


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ('match_recipient("bob")', True),
        ('match_recipient("ann")', False),
        ('match_header("subject", "x")', True),
        ('not match_header("subject", "x")', True),
        ('match_recipient("ann") and match_header("subject", "x")', False),
        ('match_recipient("bob") and match_header("subject", "x")', True),
        ('match_recipient("ann") or match_header("subject", "x")', True),
        ('not (match_recipient("bob") or match_header("subject", "x"))', False),
        ("catch_all()", True),
    ],
)
def test_before_the_headers_are_known_an_expression_may_hold(text: str, may: bool) -> None:
    assert may_match(text, "bob@x.com") is may


@pytest.mark.parametrize(
    "pattern",
    [
        *("(a*)*b", "(a|a)*b", "(a+)+$x", "(.*)(.*)(.*)(.*)(.*)(.*)x"),
        *("(?x)(a+) *b", "(?x:(a+) # c\n*b)", "(?ix)(a+)\n+b", "(a+)(?#c)*b"),
    ],
)
def test_a_pattern_that_would_take_for_ever_is_stopped(pattern: str) -> None:
    assert patterns.most_steps(pattern, 60) > patterns.MOST_STEPS
    assert patterns.match(pattern, "a" * 10_000) is None


def test_a_pattern_in_a_process_of_its_own_captures_the_same() -> None:
    pattern = r"((?P<word>[a-zé]+)\+?)*@(x)?(y)?"
    assert patterns.most_steps(pattern, 10) > patterns.MOST_STEPS
    found = patterns.match(pattern, "ab+CÉ@x", ignore_case=True)
    assert found == Captures(("CÉ", "CÉ", "x", ""), {"word": "CÉ"})
    assert patterns.match(pattern, "?") is None


@pytest.mark.parametrize(
    ("pattern", "steps"),
    [
        ("abc", 1),
        (".*@x", 10),
        (".*?@.+?", 100),
        (r"a\*\+\?[*+?|(]{2}", 1),
        ("a?b?", 4),
        ("(urgent|help|asap)", 3),
        ("(a|b)(c|d)", 4),
        ("a|b", 2),
        ("(?P<a>x)(?:y)?", 2),
        ("a{2}b{2,3}", 10),
        ("(a){2}", float("inf")),
        ("(a)+", float("inf")),
        ("(?x)a +", float("inf")),
        ("(?P<x>a)", 1),
    ],
)
def test_what_matching_may_cost(pattern: str, steps: float) -> None:
    assert patterns.most_steps(pattern, 10) == steps


def test_no_more_than_ten_thousand_characters_are_looked_at() -> None:
    assert patterns.match("a*b", "a" * 10_000 + "b") is None
    with pytest.raises(BadPattern):
        patterns.match("(", "")


def test_a_list_is_searched_in_bounded_time() -> None:
    names = [f"{'a' * 60}{number}.example.com" for number in range(100)]
    assert patterns.found_in(r"a7\d?\.", names) == [names[number] for number in (7, *range(70, 80))]
    assert patterns.found_in("(a*)7[.]", names) == [names[number] for number in (7, *range(17, 100, 10))]
    assert patterns.found_in("(a|a)+$", names) == []
    assert patterns.found_in("", names) == names
    with pytest.raises(BadPattern):
        patterns.found_in("(", [])
