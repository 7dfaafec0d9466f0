"""
Agents' texts and the variables that fill them.
"""

from types import MappingProxyType
from typing import Any

import pytest

from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.template import (
    VARIABLES_BYTES_MAX,
    Rendered,
    check_template,
    is_clean,
    render,
    variable_problems,
)

VALUES = {
    "name": "John",
    "empty": "",
    "nothing": None,
    "count": 3,
    "price": 1.5,
    "yes": True,
    "no": False,
    "custom_context": {"account_status": "Active", "deep": {"er": "found"}},
    "list": ["a"],
    "scan": "{{name}}",
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("", ""),
        ("No names.", "No names."),
        ("Hello {{name}}!", "Hello John!"),
        ("{{name}}{{name}}", "JohnJohn"),
        ("{{ name }} {{\tname\n}}", "John John"),
        ("{{custom_context.account_status}}", "Active"),
        ("{{custom_context.deep.er}}", "found"),
        ("{{count}} {{price}} {{yes}} {{no}}", "3 1.5 true false"),
        ("[{{empty}}]", "[]"),
        ("{{empty|fallback}}", ""),
        ("{{name|fallback}}", "John"),
        ("{{unknown|fallback text}}", "fallback text"),
        ("{{ unknown | fallback text }}", "fallback text"),
        ("[{{unknown|}}]", "[]"),
        ("{{unknown|a|b}}", "a|b"),
        ("{{nothing|fallback}}", "fallback"),
        ("{{custom_context|fallback}}", "fallback"),
        ("{{list|fallback}}", "fallback"),
        ("{{name.first|fallback}}", "fallback"),
        ("{{custom_context.other|fallback}}", "fallback"),
        ("{{scan}}", "{{name}}"),
        ("{{{name}}}", "{John}"),
        ("{name} {{}} {{a b}} {{a..b}} {{-}} {{name", "{name} {{}} {{a b}} {{a..b}} {{-}} {{name"),
    ],
)
def test_placeholders_are_filled_once(template: str, text: str) -> None:
    """
    Values fill placeholders, fallbacks fill the gaps, and nothing else is touched.
    """
    assert Rendered(text=text, missing=()) == render(template, VALUES)


@pytest.mark.parametrize(
    ("template", "missing"),
    [
        ("{{b}} {{a}} {{b}}", ("b", "a")),
        ("{{nothing}} {{list}} {{custom_context}}", ("nothing", "list", "custom_context")),
        ("{{custom_context.other}} {{name.first}}", ("custom_context.other", "name.first")),
        ("{{a|}} {{b}} {{name}}", ("b",)),
        ("{{ a }} {{a}}", ("a",)),
        ("{{Name}}", ("Name",)),
    ],
)
def test_missing_names_are_reported_once_in_order(template: str, missing: tuple[str, ...]) -> None:
    """
    Each name without a value and without a fallback is told, in order of appearance.
    """
    assert missing == render(template, VALUES).missing


def test_a_missing_placeholder_stays_in_the_text() -> None:
    """
    Only complete texts are spoken; an incomplete one shows what it lacks.
    """
    assert "John {{ unknown }}" == render("{{name}} {{ unknown }}", VALUES).text


@pytest.mark.parametrize(
    "template",
    ["", "{", "}", "{ }", "{x}", "{{a}}", "{{a.b}}", "{{a|b}}", "{{ a }}{{b}}", "{{{a}}}", "{{{a}}{", "}{{a}}}"],
)
def test_single_braces_are_text(template: str) -> None:
    """
    Only double braces can be placeholders; those beside one are text.
    """
    check_template(template)


@pytest.mark.parametrize(
    "template",
    [
        "{{",
        "}}",
        "{{}}",
        "{{ }}",
        "{{a",
        "a}}",
        "{{a b}}",
        "{{a.}}",
        "{{.a}}",
        "{{a..b}}",
        "{{a-b}}",
        "{{\u00e4}}",
        "{{" + "a" * 65 + "}}",
        "{{a|{b}}}",
        "{{a|{{b}}}}",
        "{{a}}}}",
        "{{{{a}}",
    ],
)
def test_malformed_placeholders_are_refused(template: str) -> None:
    """
    Double braces that are no placeholder would be read out aloud.
    """
    with pytest.raises(ValueError, match=r"is no placeholder"):
        check_template(template)


def test_a_malformed_placeholder_is_quoted_briefly() -> None:
    """
    The message shows where the first malformed braces are.
    """
    with pytest.raises(ValueError, match=r"^'\{\{b b\}\} then more' is no placeholder"):
        check_template("{{a}} {{b b}} then more")


