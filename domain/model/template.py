"""
Agents' texts with `{{variables}}`, rendered in one pass: a value is never scanned again.

A placeholder is `{{name}}`, `{{outer.inner}}` or `{{name|fallback text}}`; spaces inside the braces don't count.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final

import attrs

from outdial.domain.model.identifiers import ID_MAX

NAME_LENGTH_MAX: Final = 64
VARIABLES_BYTES_MAX: Final = 16 * 1024
VARIABLES_DEPTH_MAX: Final = 8
VARIABLES_NAMES_MAX: Final = 100
PROBLEMS_MAX: Final = 20
"""More are not told: whoever has twenty has read enough."""

_NAME: Final = rf"[A-Za-z0-9_]{{1,{NAME_LENGTH_MAX}}}"
_PLACEHOLDER: Final = re.compile(rf"\{{\{{\s*({_NAME}(?:\.{_NAME})*)\s*(?:\|([^{{}}]*))?\}}\}}")

_UNCLEAN: Final = re.compile(r"[\x00\ud800-\udfff]")

Variables = Mapping[str, object]
"""A call's context variables: a JSON object."""


@attrs.frozen(kw_only=True)
class Rendered:
    """
    A text with its placeholders filled.

    Attributes:
        text: The result; complete only when nothing is missing.

        missing: Each name without a value and without a fallback, once, in order of appearance.
    """

    text: str
    missing: tuple[str, ...]


def render(template: str, values: Variables) -> Rendered:
    """
    Fill a text's placeholders with values.

    Texts, numbers and booleans are values; objects and lists are not, and null counts as no value.
    """
    missing: dict[str, None] = {}

    def fill(match: re.Match[str]) -> str:
        text = _text_of(_look_up(values, match[1]))
        if text is not None:
            return text
        if match[2] is not None:
            return match[2].strip()
        missing[match[1]] = None
        return match[0]

    text = _PLACEHOLDER.sub(fill, template)
    return Rendered(text=text, missing=tuple(missing))


def overlay(over: Variables, under: Variables) -> Variables:
    """
    Return values with others laid over them: objects join name by name, anything else replaces what is below it.

    A null is no value and lets through what is below it.
    """
    joined = dict(under)
    for name, value in over.items():
        below = joined.get(name)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            joined[name] = overlay(value, below)
        elif value is not None:
            joined[name] = value
    return joined


def check_template(template: str) -> None:
    """
    Raise when a text holds braces that are no placeholder, which would be read out aloud.

    Raises:
        ValueError: Says which part.
    """
    rest = _PLACEHOLDER.sub(" ", template)
    start = min((at for at in (rest.find("{{"), rest.find("}}")) if at >= 0), default=-1)
    if start >= 0:
        raise ValueError(
            f"{rest[start : start + 40]!r} is no placeholder such as {{{{name}}}} or {{{{name|fallback}}}}."
        )


def variable_problems(variables: Variables) -> tuple[str, ...]:
    """
    Tell what keeps variables from being stored and rendered: one sentence a problem, empty when they fit.
    """
    problems = tuple(dict.fromkeys(islice(_walk(variables, depth=1), PROBLEMS_MAX)))
    if problems:
        return problems
    if _count_names(variables) > VARIABLES_NAMES_MAX:
        return (f"There are at most {VARIABLES_NAMES_MAX} names.",)
    if len(json.dumps(variables, ensure_ascii=False, separators=(",", ":")).encode()) > VARIABLES_BYTES_MAX:
        return (f"Written as JSON they have at most {VARIABLES_BYTES_MAX} bytes.",)
    return ()


def _look_up(values: Variables, path: str) -> object:
    found: object = values
    for name in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(name)
    return found


def _text_of(value: object) -> str | None:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return value
        case int() | float():
            return str(value)
        case _:
            return None


def _walk(value: object, *, depth: int) -> Iterator[str]:
    match value:
        case dict() | list() if depth > VARIABLES_DEPTH_MAX:
            yield f"Values nest at most {VARIABLES_DEPTH_MAX} deep."
        case dict():
            for name, inner in value.items():
                if not isinstance(name, str) or re.fullmatch(_NAME, name) is None:
                    yield f"{str(name)[:NAME_LENGTH_MAX]!a} is not a name of letters, digits and underscores."
                else:
                    yield from _walk(inner, depth=depth + 1)
        case list():
            for inner in value:
                yield from _walk(inner, depth=depth + 1)
        case _:
            yield from _scalar_problems(value)


def _scalar_problems(value: object) -> Iterator[str]:
    match value:
        case None | bool():
            return
        case str():
            if not is_clean(value):
                yield "A text holds a NUL or a lone surrogate."
        case int():
            if abs(value) > ID_MAX:
                yield "A number has more than 64 bits."
        case float():
            if not math.isfinite(value):
                yield "A number is not finite."
        case _:
            yield f"A value of type {type(value).__name__} is not JSON."


def is_clean(text: str) -> bool:
    """
    Tell whether a text can be stored and sent anywhere: no NUL, no lone surrogate.
    """
    return _UNCLEAN.search(text) is None


def _count_names(value: object) -> int:
    match value:
        case dict():
            return len(value) + sum(_count_names(inner) for inner in value.values())
        case list():
            return sum(_count_names(inner) for inner in value)
        case _:
            return 0
