"""
The log of a call: one immutable row for each state it reached.
"""

from datetime import datetime

import attrs

from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State


@attrs.frozen(kw_only=True)
class CallRecord:
    """
    A call reached a state.

    Attributes:
        number: Strictly increases over the database.

        at: When, in UTC.
    """

    number: int
    call_id: int
    account_id: int
    state: State
    disposition: Disposition | None
    at: datetime