@pytest.mark.parametrize(
    "template",
    [
        "{{" * 25_000,
        "}}" * 25_000,
        "{{a" * 16_000,
        "{{a|" * 12_000,
        "{{" + " " * 50_000,
        "{{" + "a." * 25_000,
        "{{" + ("a" * 64 + ".") * 769,
        "{{a|" + " " * 50_000,
        "{{a" + " " * 50_000 + "b",
        "{{ " * 16_000,
    ],
)
def test_adversarial_texts_come_back_as_they_are(template: str) -> None:
    """
    50 KB of beginnings without an end are text, found to be so without backtracking for ever.
    """
    assert Rendered(text=template, missing=()) == render(template, {})


@pytest.mark.parametrize(
    "variables",
    [
        {},
        VALUES,
        {"a" * 64: 1},
        {"a": [[1, 2.5, None, True], {"b": "c"}]},
        {"a": ID_MAX, "b": -ID_MAX},
        {"a": {"a": {"a": {"a": {"a": {"a": {"a": 8}}}}}}},
        {str(number): number for number in range(100)},
        {"a": "x" * (VARIABLES_BYTES_MAX - 8)},
        {"a": "\u00e4" * (VARIABLES_BYTES_MAX // 2 - 4)},
        {"a": "\U0010ffff\n\x01"},
    ],
)
def test_variables_within_the_limits_have_no_problems(variables: dict[str, Any]) -> None:
    """
    Each limit may be reached.
    """
    assert () == variable_problems(variables)


def nested(levels: int) -> dict[str, Any]:
    """
    Return objects within objects.
    """
    return {"a": nested(levels - 1) if levels > 1 else 1}


@pytest.mark.parametrize(
    ("variables", "problems"),
    [
        (nested(9), ["Values nest at most 8 deep."]),
        (nested(500), ["Values nest at most 8 deep."]),
        ({"a": [[[[[[[[]]]]]]]]}, ["Values nest at most 8 deep."]),
        ({"": 1}, ["'' is not a name of letters, digits and underscores."]),
        ({"a b": 1}, ["'a b' is not a name of letters, digits and underscores."]),
        ({"a.b": 1}, ["'a.b' is not a name of letters, digits and underscores."]),
        ({"a\n": 1}, [r"'a\n' is not a name of letters, digits and underscores."]),
        ({"\u00e4": 1}, [r"'\xe4' is not a name of letters, digits and underscores."]),
        ({"a" * 65: 1}, [f"'{'a' * 64}' is not a name of letters, digits and underscores."]),
        ({1: 1}, ["'1' is not a name of letters, digits and underscores."]),
        ({"a": {"b": [{"c-d": 1}]}}, ["'c-d' is not a name of letters, digits and underscores."]),
        ({"a": "\x00", "b": "\ud800", "c": ["x\udfff"]}, ["A text holds a NUL or a lone surrogate."]),
        ({"a": ID_MAX + 1}, ["A number has more than 64 bits."]),
        ({"a": -ID_MAX - 1}, ["A number has more than 64 bits."]),
        ({"a": float("nan")}, ["A number is not finite."]),
        ({"a": float("-inf")}, ["A number is not finite."]),
        ({"a": b"x"}, ["A value of type bytes is not JSON."]),
        ({"a": (1,)}, ["A value of type tuple is not JSON."]),
        ({"a": MappingProxyType({})}, ["A value of type mappingproxy is not JSON."]),
        ({str(number): number for number in range(101)}, ["There are at most 100 names."]),
        ({"a": [{"b": 1} for _ in range(100)]}, ["There are at most 100 names."]),
        ({"a": "x" * (VARIABLES_BYTES_MAX - 7)}, ["Written as JSON they have at most 16384 bytes."]),
        ({"a": "\u00e4" * (VARIABLES_BYTES_MAX // 2 - 3)}, ["Written as JSON they have at most 16384 bytes."]),
        (
            {"-": 1, "a": float("inf"), "b": {"c": b""}},
            [
                "'-' is not a name of letters, digits and underscores.",
                "A number is not finite.",
                "A value of type bytes is not JSON.",
            ],
        ),
    ],
)
def test_variables_beyond_a_limit_are_told(variables: dict[str, Any], problems: list[str]) -> None:
    """
    Each thing that keeps variables from being stored is told once, in order.
    """
    assert problems == list(variable_problems(variables))


@pytest.mark.parametrize(
    ("text", "clean"),
    [("", True), ("\ud7ff\ue000\U0010ffff", True), ("a\x00", False), ("\ud800", False)],
)
def test_clean_texts_can_be_stored_anywhere(text: str, *, clean: bool) -> None:
    """
    NUL and lone surrogates have no place in databases or UTF-8.
    """
    assert clean is is_clean(text)
