"""
Refusals in the OpenAPI document: for each status of an operation the one shape, with an example for each reason.
"""

from collections.abc import Iterable
from typing import Any, Final

from outdial.domain.model.decision import FieldProblem, Refused, Shortfall
from outdial.domain.model.rate_limit import Limit, Window
from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.problems import STATUS, headers_of
from outdial.entrypoints.wire.problems import problem_body

EXAMPLES: Final = "#/components/examples/"

_DETAILS: Final = {
    Reason.VALIDATION_ERROR: {
        "problems": (FieldProblem(field="colour", problem="There is no such field."),),
    },
    Reason.INSUFFICIENT_FUNDS: {
        "shortfall": Shortfall(
            balance_micros=1_000_000,
            available_micros=250_000,
            rate_micros=50_000,
            required_micros=1_500_000,
            currency="USD",
        ),
    },
    Reason.RATE_LIMIT_EXCEEDED: {
        "window": Window(limit=Limit.REQUESTS_PER_MINUTE, quota=60, remaining=0, reset_s=12, is_exceeded=True),
    },
}


def examples() -> dict[str, Any]:
    """
    Return the components' examples: one for each reason.
    """
    return {reason.value: {"summary": reason.sentence, "value": problem_body(_example(reason))} for reason in Reason}


def by_status(reasons: Iterable[Reason]) -> dict[int, list[Reason]]:
    """
    Sort reasons by the status that they are answered with.
    """
    found: dict[int, list[Reason]] = {}
    for reason in reasons:
        found.setdefault(STATUS[reason].value, []).append(reason)
    return dict(sorted(found.items()))


def header_names(reasons: Iterable[Reason]) -> list[str]:
    """
    Return the headers that are sent with any of some reasons, beside those that tell of the body.
    """
    names = (name for reason in reasons for name in headers_of(_example(reason)))
    return [name for name in dict.fromkeys(names) if name != "Connection"]


def _example(reason: Reason) -> Refused:
    details: Any = _DETAILS.get(reason, {})
    return Refused(reason=reason, **details)
