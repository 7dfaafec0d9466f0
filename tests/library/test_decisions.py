"""
outdial inside a process: why calls were accepted and refused, and for how long that is kept.
"""

import asyncio
from pathlib import Path

import outdial
from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.rules.ladder import decide_all
from outdial.domain.service.decisions import RefusalsPage
from tests import builders
from tests.contract.storage.database import furnish
from tests.library.setting_up import CALLEE, in_file, opened


async def _refusals(dialer: outdial.Dialer, account_id: int = builders.ACCOUNT_ID) -> tuple[outdial.Refusal, ...]:
    page = await dialer.client(account_id=account_id).calls.refusals()
    assert isinstance(page, RefusalsPage)
    return page.refusals


def test_why_a_call_was_accepted_and_another_refused_can_be_read() -> None:
    """
    A call's decision by its row or public id; refusals by a client of the account.
    """

    async def main() -> None:
        async with opened(dials=False) as clinic:
            accepted = await clinic.dialer.dial(CALLEE, clinic.agent_id)
            refused = await clinic.dialer.dial("911", clinic.agent_id)
            assert isinstance(accepted, outdial.Accepted)
            assert isinstance(refused, outdial.Refused)

            decided = [await clinic.dialer.decision(name) for name in (accepted.call.id, accepted.call.call_id)]
            (refusal,) = await _refusals(clinic.dialer, clinic.account_id)

            assert [outdial.DecidedCall(call=accepted.call, grounds=accepted.grounds)] * 2 == decided
            assert outdial.Refused(reason=outdial.Reason.NOT_FOUND) == await clinic.dialer.decision(99)
            assert refused.reason == refusal.reason
            assert refusal == await clinic.dialer.client(api_key=clinic.key).calls.refusal(refusal.number)

    asyncio.run(main())


def test_a_process_that_dials_forgets_old_refusals(tmp_path: Path) -> None:
    """
    One that only asks for calls leaves them where they are.
    """

    async def refuse() -> None:
        storage = SqliteStorage(tmp_path / "outdial.db")
        await storage.start()
        await storage.transact(furnish)
        request = builders.request(content=builders.fields(agent_id=999))  # at the builders' time, long ago
        await storage.accept([request], builders.policy(), decide_all)
        await storage.stop()

    async def main() -> None:
        await refuse()
        async with outdial.open(in_file(tmp_path), dials=False) as dialer:
            assert 1 == len(await _refusals(dialer))
        async with outdial.open(in_file(tmp_path)) as dialer, asyncio.timeout(10):
            while await _refusals(dialer):
                await asyncio.sleep(0.01)

    migrate(tmp_path / "outdial.db")
    asyncio.run(main())
