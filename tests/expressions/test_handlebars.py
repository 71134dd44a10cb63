"""Rendering as Mailgun's engine does it: a table for each of its rules."""

import time
from typing import Any

import pytest

from mailgun_emulator.expressions.handlebars import render
from mailgun_emulator.expressions.handlebars_values import TemplateError

CONTEXT: dict[str, Any] = {
    "name": "Ann",
    "html": "<b>\"Tom\" & 'Jerry'</b>",
    "user": {"name": "Bob", "address": {"city": "Rome"}, "first name": "Robert"},
    "items": [{"name": "pen", "price": 1.5}, {"name": "ink", "price": 20}],
    "letters": ["a", "b", "c"],
    "map": {"x": 1, "y": 2},
    "one": 1,
    "zero": 0,
    "yes": True,
    "no": False,
    "none": None,
    "empty": "",
    "no_items": [],
    "no_map": {},
    "false_text": "false",
    "phone": "555-333-4545",
}


def check(source: str, expected: str) -> None:
    assert render(source, CONTEXT) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hi {{name}}", "Hi Ann"),
        ("{{ name }}{{name }}", "AnnAnn"),
        ("{{html}}", "&lt;b&gt;&quot;Tom&quot; &amp; &apos;Jerry&apos;&lt;/b&gt;"),
        ("{{{html}}}", "<b>\"Tom\" & 'Jerry'</b>"),
        ("{{&html}}", "<b>\"Tom\" & 'Jerry'</b>"),
        ("a{{! a comment }}b{{!-- with }} in it --}}c", "abc"),
        ("\\{{name}} {{name}}", "{{name}} Ann"),
        ("{{user.name}} {{user/address/city}}", "Bob Rome"),
        ("{{user.[first name]}} {{[name]}}", "Robert Ann"),
        ("{{this.name}} {{./name}}", "Ann Ann"),
        ("{{letters.[1]}} {{items.[0].name}}", "b pen"),
        ("{{missing}}{{missing.deeper}}{{name.deeper}}{{none}}{{none.x}}", ""),
        ('{{"name"}}', "Ann"),
    ],
)
def test_variables(source: str, expected: str) -> None:
    check(source, expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x  {{~name~}}  y", "xAnny"),
        ("x \n {{~#if yes~}} \n b \n {{~/if~}} \n y", "xby"),
        ("a {{~{name}~}} b", "aAnnb"),
        ("a {{{~name~}}} b", "aAnnb"),
        ("{{#if no}}a {{~else~}} b{{/if}}", "b"),
        ("a {{~! c ~}} b", "ab"),
        ("a {{~^no~}} b {{~/no~}} c", "abc"),
        ("{{name}}{{~yes}}", "Anntrue"),
        ("a\n{{#if yes}}\nb\n{{/if}}\nc\n", "a\nb\nc\n"),
        ("a\n  {{#each letters}}  \n- {{this}}\n  {{/each}}\nc", "a\n- a\n- b\n- c\nc"),
        ("{{#if no}}\nb\n{{else}}\nc\n{{/if}}\nd", "c\nd"),
        ("{{#if no}}\nb\n{{else if yes}}\nc\n{{/if}}\nd", "c\nd"),
        ("a\n{{! alone }}\nb", "a\nb"),
        ("a\n{{name}}\nb", "a\nAnn\nb"),
        ("a {{#if yes}}\nb\n{{/if}} c", "a \nb\n c"),
        ("a\r\n{{#if yes}}\r\nb\r\n{{/if}}\r\nc", "a\r\nb\r\nc"),
    ],
)
def test_whitespace(source: str, expected: str) -> None:
    check(source, expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{#each items}}{{name}},{{/each}}", "pen,ink,"),
        ("{{#each items}}{{../user.name}} {{/each}}", "Bob Bob "),
        ("{{#each items}}{{#if price}}{{../name}}{{/if}}{{/each}}", "AnnAnn"),
        ("{{#each items}}{{false_text}}{{/each}}", "falsefalse"),
        ("{{#each items}}{{@root.name}}{{/each}}", "AnnAnn"),
        (
            "{{#each letters}}{{@index}}{{this}}{{#if @first}}!{{/if}}{{#if @last}}.{{/if}}{{/each}}",
            "0a!1b2c.",
        ),
        ("{{#each letters}}{{#each ../map}}{{@../index}}{{@key}} {{/each}}{{/each}}", "0x 0y 1x 1y 2x 2y "),
        ("{{#each map}}{{@key}}={{.}} {{/each}}", "x=1 y=2 "),
        ("{{#each items as |item i|}}{{i}}:{{item.name}} {{/each}}", "0:pen 1:ink "),
        ("{{#each map as |value key|}}{{key}}{{value}}{{/each}}", "x1y2"),
        ("{{#each no_items}}a{{else}}none{{/each}}", "none"),
        ("{{#each missing}}a{{else}}none{{/each}}", "none"),
        ("{{#each name}}a{{else}}none{{/each}}", ""),
        ("{{#with user}}{{name}} of {{address.city}}{{/with}}", "Bob of Rome"),
        ("{{#with user as |u|}}{{u.name}}{{/with}}", "Bob"),
        ("{{#with missing}}a{{else}}b{{/with}}", "b"),
        ("{{#with user}}{{#with ..}}{{name}}{{/with}}{{/with}}", "Ann"),
        ("{{#user}}{{name}}{{/user}}", "Bob"),
        ("{{#items}}{{@index}}{{name}} {{/items}}", "0pen 1ink "),
        ("{{^missing}}nothing{{/missing}}{{^name}}x{{/name}}", "nothing"),
        ("{{#if yes}}{{^no}}nested{{/no}}{{/if}}", "nested"),
        ("{{^no}}a{{else}}b{{/no}} {{^yes}}a{{else}}b{{/yes}}", "a b"),
        ("{{#no}}a{{^}}b{{/no}}", "b"),
        ("{{#with items}}{{name}}{{/with}}", "penink"),
        ("{{{{raw}}}} {{name}} {{{{/raw}}}}|{{{{yes}}}}{{name}}{{{{/yes}}}}", "|{{name}}"),
    ],
)
def test_contexts_and_blocks(source: str, expected: str) -> None:
    check(source, expected)


