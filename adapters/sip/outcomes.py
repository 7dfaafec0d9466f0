"""
What the network's final word means: one table from SIP statuses and Q.850 causes to dispositions.
"""

import re
from collections.abc import Iterable
from typing import Final

from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import Proof

STATUSES: Final[dict[int, Disposition]] = {
    486: Disposition.BUSY,
    600: Disposition.BUSY,
    480: Disposition.NO_ANSWER,
    487: Disposition.NO_ANSWER,  # what a trunk says when it gave up ringing by itself
    603: Disposition.REJECTED,
    607: Disposition.REJECTED,
    608: Disposition.REJECTED,
    404: Disposition.INVALID_NUMBER,
    410: Disposition.INVALID_NUMBER,
    484: Disposition.INVALID_NUMBER,
    604: Disposition.INVALID_NUMBER,
}
"""RFC 3261, 21 (607: RFC 8197, 608: RFC 8688). Every other final status is the carrier's or our own fault."""

CAUSES: Final[dict[int, Disposition]] = {
    17: Disposition.BUSY,
    18: Disposition.NO_ANSWER,
    19: Disposition.NO_ANSWER,
    21: Disposition.REJECTED,
    1: Disposition.INVALID_NUMBER,
    22: Disposition.INVALID_NUMBER,
    28: Disposition.INVALID_NUMBER,
    34: Disposition.CARRIER_ERROR,
    38: Disposition.CARRIER_ERROR,
    41: Disposition.CARRIER_ERROR,
    42: Disposition.CARRIER_ERROR,
}
"""ITU-T Q.850, 2.2. Causes which tell less than the SIP status are left out."""

TRYING: Final = 100
REQUEST_TIMEOUT: Final = 408
SERVER_TIMEOUT: Final = 504
CHALLENGES: Final = frozenset({401, 407})

_REFUSALS: Final = (
    *(300, 301, 302, 305, 380),
    *range(400, 408),
    *(410, 412, 413, 414, 415, 416, 417, 420, 421, 422, 423, 424, 425, 428, 429, 430, 433, 436, 437, 438, 439, 440),
    *(469, 470, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489, 491, 493, 494),
    *(500, 501, 502, 503, 505, 513, 555, 580),
    *(600, 603, 604, 606, 607, 608),
)
"""Final statuses of the SIP Parameters registry (RFC 3261, 21, and those that came later) by which a trunk refuses."""

PROOFS: Final[dict[int, Proof]] = {
    **dict.fromkeys(range(100, 300), Proof.PLACED),  # RFC 3261, 8.1.3.2: unknown ones are like 183 and 200
    **dict.fromkeys(_REFUSALS, Proof.NOT_PLACED),
    REQUEST_TIMEOUT: Proof.AMBIGUOUS,  # RFC 3261, 16.8: the trunk heard nothing from where the phone may ring
    SERVER_TIMEOUT: Proof.AMBIGUOUS,
}
"""What a status proves that is the first answer to an INVITE, but for a 100."""

PASSING: Final = frozenset({500, 502, 503})
"""Refusals for trouble of the trunk's own, that may be over soon; others last until something is set right."""

_Q850: Final = re.compile(r"Q\.850\s*;(?:[^,\"]|\"[^\"]*\")*?cause\s*=\s*([0-9]{1,3})(?![0-9])", re.IGNORECASE)


def proof_of(code: int, *, local: bool) -> Proof:
    """
    Tell what the first answer to an INVITE proves.

    Args:
        local: Whether the status was made up here, for want of any from the trunk, after something was sent.
    """
    return Proof.AMBIGUOUS if local else PROOFS.get(code, Proof.AMBIGUOUS)


def disposition_of(*, code: int, q850: int | None, rang: bool, local: bool) -> Disposition:
    """
    Tell how an attempt came out that ended with a final status other than 2xx.

    Args:
        code: The SIP status.

        q850: Cause of the response's `Reason` header; more precise than the status, as gateways map many to one.

        rang: Whether a 180 to 189 came before. A callee who was rung until the trunk gave up did not answer.

        local: Whether the status was made up here, for want of any from the trunk.
    """
    if local:
        return Disposition.CARRIER_ERROR
    if q850 in CAUSES:
        return CAUSES[q850]
    if code == REQUEST_TIMEOUT and rang:
        return Disposition.NO_ANSWER
    return STATUSES.get(code, Disposition.CARRIER_ERROR)


def q850_cause(reasons: Iterable[str]) -> int | None:
    """
    Find the Q.850 cause in the values of `Reason` headers (RFC 3326); any text is safe.
    """
    for reason in reasons:
        found = _Q850.search(reason)
        if found is not None:
            return int(found[1])
    return None
