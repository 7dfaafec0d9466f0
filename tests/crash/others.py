"""
What others do to calls while the service is stopped: list their numbers, cancel them, or end them.
"""

import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import attrs

import outdial
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import PAST_NO_RETURN
from outdial.domain.service.progress import close
from outdial.entrypoints import composition
from outdial.ports.errors import StorageError
from outdial.ports.storage import Transaction
from tests.crash.witnesses import TERMINAL, Answers, asking

CALLS_MAX: Final = 1000


@attrs.frozen(kw_only=True)
class Others:
    """
    Another process at the same database.
    """

    database: str
    account_id: int
    callees: tuple[str, ...]
    answers: Answers

    async def list_numbers(self) -> None:
        """
        Put all callees on the account's Do-Not-Call list.
        """
        async with outdial.open(self._settings, dials=False) as dialer:
            for callee in self.callees:
                await dialer.administration.dnc.add(self.account_id, callee)
                self.answers.listed.setdefault(callee, _now())

    async def cancel(self) -> None:
        """
        Cancel all calls that there are.
        """
        async with outdial.open(self._settings, dials=False) as dialer:
            for call_id in self._calls("true"):
                await dialer.hang_up(call_id)
                self.answers.ended.setdefault(call_id, _now())

    async def end(self) -> None:
        """
        End all calls that may ring, as a process does that hears nothing of them.
        """
        storage = composition.storage(self._settings)
        await storage.start()
        try:
            await storage.transact(_end_all)
        finally:
            await storage.stop()
        for call_id in self._calls(f"state in {TERMINAL}"):
            self.answers.ended.setdefault(call_id, _now())

    @property
    def _settings(self) -> outdial.Settings:
        return outdial.Settings(database=self.database)

    def _calls(self, condition: str) -> list[str]:
        with asking(self.database) as ask:
            return [f"call_{number}_{token}" for number, token in ask(f"select id, token from calls where {condition}")]


Deed = Callable[[Others], Awaitable[None]]


def _as_far_as_possible(deed: Deed) -> Deed:
    async def done(others: Others) -> None:
        with suppress(StorageError):  # the service may hold a lock while it sleeps
            await deed(others)

    return done


DEEDS: Final[dict[str, Deed]] = {
    "list": _as_far_as_possible(Others.list_numbers),
    "cancel": _as_far_as_possible(Others.cancel),
    "end": _as_far_as_possible(Others.end),
}


def _end_all(transaction: Transaction) -> None:
    at = datetime.now(UTC)  # noqa: TID251 - others have clocks of their own
    for call in transaction.calls.in_states(PAST_NO_RETURN, CALLS_MAX):
        close(transaction, call, at=at, disposition=Disposition.OUTCOME_UNKNOWN)


def _now() -> float:
    return time.time_ns() / 1e9