@pytest.mark.parametrize("name", ["no", "none", "missing", "zero", "empty", "no_items", "no_map"])
def test_what_is_false(name: str) -> None:
    check(f"{{{{#if {name}}}}}a{{{{else}}}}b{{{{/if}}}}", "b")
    check(f"{{{{#unless {name}}}}}a{{{{else}}}}b{{{{/unless}}}}", "a")


@pytest.mark.parametrize("name", ["yes", "one", "name", "false_text", "items", "map", "user.name"])
def test_what_is_true(name: str) -> None:
    check(f"{{{{#if {name}}}}}a{{{{else}}}}b{{{{/if}}}}", "a")
    check(f"{{{{#unless {name}}}}}a{{{{else}}}}b{{{{/unless}}}}", "b")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{#if no}}a{{else if zero}}b{{else if name}}c{{else}}d{{/if}}", "c"),
        ("{{#if no}}a{{else if zero}}b{{else}}d{{/if}}", "d"),
        ("{{#if 0 includeZero=true}}a{{else}}b{{/if}}", "a"),
        ("{{#if zero includeZero=true}}a{{else}}b{{/if}}", "b"),
        ("{{#if no_items.length includeZero=true}}a{{else}}b{{/if}}", "a"),
        ("{{lookup map 'y'}} {{lookup letters 2}} {{lookup letters one}}{{lookup map 'z'}}", "2 c b"),
        ("{{lookup (lookup items 0) 'name'}}", ""),
        ("a{{log name}}b", "ab"),
        ("{{#equal name 'Ann'}}a{{else}}b{{/equal}}", "a"),
        ("{{#equal name 'Bob'}}a{{else}}b{{/equal}}", ""),
        ("{{#equal one '1'}}a{{/equal}}{{#equal one 1}}b{{/equal}}{{#equal missing ''}}c{{/equal}}", "abc"),
        ("{{#if (equal name 'Ann')}}a{{else}}b{{/if}} {{#if (equal name 'Bob')}}a{{else}}b{{/if}}", "a b"),
        ("{{#ifGt 11 10}}a{{else}}b{{/ifGt}}{{#ifGt '5' one}}c{{/ifGt}}{{#ifGt zero one}}d{{else}}e{{/ifGt}}", "ace"),
        ("{{#ifLt zero 10}}a{{else}}b{{/ifLt}}{{#ifLt 'x' 10}}a{{else}}b{{/ifLt}}", "ab"),
        ("{{#ifEq one 1}}a{{/ifEq}}{{#ifEq '1.0' one}}b{{/ifEq}}{{#ifEq yes one}}c{{/ifEq}}", "abc"),
        ("{{#ifEq missing 1}}a{{else}}b{{/ifEq}}{{#ifEq ' 1' 1}}a{{else}}c{{/ifEq}}", "bc"),
        ("{{#ifEq letters.length 3}}a{{/ifEq}}{{#ifEq map.length 2}}b{{/ifEq}}", "ab"),
        ("{{#ifEq name.length 3}}c{{/ifEq}}", "c"),
        ("{{pluralize one 'pens' 'pen'}} {{pluralize 2 'pens' 'pen'}} {{pluralize 'x' 'pens' 'pen'}}", "pen pens pen"),
        ("{{pluralize letters.length 'letters' 'letter'}}", "letters"),
        ("{{letters.length}}{{one.length}}", "3"),
        ("{{unknown 'a' b=1}}{{#unknown name}}a{{else}}b{{/unknown}}{{#if (unknown)}}a{{/if}}", "b"),
    ],
)  # fmt: skip
def test_helpers(source: str, expected: str) -> None:
    check(source, expected)


