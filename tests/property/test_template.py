"""
Laws of rendering, checked against pieces whose result is known.
"""

from collections.abc import Mapping, Sequence

import attrs
from hypothesis import event, given
from hypothesis import strategies as st

from outdial.domain.model.template import check_template, overlay, render, variable_problems
from tests import strategies

blanks = st.text(" \t\n", max_size=2)
literals = st.text("ab {}|.\u00e4", max_size=6).filter(lambda text: "{{" not in text and "}}" not in text)
brace_free = st.text(st.characters(exclude_characters="{}"), max_size=8)
tricky_values = st.one_of(st.sampled_from(("{{a}}", "{{b|x}}", "{{", "}}", "\\1", "\\g<0>")), st.text(max_size=8))


@attrs.frozen(kw_only=True)
class Piece:
    """
    A part of a template: a text, or a placeholder when it has a name.
    """

    text: str
    name: str | None = None
    fallback: str | None = None


@st.composite
def placeholders(draw: st.DrawFn) -> Piece:
    """
    Draw a placeholder of any spelling for one of a few names.
    """
    name = draw(st.sampled_from(("a", "b", "c", "outer.inner", "a.b")))
    fallback = draw(st.none() | brace_free)
    end = "" if fallback is None else f"|{fallback}"
    return Piece(text=f"{{{{{draw(blanks)}{name}{draw(blanks)}{end}}}}}", name=name, fallback=fallback)


pieces = st.lists(placeholders() | st.builds(Piece, text=brace_free), max_size=8)
values = st.fixed_dictionaries(
    {},
    optional={
        "a": tricky_values | st.none(),
        "b": tricky_values,
        "outer": st.fixed_dictionaries({}, optional={"inner": tricky_values}) | tricky_values,
    },
)


def value_of(known: Mapping[str, object], name: str) -> str | None:
    """
    Look a name up as a reader of the contract would.
    """
    first, _, second = name.partition(".")
    found = known.get(first)
    if second:
        found = found.get(second) if isinstance(found, dict) else None
    return found if isinstance(found, str) else None


@given(parts=pieces, known=values)
def test_each_placeholder_is_replaced_where_it_stands(parts: list[Piece], known: Mapping[str, object]) -> None:
    """
    The result is the parts one after another, each filled by itself: no value is scanned again.
    """
    filled = [
        part.text
        if part.name is None
        else value_of(known, part.name)
        or ("" if value_of(known, part.name) == "" else part.text if part.fallback is None else part.fallback.strip())
        for part in parts
    ]

    rendered = render("".join(part.text for part in parts), known)

    event("complete" if not rendered.missing else "incomplete")
    assert "".join(filled) == rendered.text


@given(parts=pieces, known=values)
def test_exactly_the_names_without_a_value_are_missing(parts: list[Piece], known: Mapping[str, object]) -> None:
    """
    A name is told when no value and no fallback fills it: once, in order of appearance.
    """
    lacking = [
        part.name for part in parts if part.name and part.fallback is None and value_of(known, part.name) is None
    ]

    rendered = render("".join(part.text for part in parts), known)

    assert tuple(dict.fromkeys(lacking)) == rendered.missing


@given(parts=st.lists(placeholders() | st.builds(Piece, text=st.text("ab |.", max_size=4)), max_size=8))
def test_a_text_of_placeholders_is_well_formed(parts: list[Piece]) -> None:
    """
    Whatever is rendered whole passes the check.
    """
    check_template("".join(part.text for part in parts))


@given(before=literals, after=literals, part=placeholders())
def test_single_braces_beside_a_placeholder_are_well_formed(before: str, after: str, part: Piece) -> None:
    """
    The check looks at what is left beside placeholders, never at what would stand there without them.
    """
    check_template(before.rstrip("{") + part.text + after.lstrip("}"))


@given(template=st.text() | st.text("{}|. ab"), known=strategies.json_values)
def test_rendering_never_raises(template: str, known: object) -> None:
    """
    Any text and any JSON make a result.
    """
    render(template, known if isinstance(known, dict) else {"a": known, "b": {"a": known}})


@given(value=strategies.json_values)
def test_judging_variables_never_raises(value: object) -> None:
    """
    Any JSON object fits or has problems, told as sentences.
    """
    problems = variable_problems(value if isinstance(value, dict) else {"a": value})

    event("fit" if not problems else "problems")
    assert all(problem.endswith(".") for problem in problems)


@given(known=strategies.variables)
def test_ordinary_variables_fit(known: Mapping[str, object]) -> None:
    """
    Names of letters and clean values within the limits have no problems.
    """
    assert variable_problems(known) == ()


paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=3)
layers: st.SearchStrategy[Mapping[str, object]] = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.none() | st.sampled_from(("x", "y", "z")) | st.just([1]), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | st.none() | st.just("w"), max_size=3),
    max_leaves=8,
)


def found_at(values: Mapping[str, object], path: Sequence[str]) -> object:
    """
    Return the value at a path; `None` where a null or nothing stands.
    """
    found: object = values
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def is_closed(values: Mapping[str, object], path: Sequence[str]) -> bool:
    """
    Tell whether something that is neither an object nor a null stands on the way to a path or at its end.
    """
    ways = (found_at(values, path[:length]) for length in range(1, len(path) + 1))
    return any(found is not None and not isinstance(found, Mapping) for found in ways)


@given(over=layers, under=layers, path=paths)
def test_what_lies_above_wins_at_every_depth(
    over: Mapping[str, object], under: Mapping[str, object], path: list[str]
) -> None:
    """
    A text finds the upper value where there is one, and the lower one through whatever the upper values leave open.
    """
    expected = found_at(over if is_closed(over, path) else under, path)
    event("above" if is_closed(over, path) else "below")

    found = found_at(overlay(over, under), path)

    assert isinstance(found, Mapping) or isinstance(expected, Mapping) or expected == found


@given(over=layers, under=layers)
def test_laying_values_over_themselves_changes_nothing(over: Mapping[str, object], under: Mapping[str, object]) -> None:
    """
    Nor does it change what it was given.
    """
    copies = repr((over, under))

    once = overlay(over, under)

    assert once == overlay(over, once) == overlay({}, once)
    assert copies == repr((over, under))
