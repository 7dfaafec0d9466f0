"""
Refusals on the wire: one shape everywhere.
"""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from outdial.domain.model.decision import Refused
from outdial.domain.model.money import as_number
from outdial.domain.model.rate_limit import Limit
from outdial.domain.model.reason import Reason
from outdial.entrypoints.wire.values import Currency, Money


class FieldProblemBody(TypedDict):
    """
    What is wrong with one field.
    """

    field: Annotated[str, Field(description="Its name, with dots for nested ones.", examples=["contact_id"])]
    problem: Annotated[str, Field(description="A sentence.", examples=["It must be an integer."])]


class ProblemDetails(TypedDict, total=False):
    """
    What some refusals tell beside their reason.
    """

    details: Annotated[list[FieldProblemBody], Field(description="With `validation_error`: each problem.")]
    limit: Annotated[Limit, Field(description="With `rate_limit_exceeded`: which limit is used up.")]
    current_balance: Annotated[Money, Field(description="With `insufficient_funds`, as the four that follow.")]
    available_balance: Money
    required_rate: Annotated[Money, Field(description="Per minute.")]
    required_amount: Money
    currency: Currency


class ProblemBody(ProblemDetails):
    """
    Why a request was refused or failed.
    """

    error: Annotated[Reason, Field(description="A code for programs.")]
    message: Annotated[str, Field(description="A sentence for people.")]


def problem_body(refused: Refused) -> ProblemBody:
    """
    Return the answer to a refused request.
    """
    return ProblemBody(error=refused.reason, message=refused.reason.sentence, **_details(refused))


def _details(refused: Refused) -> ProblemDetails:
    details = ProblemDetails()
    if refused.problems:
        details["details"] = [FieldProblemBody(field=one.field, problem=one.problem) for one in refused.problems]
    if refused.window is not None:
        details["limit"] = refused.window.limit
    if (shortfall := refused.shortfall) is not None:
        details["current_balance"] = as_number(shortfall.balance_micros)
        details["available_balance"] = as_number(shortfall.available_micros)
        details["required_rate"] = as_number(shortfall.rate_micros)
        details["required_amount"] = as_number(shortfall.required_micros)
        details["currency"] = shortfall.currency
    return details
