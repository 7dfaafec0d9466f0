"""
Places at which a process dies: around every transaction, order, answer and message of the service.

`OUTDIAL_FAILPOINT=name:nth` kills the process at the nth pass of a place, `name:nth:stop` stops it there until SIGCONT.
outdial itself knows none of this. The places are its ports, around which the service under test gets wrappers: what
is not under test holds not even a branch, and a transaction that is written next year is covered by itself.
"""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

import attrs

from outdial.ports.storage import DecideAll, Reader, Storage, Transaction
from outdial.ports.webhook_sender import WebhookSender

T = TypeVar("T")

FAILPOINT: Final = "OUTDIAL_FAILPOINT"
PASSES: Final = "OUTDIAL_FAILPOINT_PASSES"
"""Names the file that gets a line for each pass."""

NAMES_OF_NO_USE: Final = frozenset({"<locals>", "<lambda>", "work"})

NAMES: Final = {
    "LateEvidence._write": "hear_late",
    "LookUp._write": "look_up",
    "Reconciler._some": "reconcile",
    "Roll._recover_some": "recover",
}
"""Transactions whose functions alone do not tell what they are for."""

WORKS: Final = (
    "accept",
    "lease",
    "pass_no_return",
    "mark_placed",
    "mark_doubtful",
    "refuse",
    "apply_event",
    "check_answer",
    "hear_late",
    "look_up",
    "reconcile",
    "recover",
    "take",
    "keep",
    "record",
)
ESSENTIAL: Final = (
    *(f"{work}:{moment}" for work in WORKS for moment in ("before", "within", "after")),
    *(f"order:{moment}" for moment in ("before", "sent", "after")),
    *(f"{exchange}:{moment}" for exchange in ("find", "message", "answer") for moment in ("before", "after")),
)
"""What is passed when a call of each kind is asked for."""


@attrs.frozen
class Failpoints:
    """
    Counts passes, and ends the process at one of them.

    Attributes:
        wanted: `name:nth`, or `name:nth:stop`; empty for none.

        log: Gets a line for each pass.
    """

    wanted: str
    log: Path
    _passes: Counter[str] = attrs.field(factory=Counter)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    @classmethod
    def of_process(cls) -> "Failpoints":
        """
        Read what this process is to die of.
        """
        return cls(os.environ.get(FAILPOINT, ""), Path(os.environ[PASSES]))

    def reach(self, name: str) -> None:
        """
        Pass a place, or die there.
        """
        with self._lock:
            self._passes[name] += 1
            here = f"{name}:{self._passes[name]}"
            descriptor = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            os.write(descriptor, f"{here}\n".encode())
            os.close(descriptor)
        if self.wanted == here:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.wanted == f"{here}:stop":
            os.kill(os.getpid(), signal.SIGSTOP)


@attrs.frozen
class FailingStorage:
    """
    A database whose process may die before a transaction, at its end but before its commit, and after its commit.
    """

    _storage: Storage
    _failpoints: Failpoints

    async def start(self) -> None:
        """
        Open it.
        """
        await self._storage.start()

    async def stop(self) -> None:
        """
        Close it.
        """
        await self._storage.stop()

    async def accept(self, batch: Sequence[Any], policy: Any, decide_all: DecideAll) -> Sequence[Any]:
        """
        Accept calls.
        """

        def decide(*arguments: Any, **named: Any) -> Any:
            decided = decide_all(*arguments, **named)
            self._failpoints.reach("accept:within")
            return decided

        self._failpoints.reach("accept:before")
        accepted = await self._storage.accept(batch, policy, decide)
        self._failpoints.reach("accept:after")
        return accepted

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """
        Run a work.
        """
        name = name_of(work)

        def watched(transaction: Transaction) -> T:
            result = work(transaction)
            self._failpoints.reach(f"{name}:within")
            return result

        self._failpoints.reach(f"{name}:before")
        result = await self._storage.transact(watched)
        self._failpoints.reach(f"{name}:after")
        return result

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Read; whoever dies there has lost nothing that dying before would not lose.
        """
        return await self._storage.read(work)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)


@attrs.frozen
class FailingSender:
    """
    What reaches webhooks, in a process that may die before a message leaves and after it was answered.
    """

    _sender: WebhookSender
    _failpoints: Failpoints

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """
        Send a message.
        """
        self._failpoints.reach("message:before")
        status = await self._sender.send(url, headers, body)
        self._failpoints.reach("message:after")
        return status


def failing_answers(app: Any, failpoints: Failpoints) -> Any:
    """
    Return an ASGI application whose process may die before an answer to a POST leaves and once it was written.
    """

    async def answering(scope: Any, receive: Any, send: Any) -> None:
        async def watched(message: Any) -> None:
            if message["type"] == "http.response.start":
                failpoints.reach("answer:before")
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body", False):
                failpoints.reach("answer:after")

        is_counted = scope["type"] == "http" and scope["method"] == "POST"
        await app(scope, receive, watched if is_counted else send)

    return answering


def name_of(work: Any) -> str:
    """
    Return what a transaction is called: by the function that does it, or the one that holds that.
    """
    while isinstance(work, partial):
        work = work.func
    parts = [str(part) for part in work.__qualname__.split(".") if part not in NAMES_OF_NO_USE]
    return NAMES.get(".".join(parts), parts[-1].strip("_"))
