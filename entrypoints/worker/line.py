"""
What all attempts of a worker share.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

import attrs

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.incident import IncidentKind, Objection
from outdial.domain.model.patience import Patience
from outdial.ports.carrier import Announce, Carrier
from outdial.ports.clock import Clock
from outdial.ports.runtime import Runtime
from outdial.ports.storage import Storage, Transaction

OnIncident = Callable[[IncidentKind, Objection], None]
"""Told that somebody was reached who should not have been, and why they should not."""


@attrs.frozen(kw_only=True)
class Line:
    """
    What every attempt needs.

    Attributes:
        apology: What is said to whoever answers a call that must not go on.

        on_late: Takes what is to be written of attempts that are not seen through any more.

        on_incident: Told that somebody was reached who should not have been.

        on_moved: Told each call that was brought into another state, and when.
    """

    storage: Storage
    carrier: Carrier
    runtimes: Mapping[RuntimeKind, Runtime]
    clock: Clock
    patience: Patience
    apology: Announce
    on_late: Callable[[Call, Callable[[Transaction], Call]], None]
    on_incident: OnIncident
    on_moved: Callable[[Call, datetime], None]
