"""
Group commit: who waits together is decided together, in the order of arrival, and fails together or alone.
"""

import asyncio
from typing import Final

import pytest

from outdial.adapters.batching import intake as batching
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.principal import PresentedKey
from outdial.domain.model.reason import Reason
from outdial.ports.errors import IntakeFullError, StorageConflictError, StorageError
from tests import builders
from tests.batching.front import CREDENTIAL, Front, run
from tests.entrypoints.clinic import LISTED, calls_of

WITHOUT_NUMBER: Final = Refused(reason=Reason.MISSING_PHONE_NUMBER)


class CountedError(StorageError):
    """
    An error that can't be made from its message alone, nor be copied.
    """

    def __init__(self, *, tries: int) -> None:
        super().__init__(f"It was tried {tries} times.")
        self.tries = tries


def test_requests_of_one_moment_share_one_commit() -> None:
    """
    Fifty clients at once cost one transaction, not fifty.
    """

    async def scenario(front: Front) -> None:
        decisions = await asyncio.gather(*[front.ask() for _ in range(50)])

        assert [50] == [len(batch) for batch in front.storage.batches]
        assert 50 == len(decisions)

    run(scenario)


def test_requests_wait_while_a_batch_commits_and_go_together() -> None:
    """
    One batch is in flight; whoever comes meanwhile is the next one.
    """

    async def scenario(front: Front) -> None:
        first = await front.hold_first_batch()
        others = [front.ask() for _ in range(20)]
        await asyncio.sleep(0)
        front.storage.let_go.set()

        await asyncio.gather(first, *others)

        assert [1, 20] == [len(batch) for batch in front.storage.batches]

    run(scenario)


def test_long_queue_is_committed_in_batches_of_bounded_length() -> None:
    """
    Nobody waits for more than a full batch beside the one in flight.
    """

    async def scenario(front: Front) -> None:
        await asyncio.gather(*[front.ask() for _ in range(600)])

        assert [256, 256, 88] == [len(batch) for batch in front.storage.batches]

    run(scenario)


def test_order_of_arrival_is_kept() -> None:
    """
    Who came first gets the lower row, within a batch and over batches, and each gets its own answer.
    """

    async def scenario(front: Front) -> None:
        numbers = [f"+1555{number:07d}" for number in range(300)]

        decisions = await asyncio.gather(*[front.ask(number) for number in numbers])

        asked = [request.content for batch in front.storage.batches for request in batch]
        assert [builders.fields(phone_number=number) for number in numbers] == asked
        accepted = [decision.call for decision in decisions if isinstance(decision, Accepted)]
        assert sorted(call.id for call in accepted) == [call.id for call in accepted]
        assert numbers[: len(accepted)] == [call.phone_number.e164 for call in accepted]

    run(scenario)


def test_batch_does_not_spend_money_twice() -> None:
    """
    Together the calls of one moment hold no more than there is.
    """

    async def scenario(front: Front) -> None:
        decisions = await asyncio.gather(*[front.ask() for _ in range(100)])

        holds = [decision.hold.micros for decision in decisions if isinstance(decision, Accepted)]
        wallet = await front.storage.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))
        assert wallet is not None
        assert sum(holds) == wallet.held_micros <= wallet.balance_micros
        assert len(holds) < len(decisions)

    run(scenario)


def test_decision_is_returned_after_the_commit() -> None:
    """
    Nobody hears of a call that is not in the database.
    """

    async def scenario(front: Front) -> None:
        first = await front.hold_first_batch()
        await asyncio.sleep(0)
        is_early = first.done()
        front.storage.let_go.set()

        decision = await first

        assert isinstance(decision, Accepted)
        reference = CallReference(number=decision.call.id)
        assert not is_early
        assert decision.call == await front.storage.read(lambda reader: reader.calls.call_of_any_account(reference))

    run(scenario)


def test_accepted_calls_are_told_of_once_a_batch_and_after_the_commit() -> None:
    """
    The dialler is woken when there is something for it in the database, and not before.
    """

    async def scenario(front: Front) -> None:
        await asyncio.gather(front.ask(), front.ask(LISTED), front.ask())

        assert [2] == front.accepted

    run(scenario)


def test_refusals_wake_nobody() -> None:
    """
    A batch without an accepted call is not told of.
    """

    async def scenario(front: Front) -> None:
        decision = await front.ask(LISTED)

        assert Refused(reason=Reason.DO_NOT_CALL) == decision
        assert [] == front.accepted

    run(scenario)


def test_unreadable_content_is_decided_by_the_ladder() -> None:
    """
    What could not be read waits its turn, so that a stranger hears of the key first.
    """

    async def scenario(front: Front) -> None:
        known = await front.intake.submit(CREDENTIAL, WITHOUT_NUMBER)
        stranger = await front.intake.submit(PresentedKey(text=None), WITHOUT_NUMBER)

        assert WITHOUT_NUMBER == known
        assert Refused(reason=Reason.AUTHENTICATION_REQUIRED) == stranger

    run(scenario)


@pytest.mark.parametrize(
    ("error", "heard"),
    [
        (StorageError("The disk is full."), StorageError),
        (StorageConflictError("Another transaction won."), StorageConflictError),
        (CountedError(tries=3), StorageError),
        (ZeroDivisionError(), RuntimeError),
    ],
)
def test_failing_batch_fails_only_its_own(error: Exception, heard: type[Exception]) -> None:
    """
    Everybody in a batch hears of its failure, and the next one is committed as if nothing had been.
    """

    async def scenario(front: Front) -> None:
        front.storage.errors[0] = error
        failing = await front.hold_first_batch()
        next_batch = [front.ask(), front.ask()]
        await asyncio.sleep(0)
        front.storage.let_go.set()

        outcomes = await asyncio.gather(failing, *next_batch, return_exceptions=True)

        assert [heard, Accepted, Accepted] == [type(outcome) for outcome in outcomes]

    run(scenario)


