"""
The calls that are not over, added up: what the operator watches.
"""

from datetime import datetime

import attrs

from outdial.domain.model.lifecycle import State


@attrs.frozen(kw_only=True)
class OpenCalls:
    """
    The calls of all accounts in one state and currency.

    Attributes:
        state: One that is not the last.

        count: How many there are; at least 1.

        oldest_at: When the oldest of them was accepted.

        held_micros: What is held for them.
    """

    state: State
    currency: str
    count: int
    oldest_at: datetime
    held_micros: int
