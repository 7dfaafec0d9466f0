"""
What load balancers are told.
"""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from outdial.domain.model.reason import Reason

Checks = Annotated[
    dict[str, str], Field(description="Each part: `ready`, or what is wrong with it.", examples=[{"database": "ready"}])
]

UNREADY: Final = "outdial is not ready; see checks."


class AliveBody(TypedDict):
    """
    The process answers.
    """

    status: Literal["ok"]


class ReadyBody(TypedDict):
    """
    Calls can be taken.
    """

    status: Literal["ready"]
    checks: Checks


class UnreadyBody(TypedDict):
    """
    Calls can't be taken now.
    """

    error: Literal[Reason.UNAVAILABLE]
    message: Annotated[str, Field(examples=[UNREADY])]
    checks: Checks


def unready_body(checks: Mapping[str, str]) -> UnreadyBody:
    """
    Return the answer of `/readyz` when something is not ready.
    """
    return UnreadyBody(error=Reason.UNAVAILABLE, message=UNREADY, checks=dict(checks))
