"""
Setting up: what was written down is there, and what can't be used is said in a sentence.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import attrs
import pytest

import outdial
from outdial.domain.model.decision import Refused
from outdial.domain.model.reason import Reason
from outdial.entrypoints.administration import Administration
from outdial.entrypoints.do_not_call import Listing
from outdial.ports.errors import UnknownRecordError
from tests.library.setting_up import CALLEE, MEMORY, Clinic, in_file, opened

Work = Callable[[Administration, int], Coroutine[Any, Any, object]]

WRONG: dict[str, Work] = {
    "account without a name": lambda administration, _: administration.create_account(""),
    "currency": lambda administration, _: administration.create_account("A", currency="usd"),
    "balance": lambda administration, _: administration.create_account("A", balance="-1"),
    "default region": lambda administration, _: administration.create_account("A", default_region="XX"),
    "allowed region": lambda administration, _: administration.create_account("A", allowed_regions=["US", "XX"]),
    "kind of number": lambda administration, _: administration.create_account("A", price_caps={"cheap": "1"}),
    "price cap": lambda administration, _: administration.create_account("A", price_caps={"pager": "much"}),
    "account's name": lambda administration, _: administration.create_account("A\ud800"),
    "top-up of nothing": lambda administration, account: administration.top_up(account, "0"),
    "top-up in words": lambda administration, account: administration.top_up(account, "ten"),
    "top-up of too much": lambda administration, account: administration.top_up(account, "999999999999.999999"),
    "key without a permission": lambda administration, account: administration.create_key(account, []),
    "permission": lambda administration, account: administration.create_key(account, ["can_fly"]),
    "agent's number": lambda administration, account: administration.create_agent(
        account, name="A", greeting="Hello.", phone_number="911"
    ),
    "agent without a greeting": lambda administration, account: administration.create_agent(
        account, name="A", greeting=" "
    ),
    "greeting's braces": lambda administration, account: administration.create_agent(
        account, name="A", greeting="Hello {{first name}}."
    ),
    "greeting's text": lambda administration, account: administration.create_agent(
        account, name="A", greeting="Hello\x00."
    ),
    "agent's name": lambda administration, account: administration.create_agent(
        account, name="A\udfff", greeting="Hello."
    ),
    "runtime": lambda administration, account: administration.create_agent(
        account, name="A", greeting="Hello.", runtime="robot"
    ),
    "SIP URI": lambda administration, account: administration.create_agent(
        account, name="A", greeting="Hello.", runtime="sip_uri", sip_uri="agent@example.com"
    ),
    "listed number": lambda administration, account: administration.dnc.add(account, "nobody"),
    "reason of a listing": lambda administration, account: administration.dnc.add(
        account, CALLEE, Listing(reason="\x00")
    ),
    "name of a list": lambda administration, account: administration.dnc.add(account, CALLEE, Listing(list_name="")),
    "length of a reason": lambda administration, account: administration.dnc.add(
        account, CALLEE, Listing(reason="x" * 501)
    ),
    "prefix": lambda administration, _: administration.set_rate("one", "0.05"),
    "increment": lambda administration, _: administration.set_rate("1", "0.05", increment_s=0),
}
"""Each way to write something that can't be used."""


@pytest.mark.parametrize("work", WRONG.values(), ids=WRONG.keys())
def test_value_that_cannot_be_used_is_said_in_a_sentence(work: Work) -> None:
    """
    It is a `ValueError` with words, and no other failure, now or when a call is made.
    """

    async def main() -> None:
        async with opened(dials=False) as clinic:
            with pytest.raises(ValueError, match=r".+ .+"):
                await work(clinic.dialer.administration, clinic.account_id)

    asyncio.run(main())


UNKNOWN: dict[str, Work] = {
    "wallet": lambda administration, _: administration.wallet(999),
    "top-up": lambda administration, _: administration.top_up(999, "1"),
    "key": lambda administration, _: administration.create_key(999, ["can_initiate_calls"]),
    "revocation": lambda administration, _: administration.revoke_key(999),
    "agent": lambda administration, _: administration.create_agent(999, name="A", greeting="Hello."),
    "listing": lambda administration, _: administration.dnc.add(999, CALLEE),
    "delisting": lambda administration, _: administration.dnc.remove(999, CALLEE),
    "incidents": lambda administration, _: administration.incidents(999),
    "look-up": lambda administration, _: administration.dnc.show(999, CALLEE),
}
"""Everything that is done to a row that does not exist."""


@pytest.mark.parametrize("work", UNKNOWN.values(), ids=UNKNOWN.keys())
def test_row_that_does_not_exist_is_told(work: Work) -> None:
    """
    Nothing is made for an account or key that is not there.
    """

    async def main() -> None:
        async with opened(dials=False) as clinic:
            with pytest.raises(UnknownRecordError, match="999"):
                await work(clinic.dialer.administration, clinic.account_id)

    asyncio.run(main())


def run(scenario: Callable[[Clinic], Coroutine[Any, Any, None]]) -> None:
    """
    Run a scenario on a database of its own, in memory.
    """

    async def main() -> None:
        async with opened(MEMORY, dials=False) as clinic:
            await scenario(clinic)

    asyncio.run(main())


