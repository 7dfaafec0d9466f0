"""
How a call came out: one closed set for attempts and for the `ended_reason` of the wire.
"""

from enum import StrEnum
from typing import Final

import attrs


class Disposition(StrEnum):
    """
    The final outcome of an attempt and of its call.
    """

    HANG_UP_CALLEE = "hang_up_callee"
    HANG_UP_AGENT = "hang_up_agent"
    TIME_LIMIT = "time_limit"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    INVALID_NUMBER = "invalid_number"
    DISCONNECTED = "disconnected"
    CANCELED = "canceled"
    DO_NOT_CALL = "do_not_call"
    INSUFFICIENT_FUNDS = "insufficient_funds"
    CARRIER_ERROR = "carrier_error"
    EXPIRED = "expired"
    OUTCOME_UNKNOWN = "outcome_unknown"


WORDS_LENGTH_MAX: Final = 200


def _readable(words: str) -> str:
    """
    Return the beginning of words from the network without what can't be shown.

    Databases refuse a NUL, UTF-8 a lone surrogate, and a terminal obeys control characters.
    """
    return "".join(letter if letter.isprintable() else " " for letter in words[:WORDS_LENGTH_MAX])


@attrs.frozen(kw_only=True)
class HangUpCause:
    """
    The network's own words for an outcome, kept beside our disposition.

    Attributes:
        code: A SIP status (100 to 699) or the vendor's number; 0 when there was none.

        words: The reason phrase, at most 200 characters, all printable.

        provisional: The 1xx statuses seen before, in order.
    """

    code: int = 0
    words: str = attrs.field(default="", converter=_readable)
    provisional: tuple[int, ...] = ()

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code or ""), self.words) if part)