def test_everybody_in_a_failing_batch_hears_of_it() -> None:
    """
    No client of a batch that failed is left waiting.
    """

    async def scenario(front: Front) -> None:
        error = front.storage.errors[0] = StorageError("The disk is full.")

        outcomes = await asyncio.gather(*[front.ask() for _ in range(10)], return_exceptions=True)

        assert [(StorageError, "The disk is full.", error)] * 10 == [
            (type(outcome), str(outcome), outcome.__cause__) for outcome in outcomes if isinstance(outcome, Exception)
        ]
        assert () == await front.storage.read(calls_of)

    run(scenario)


def test_error_keeps_what_it_knows() -> None:
    """
    What was noted on an error reaches everybody who waits.
    """

    async def scenario(front: Front) -> None:
        error = front.storage.errors[0] = StorageConflictError("Another transaction won.")
        error.add_note("It was the third time.")

        (outcome,) = await asyncio.gather(front.ask(), return_exceptions=True)

        assert isinstance(outcome, StorageConflictError)
        assert ["It was the third time."] == outcome.__notes__

    run(scenario)


def test_storage_that_loses_a_decision_fails_the_whole_batch() -> None:
    """
    Nobody waits for ever for an answer that is not among them, and nobody gets another one's.
    """

    async def scenario(front: Front) -> None:
        front.storage.lost = 1

        outcomes = await asyncio.gather(*[front.ask() for _ in range(3)], return_exceptions=True)

        assert [RuntimeError] * 3 == [type(outcome) for outcome in outcomes]

    run(scenario)


def test_each_who_waits_raises_an_error_of_its_own() -> None:
    """
    A shared error would gather the traceback of each who raises it: as many frames as clients, in every log line.
    """

    async def scenario(front: Front) -> None:
        front.storage.errors[0] = ZeroDivisionError()

        outcomes = await asyncio.gather(*[front.ask() for _ in range(10)], return_exceptions=True)

        assert 10 == len({id(outcome) for outcome in outcomes})

    run(scenario)


def test_log_of_a_defect_holds_nothing_that_clients_sent(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Even where a log shows the local variables of tracebacks, numbers and variables are not in it.
    """

    async def scenario(front: Front) -> None:
        front.storage.errors[0] = ZeroDivisionError()

        await asyncio.gather(front.ask(), return_exceptions=True)

    run(scenario)

    logged = capsys.readouterr().out
    assert "accept_failed" in logged
    assert builders.CALLEE.digits not in logged


def test_client_that_leaves_harms_nobody_else() -> None:
    """
    Cancelling one waiter, in flight or in the queue, leaves the others their answers.
    """

    async def scenario(front: Front) -> None:
        in_flight = await front.hold_first_batch()
        queued = [front.ask() for _ in range(3)]
        await asyncio.sleep(0)
        in_flight.cancel()
        queued[1].cancel()
        front.storage.let_go.set()

        outcomes = await asyncio.gather(in_flight, *queued, return_exceptions=True)

        assert [asyncio.CancelledError, Accepted, asyncio.CancelledError, Accepted] == [
            type(outcome) for outcome in outcomes
        ]

    run(scenario)


def test_client_that_leaves_a_failing_batch_harms_nobody_else() -> None:
    """
    The others of the batch hear of its failure all the same, and the next batch is committed.
    """

    async def scenario(front: Front) -> None:
        front.storage.errors[1] = StorageError("The disk is full.")
        first = await front.hold_first_batch()
        queued = [front.ask() for _ in range(3)]
        await asyncio.sleep(0)
        queued[0].cancel()
        front.storage.let_go.set()

        outcomes = await asyncio.gather(first, *queued, return_exceptions=True)

        assert [Accepted, asyncio.CancelledError, StorageError, StorageError] == [type(outcome) for outcome in outcomes]
        assert isinstance(await front.ask(), Accepted)

    run(scenario)


def test_full_queue_refuses_at_once_and_recovers(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Over the cap a request is not looked at; those who wait keep their places, and there is room again afterwards.
    """
    monkeypatch.setattr(batching, "QUEUE_LENGTH_MAX", 2)

    async def scenario(front: Front) -> None:
        first = await front.hold_first_batch()
        waiting = [front.ask(), front.ask()]
        await asyncio.sleep(0)

        with pytest.raises(IntakeFullError):
            await front.intake.submit(CREDENTIAL, builders.fields())

        front.storage.let_go.set()
        decisions = [*await asyncio.gather(first, *waiting), await front.ask()]
        assert [Accepted] * 4 == [type(decision) for decision in decisions]

    run(scenario)


def test_cap_is_about_a_second_of_work() -> None:
    """
    The queue is bounded, by some full batches.
    """
    assert 4096 == batching.QUEUE_LENGTH_MAX
    assert 256 == batching.BATCH_LENGTH_MAX


def test_token_of_each_request_is_its_own() -> None:
    """
    No two calls of a batch share the random part of their public ids.
    """

    async def scenario(front: Front) -> None:
        await asyncio.gather(*[front.ask() for _ in range(50)])

        assert 50 == len({request.token for batch in front.storage.batches for request in batch})

    run(scenario)