def test_listed_number_is_not_dialled_until_it_is_delisted() -> None:
    """
    The list holds from the moment it is written, in any spelling of the number.
    """

    async def scenario(clinic: Clinic) -> None:
        administration = clinic.dialer.administration
        await administration.dnc.add(clinic.account_id, "+1 555 123-4567", Listing(reason="asked"))
        refused = await clinic.dialer.dial(CALLEE, clinic.agent_id)
        (listed,) = await administration.dnc.show(clinic.account_id, CALLEE)
        was_listed = [await administration.dnc.remove(clinic.account_id, CALLEE) for _ in range(2)]

        accepted = await clinic.dialer.dial(CALLEE, clinic.agent_id)

        assert Refused(reason=Reason.DO_NOT_CALL) == refused
        assert ("asked", True) == (listed.entry.reason, listed.is_live)
        assert [True, False] == was_listed
        assert isinstance(accepted, outdial.Accepted)

    run(scenario)


def test_numbers_are_those_of_the_accounts_region() -> None:
    """
    Agents and lists take a number as the account's people write it.
    """

    async def scenario(clinic: Clinic) -> None:
        administration = clinic.dialer.administration
        account = await administration.create_account("London", default_region="GB")

        agent = await administration.create_agent(account.id, name="A", greeting="Hello.", phone_number="020 7946 0018")
        listed = (await administration.dnc.add(account.id, "020 7946 0018")).phone_number

        assert agent.phone_number == listed
        assert "+442079460018" == listed.e164

    run(scenario)


def test_rate_is_the_price_of_its_prefix() -> None:
    """
    The hold of a call follows the rate that was set.
    """

    async def scenario(clinic: Clinic) -> None:
        await clinic.dialer.administration.set_rate("+1555", "0.60", increment_s=6)

        decision = await clinic.dialer.dial(CALLEE, clinic.agent_id)

        assert isinstance(decision, outdial.Accepted)
        assert (600_000, 6) == (decision.call.rate.per_minute_micros, decision.call.rate.increment_s)

    run(scenario)


def test_key_is_shown_once_and_works_until_it_is_revoked() -> None:
    """
    The stored key holds no secret; revoking it again changes nothing.
    """

    async def scenario(clinic: Clinic) -> None:
        administration = clinic.dialer.administration
        key, text = await administration.create_key(clinic.account_id, ["can_initiate_calls"])
        accepted = await clinic.dialer.dial(CALLEE, clinic.agent_id, api_key=text)
        first = await administration.revoke_key(key.id)

        again = await administration.revoke_key(key.id)

        assert isinstance(accepted, outdial.Accepted)
        assert text.rpartition("_")[2][:20] not in repr(key)
        assert first == again
        assert Refused(reason=Reason.INVALID_KEY) == await clinic.dialer.dial(CALLEE, clinic.agent_id, api_key=text)

    run(scenario)


def test_contacts_fields_fill_the_greeting() -> None:
    """
    A call to a contact speaks its name.
    """

    async def scenario(clinic: Clinic) -> None:
        administration = clinic.dialer.administration
        agent = await administration.create_agent(
            clinic.account_id, name="A", greeting="Hello {{first_name}} of {{company}}.", phone_number="+15555550100"
        )
        client = clinic.dialer.client(account_id=clinic.account_id)
        view = await client.contacts.create(outdial.NewContactBody(first_name="Ann", company="Example"))
        assert isinstance(view, outdial.ContactView)

        decision = await clinic.dialer.dial(CALLEE, agent.id, contact_id=view.contact.id)

        assert isinstance(decision, outdial.Accepted)
        assert "Hello Ann of Example." == decision.call.script.greeting

    run(scenario)


def test_premium_number_is_dialled_up_to_its_cap() -> None:
    """
    An account that allows a kind with a price cap may call it, but at no higher price.
    """

    async def scenario(clinic: Clinic) -> None:
        administration = clinic.dialer.administration
        account = await administration.create_account("B", balance="100", price_caps={"premium_rate": "2.00"})
        agent = await administration.create_agent(account.id, name="A", greeting="Hello.", phone_number="+15555550100")
        decisions = []
        for price in ("2.00", "2.01"):
            await administration.set_rate("1900", price)

            decisions.append(await clinic.dialer.dial("+19002345678", agent.id))

        assert isinstance(decisions[0], outdial.Accepted)
        assert Refused(reason=Reason.DESTINATION_NOT_ALLOWED) == decisions[1]

    run(scenario)


def test_operators_audit_and_back_up_while_others_go_on(tmp_path: Path) -> None:
    """
    As the commands do; the backup is as sound as the database is.
    """
    settings, target = in_file(tmp_path), tmp_path / "backup.db"

    async def main() -> list[outdial.Audited]:
        async with opened(settings) as clinic:
            decision = await clinic.dialer.dial(CALLEE, clinic.agent_id)
            assert isinstance(decision, outdial.Accepted)
            await clinic.dialer.wait(decision.call, timeout_s=10)
            unknown = await clinic.dialer.client(api_key=clinic.key).calls.list(outdial.CallsQuery(status="unknown"))
            assert not isinstance(unknown, Refused)
            assert () == unknown.records
            assert 1 == (await asyncio.to_thread(outdial.back_up, settings, target))["calls"]
            copied = attrs.evolve(settings, database=f"sqlite:///{target}")
            return [await asyncio.to_thread(outdial.audit, each) for each in (settings, copied)]

    audits = asyncio.run(main())

    assert [None, None] == [audited.finding for audited in audits]
    assert [1, 1] == [audited.rows["calls"] for audited in audits]
