"""
Handing in requests for a decision.
"""

from typing import Protocol

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Decision, Refused
from outdial.domain.model.principal import Credential
from outdial.domain.model.rate_limit import Window


class Intake(Protocol):
    """
    The front of acceptance: gathers requests, gives each its decision.
    """

    async def submit(
        self,
        credential: Credential,
        content: CallFields | Refused,
        *,
        idempotency_key: str | None = None,
        window: Window | None = None,
        trace_parent: str | None = None,
    ) -> Decision:
        """
        Return the decision on one request, after it was committed.

        Args:
            idempotency_key: Names the request, so that asking again is answered again; see `read_idempotency_key`.

            window: What the key's requests per minute say about it; `None` where nobody counts.

            trace_parent: Its place in its trace; `None` when nobody traces.

        Raises:
            IntakeFullError: Too many wait already.

            StorageError: Nothing was accepted.
        """
