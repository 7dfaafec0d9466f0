"""
What the simulated network does with a number: magic ones have a fate of their own, all others answer.
"""

from typing import Final

import attrs

from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.carrier import Proof

RING_S: Final = 2.0
"""How long an answered phone rings."""

CONVERSATION_S: Final = 30.0
"""How long a callee talks to an agent that does not hang up by itself."""


@attrs.frozen(kw_only=True)
class Scenario:
    """
    The fate of one order.

    Attributes:
        proof: What the network's answer to the order proves.

        rings: Whether the phone rings at all.

        refusal: Why and how nobody answers; `None` when somebody does or the ring time-out decides.

        is_answered: Whether somebody or something answers.

        by_machine: What answers is a machine.

        callee_stays: Whether the callee listens to the end, instead of hanging up at once.
    """

    proof: Proof = Proof.PLACED
    rings: bool = True
    refusal: tuple[Disposition, HangUpCause] | None = None
    is_answered: bool = True
    by_machine: bool = False
    callee_stays: bool = True


def _refused(disposition: Disposition, code: int, words: str, *, rings: bool = False) -> Scenario:
    return Scenario(
        proof=Proof.PLACED if rings else Proof.NOT_PLACED,
        refusal=(disposition, HangUpCause(code=code, words=words)),
        rings=rings,
        is_answered=False,
    )


ORDINARY: Final = Scenario()

MAGIC: Final[dict[str, Scenario]] = {
    "+15555550100": ORDINARY,
    "+15555550101": _refused(Disposition.BUSY, 486, "Busy Here"),
    "+15555550102": Scenario(is_answered=False),
    "+15555550103": _refused(Disposition.REJECTED, 603, "Decline", rings=True),
    "+15555550104": _refused(Disposition.INVALID_NUMBER, 404, "Not Found"),
    "+15555550105": _refused(Disposition.CARRIER_ERROR, 503, "Service Unavailable"),
    "+15555550106": Scenario(by_machine=True),
    "+15555550107": Scenario(callee_stays=False),
    "+15555550108": Scenario(proof=Proof.AMBIGUOUS),
    "+15555550109": Scenario(proof=Proof.AMBIGUOUS, rings=False, is_answered=False),
}
"""In order: completed, busy, no answer, rejected, invalid, carrier error, machine, callee hangs up at once, ambiguous
then rings, ambiguous and never rang."""


def scenario_for(callee: PhoneNumber) -> Scenario:
    """
    Return a number's fate.
    """
    return MAGIC.get(callee.e164, ORDINARY)