@pytest.mark.parametrize(
    ("expression", "subject", "found"),
    [
        ("foo", "a foo", True),
        ("^foo", "a foo", False),
        (r"^(\+\d{1,2}\s)?\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}$", "555-333-4545", True),
        (r"^\d+$", "555-333", False),
        ("(?i)ANN", "ann", True),
        (r"o\z", "foo", True),
        ("(?=a)a", "a", False),
        (r"(a)\1", "aa", False),
        ("(", "(", False),
        ("a)(b", "ab", False),
        (r"\w", "é", False),
    ],
)
def test_regular_expressions_are_gos(expression: str, subject: str, found: bool) -> None:
    context = {"expression": expression, "subject": subject}
    source = "{{#ifMatchesRegexStr expression subject}}y{{else}}n{{/ifMatchesRegexStr}}"
    assert render(source, context) == ("y" if found else "n")


def test_backslashes_in_strings_stay() -> None:
    check(r"{{#ifMatchesRegexStr '^\d{3}-\d' phone}}y{{else}}n{{/ifMatchesRegexStr}}", "y")
    check(r"""{{#equal 'it\'s' "it's"}}y{{/equal}}""", "y")


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (3, "3"),
        (3.0, "3"),
        (3.25, "3.25"),
        (-0.5, "-0.5"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (12345678, "12345678"),
        (True, "true"),
        (False, "false"),
        (["a", 1, True, None, ["b"]], "a1trueb"),
        ([], ""),
        ({"b": 1, "a": "x", "c": None, "d": [True]}, "map[a:x b:%!s(float64=1) c:%!s(&lt;nil&gt;) d:[%!s(bool=true)]]"),
    ],
)  # fmt: skip
def test_how_values_are_printed(value: Any, printed: str) -> None:
    assert render("{{value}}", {"value": value}) == printed


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("a\n{{#if name}}b", "Parse error: Unclosed block at line 2, column 14"),
        ("{{name", "Parse error: Expected CLOSE, got EOF ('') at line 1, column 7"),
        ("{{#if a}}{{/each}}", "Parse error: if doesn't match each at line 1, column 17"),
        ("{{#if name", "Parse error: Expected CLOSE, got EOF ('') at line 1, column 11"),
        ("{{\u00b2}}", "Parse error: invalid literal for int() with base 10: '\u00b2'"),
        (f"{{{{#ifGt {'9' * 400} 1}}}}{{{{/ifGt}}}}", "Evaluation error: a number is too large"),
        ("{{/if}}", "Parse error: Unexpected closing block at line 1, column 1"),
        ("{{> footer}}", "Parse error: Partials are not supported at line 1, column 1"),
        ("{{#if}}a{{/if}}", "Evaluation error: Helper 'if' called with wrong number of arguments, needed 2 but got 0"),
        (
            "{{pluralize 1 2}}",
            "Evaluation error: Helper 'pluralize' called with wrong number of arguments, needed 3 but got 2",
        ),
        ("{{#if yes}}" * 80 + "{{/if}}" * 80, "Evaluation error: nested too deeply"),
        ("{{#if yes}}" * 2000 + "{{/if}}" * 2000, "Parse error: nested too deeply"),
        ("{{a " + "(b " * 5000, "Parse error: nested too deeply"),
        ("{{#if yes}}{{equal 1 1}}{{/if}}", "Evaluation error: nested too deeply"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        render(source, CONTEXT)
    assert str(error.value) == message


def test_runaway_templates_are_stopped() -> None:
    many = {"a": list(range(2000)), "text": "x" * 100_000}
    begun = time.perf_counter()
    for source, message in (
        ("{{#each a}}{{#each @root.a}}{{#each @root.a}}{{/each}}{{/each}}{{/each}}", "takes too long"),
        ("{{#each a}}{{@root.text}}{{/each}}", "is too large"),
        ("{{#if (equal 1 1)}}" * 40 + "x" + "{{/if}}" * 40, "takes too long"),
    ):
        with pytest.raises(TemplateError, match=message):
            render(source, many)
    slow = {"a": list(range(1000)), "text": "a" * 40 + "!"}
    with pytest.raises(TemplateError, match="takes too long"):
        render("{{#each a}}{{#ifMatchesRegexStr '(a+)+$' @root.text}}{{/ifMatchesRegexStr}}{{/each}}", slow)
    assert time.perf_counter() - begun < 20
