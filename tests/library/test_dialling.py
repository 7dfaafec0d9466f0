"""
outdial inside a process: asking for calls, following them, and being refused.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import outdial
from outdial.domain.model.call import Call
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.reason import Reason
from outdial.domain.rules.ladder import RULES
from outdial.domain.rules.preview import Judgement, Preview
from outdial.ports.errors import UnknownRecordError
from tests import builders
from tests.library.setting_up import BUSY, CALLEE, Clinic, opened

UNKNOWN_KEY = builders.key_text(999, builders.secret(999))


def run(scenario: Callable[[Clinic], Coroutine[Any, Any, None]], *, dials: bool = False, **changes: Any) -> None:
    """
    Run a scenario on a database of its own, in memory.
    """

    async def main() -> None:
        async with opened(dials=dials, **changes) as clinic:
            await scenario(clinic)

    asyncio.run(main())


async def dialled(clinic: Clinic, number: str = CALLEE) -> Call:
    """
    Return a call that was accepted.
    """
    decision = await clinic.dialer.dial(number, clinic.agent_id)
    assert isinstance(decision, Accepted)
    return decision.call


def test_operator_dials_without_a_key() -> None:
    """
    Whoever opened outdial acts for the agent's own account.
    """

    async def scenario(clinic: Clinic) -> None:
        call = await dialled(clinic)

        assert (clinic.account_id, None, outdial.Status.QUEUED) == (call.account_id, call.key_id, call.status)

    run(scenario)


def test_key_may_be_given_for_one_call() -> None:
    """
    A call made with a key is that key's.
    """

    async def scenario(clinic: Clinic) -> None:
        decision = await clinic.dialer.dial(CALLEE, clinic.agent_id, api_key=clinic.key)

        assert isinstance(decision, Accepted)
        assert decision.call.key_id is not None

    run(scenario)


def test_key_may_be_given_for_all_calls() -> None:
    """
    Opened with a key, outdial acts for it; another one given for a call comes first.
    """

    async def scenario(clinic: Clinic) -> None:
        assert Refused(reason=Reason.INVALID_KEY) == await clinic.dialer.dial(CALLEE, clinic.agent_id)
        assert Refused(reason=Reason.INVALID_KEY) == await clinic.dialer.call(1)
        assert isinstance(await clinic.dialer.dial(CALLEE, clinic.agent_id, api_key=clinic.key), Accepted)

    run(scenario, api_key=UNKNOWN_KEY)


def test_empty_key_is_no_operator() -> None:
    """
    A variable that was not set does not turn a client into the operator.
    """

    async def scenario(clinic: Clinic) -> None:
        decision = await clinic.dialer.dial(CALLEE, clinic.agent_id, api_key="")

        assert Refused(reason=Reason.AUTHENTICATION_REQUIRED) == decision

    run(scenario)


@pytest.mark.parametrize(
    ("phone_number", "agent_id", "reason"),
    [
        ("", 1, Reason.MISSING_PHONE_NUMBER),
        (None, 1, Reason.MISSING_PHONE_NUMBER),
        (CALLEE, None, Reason.MISSING_AGENT_ID),
        (15551234567, 1, Reason.VALIDATION_ERROR),
        (CALLEE, 1.5, Reason.VALIDATION_ERROR),
        ("911", 1, Reason.INVALID_PHONE_NUMBER),
        ("911", 9999, Reason.INVALID_PHONE_NUMBER),
        (CALLEE, 9999, Reason.AGENT_NOT_FOUND),
        (CALLEE, "assistant_nobody", Reason.AGENT_NOT_FOUND),
        ("+19002345678", 1, Reason.DESTINATION_NOT_ALLOWED),
    ],
)
@pytest.mark.parametrize("with_key", [False, True], ids=["operator", "key"])
def test_refusal_is_a_value_and_the_same_for_operator_and_key(
    phone_number: object,
    agent_id: object,
    reason: Reason,
    with_key: bool,  # noqa: FBT001
) -> None:
    """
    What is wrong with a request is returned, never raised, and told in the ladder's order whoever asks.
    """

    async def scenario(clinic: Clinic) -> None:
        api_key = clinic.key if with_key else None

        decision = await clinic.dialer.dial(phone_number, agent_id, api_key=api_key)
        previewed = await clinic.dialer.preflight(phone_number, agent_id, api_key=api_key)

        assert isinstance(decision, Refused)
        assert reason is decision.reason
        assert decision == (previewed if isinstance(previewed, Refused) else previewed.objection)

    run(scenario)


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, object(), b"bytes", "\ud800", "\x00", 2**64, {"": 1}])
def test_variables_that_are_no_json_are_refused(value: object) -> None:
    """
    Python has more values than JSON; what can't be stored is a validation error.
    """

    async def scenario(clinic: Clinic) -> None:
        decision = await clinic.dialer.dial(CALLEE, clinic.agent_id, variables={"value": value})

        assert isinstance(decision, Refused)
        assert Reason.VALIDATION_ERROR is decision.reason

    run(scenario)


def test_a_preflight_names_every_rule_and_changes_nothing() -> None:
    """
    Each rule of an acceptable call holds, and neither a call nor a hold is made.
    """

    async def scenario(clinic: Clinic) -> None:
        before = await clinic.dialer.administration.wallet(clinic.account_id)

        previewed = await clinic.dialer.preflight(CALLEE, clinic.agent_id)

        assert isinstance(previewed, Preview)
        assert [(rule.__name__, Judgement.HOLDS) for rule in RULES] == [
            (verdict.rule, verdict.judgement) for verdict in previewed.verdicts
        ]
        assert before == await clinic.dialer.administration.wallet(clinic.account_id)
        assert Refused(reason=Reason.NOT_FOUND) == await clinic.dialer.call(1)

    run(scenario)


def test_a_preflight_goes_on_behind_the_first_refusal() -> None:
    """
    Whatever else stands against the call is told at once.
    """

    async def scenario(clinic: Clinic) -> None:
        await clinic.dialer.administration.dnc.add(clinic.account_id, CALLEE)

        previewed = await clinic.dialer.preflight(CALLEE, clinic.agent_id, api_key=clinic.key)

        assert isinstance(previewed, Preview)
        verdicts = {verdict.rule: verdict for verdict in previewed.verdicts}
        assert Refused(reason=Reason.DO_NOT_CALL) == verdicts["callee_not_on_dnc_list"].said == previewed.objection
        assert Judgement.HOLDS is verdicts["wallet_covers_hold"].judgement

    run(scenario)


def test_operators_national_number_is_read_by_the_agents_account() -> None:
    """
    The account's default region holds for the operator too.
    """

    async def scenario(clinic: Clinic) -> None:
        administration = clinic.dialer.administration
        account = await administration.create_account("London", balance="5", default_region="GB")
        agent = await administration.create_agent(
            account.id, name="Ada", greeting="Hello.", phone_number="+442079460018"
        )

        decision = await clinic.dialer.dial("020 7946 0018", agent.id)

        assert isinstance(decision, Accepted)
        assert "+442079460018" == decision.call.phone_number.e164

    run(scenario)


@pytest.mark.parametrize("name", [999, "999", "call_999_000000000000", "nonsense", ""])
def test_operator_finds_no_call_that_does_not_exist(name: int | str) -> None:
    """
    The operator, who has no key, is not told that a key is invalid.
    """

    async def scenario(clinic: Clinic) -> None:
        assert Refused(reason=Reason.NOT_FOUND) == await clinic.dialer.call(name)

    run(scenario)


def test_call_is_found_by_row_and_by_its_public_id() -> None:
    """
    Both names lead to the call, for the operator and for its account's key.
    """

    async def scenario(clinic: Clinic) -> None:
        call = await dialled(clinic)

        views = [await clinic.dialer.call(name) for name in (call.id, str(call.id), call.call_id)]
        views.append(await clinic.dialer.call(call.id, api_key=clinic.key))

        assert [outdial.CallView(call=call, contact=None)] * 4 == views

    run(scenario)


@pytest.mark.parametrize("with_key", [True, False])
def test_a_queued_call_is_hung_up(*, with_key: bool) -> None:
    """
    By its account's key or by the operator, under either name, as often as one likes.
    """

    async def scenario(clinic: Clinic) -> None:
        call = await dialled(clinic)
        key = clinic.key if with_key else None

        views = [await clinic.dialer.hang_up(name, api_key=key) for name in (call.id, call.call_id)]

        assert [await clinic.dialer.call(call.id)] * 2 == views
        assert isinstance(views[0], outdial.CallView)
        assert outdial.Disposition.CANCELED is views[0].call.disposition

    run(scenario)


@pytest.mark.parametrize("name", [999, "call_999_000000000000", "nonsense"])
def test_nothing_is_hung_up_that_does_not_exist(name: int | str) -> None:
    """
    The operator, who has no key, is not told that a key is invalid.
    """

    async def scenario(clinic: Clinic) -> None:
        assert Refused(reason=Reason.NOT_FOUND) == await clinic.dialer.hang_up(name)

    run(scenario)


def test_wait_returns_the_call_when_it_is_over() -> None:
    """
    The simulated callee answers, listens and is billed.
    """

    async def scenario(clinic: Clinic) -> None:
        ended = await clinic.dialer.wait(await dialled(clinic), timeout_s=10)

        assert (outdial.Status.COMPLETED, 50_000) == (ended.status, ended.charge_micros)

    run(scenario, dials=True)


def test_watch_begins_with_the_call_as_it_is_and_ends_with_its_end() -> None:
    """
    No state is yielded twice, and the last one is terminal.
    """

    async def scenario(clinic: Clinic) -> None:
        call = await dialled(clinic, BUSY)

        seen = [current async for current in clinic.dialer.watch(call, timeout_s=10)]

        states = [current.state for current in seen]
        assert len(set(states)) == len(states)
        assert seen[-1].is_terminal
        assert outdial.Disposition.BUSY is seen[-1].disposition

    run(scenario, dials=True)


def test_watching_a_call_that_is_over_yields_it_once() -> None:
    """
    There is nothing to wait for.
    """

    async def scenario(clinic: Clinic) -> None:
        ended = await clinic.dialer.wait(await dialled(clinic), timeout_s=10)

        assert [ended] == [current async for current in clinic.dialer.watch(ended, timeout_s=0)]

    run(scenario, dials=True)


def test_wait_gives_up_in_time() -> None:
    """
    A call that nobody dials is never over.
    """

    async def scenario(clinic: Clinic) -> None:
        call = await dialled(clinic)

        with pytest.raises(TimeoutError):
            await clinic.dialer.wait(call, timeout_s=0.01)

    run(scenario)


def test_time_out_of_a_watch_does_not_interrupt_the_watcher() -> None:
    """
    Whoever takes long over one state finishes that, and hears of the time-out when asking for the next.
    """

    async def scenario(clinic: Clinic) -> None:
        call = await dialled(clinic)
        finished = []

        async def watch_slowly() -> None:
            async for current in clinic.dialer.watch(call, timeout_s=0.01):
                await asyncio.sleep(0.05)
                finished.append(current)

        with pytest.raises(TimeoutError):
            await watch_slowly()

        assert [call] == finished

    run(scenario)


def test_unknown_call_can_not_be_watched() -> None:
    """
    A call of another database is none, even if a call here has its row.
    """

    async def scenario(clinic: Clinic) -> None:
        call = await dialled(clinic)

        for foreign in (builders.call(id=999), builders.call(id=call.id)):
            with pytest.raises(UnknownRecordError):
                await clinic.dialer.wait(foreign, timeout_s=1)

    run(scenario)
