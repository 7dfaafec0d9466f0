"""
Values for agents' texts on the wire: those of a call and those of a contact have the same limits.
"""

from typing import Any

from outdial.domain.model.template import variable_problems
from outdial.entrypoints.wire.reading import problem


def within_limits(variables: dict[str, Any] | None) -> dict[str, Any] | None:
    """
    Let only values pass that can be stored and rendered; every problem is told.
    """
    problems = variable_problems(variables or {})
    if problems:
        raise problem(*problems)
    return variables
