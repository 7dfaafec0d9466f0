"""
Group commit: requests wait while one batch commits, then go together.
"""

import asyncio
import copy
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final

import structlog

from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import Accepted, Decision, Refused
from outdial.domain.model.identifiers import CALL_TOKEN_LENGTH
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Credential
from outdial.domain.model.rate_limit import Window
from outdial.domain.rules.ladder import decide_all
from outdial.ports.clock import Clock
from outdial.ports.errors import IntakeFullError, StorageError
from outdial.ports.randomness import Randomness
from outdial.ports.storage import Storage

BATCH_LENGTH_MAX: Final = 256
"""Longer batches commit hardly cheaper and hold up everybody in them."""

QUEUE_LENGTH_MAX: Final = 4096
"""At a few thousand a second, about the second that a client is willing to wait."""

NOT_DECIDED: Final = "The batch was not decided."

_log = structlog.get_logger()
_Waiting = tuple[CallRequest, asyncio.Future[Decision]]


class BatchingIntake:
    """
    Gathers requests on one event loop; one batch is in flight at a time.

    It tells `on_accepted` that there are new calls, and `on_committed` how many requests a commit decided and after how
    many seconds.
    """

    def __init__(
        self,
        storage: Storage,
        policy: Policy,
        *,
        clock: Clock,
        randomness: Randomness,
        on_accepted: Callable[[], None],
        on_committed: Callable[[int, float], None] = lambda _requests, _seconds: None,
    ) -> None:
        self._storage = storage
        self._policy = policy
        self._clock = clock
        self._randomness = randomness
        self._on_accepted = on_accepted
        self._on_committed = on_committed
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None

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
            idempotency_key: Names the request, so that asking again is answered again.

            window: What the key's requests per minute say about it; `None` where nobody counts.

            trace_parent: Its place in its trace; `None` when nobody traces.

        Raises:
            IntakeFullError: Too many wait already.

            StorageError: Nothing was accepted.
        """
        if len(self._waiting) >= QUEUE_LENGTH_MAX:
            raise IntakeFullError(f"{QUEUE_LENGTH_MAX} requests wait for a decision already.")
        request = CallRequest(
            credential=credential,
            content=content,
            token=self._randomness.base62(CALL_TOKEN_LENGTH),
            received_at=self._clock.now(),
            idempotency_key=idempotency_key,
            window=window,
            trace_parent=trace_parent,
        )
        decided: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, decided))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        return await decided

    async def _commit_all(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:BATCH_LENGTH_MAX]
                del self._waiting[:BATCH_LENGTH_MAX]
                await self._commit(batch)
        finally:
            self._committing = None

    async def _commit(self, batch: Sequence[_Waiting]) -> None:
        """
        Decide one batch; whatever goes wrong reaches everybody who waits for it, and nobody else.
        """
        begun_s = perf_counter()
        try:
            decisions = await self._storage.accept([request for request, _ in batch], self._policy, decide_all)
            answers = list(zip(batch, decisions, strict=True))
        except StorageError as error:
            self._fail(batch, error)
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            # Without the traceback, whose local variables a log may show: they are what clients sent.
            _log.error("accept_failed", requests=len(batch), kind=type(error).__name__)
            self._fail(batch, error)
        else:
            self._on_committed(len(batch), perf_counter() - begun_s)
            for (_, decided), decision in answers:
                if not decided.done():
                    decided.set_result(decision)
            if any(isinstance(decision, Accepted) for decision in decisions):
                self._on_accepted()

    @staticmethod
    def _fail(batch: Sequence[_Waiting], error: Exception) -> None:
        for _, decided in batch:
            if not decided.done():
                decided.set_exception(_own(error))


def _own(error: Exception) -> Exception:
    """
    Return an error for one of many who wait: a shared one would gather the traceback of each who raises it.
    """
    own: Exception = RuntimeError(NOT_DECIDED)
    if isinstance(error, StorageError):
        try:
            own = copy.copy(error)
        except Exception:  # noqa: BLE001 - an error whose class takes other arguments; whoever waits must hear of it
            own = StorageError(NOT_DECIDED)
    own.__cause__ = error
    return own
