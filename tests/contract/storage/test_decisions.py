"""
What is kept of decisions: with the call in one transaction, and of refusals for a while.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

import attrs
import pytest

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.principal import Credential, Operator, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Decided, Refusal
from outdial.domain.model.wallet import OverdrawnError
from outdial.domain.rules.ladder import decide_all
from outdial.domain.rules.preview import Preview
from outdial.domain.service.preflight import preview_call
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of, everything, furnish_other
from tests.listing import list_callee

NO_AGENT = builders.request(content=builders.fields(agent_id=999))
UNREADABLE = builders.request(content=Refused(reason=Reason.INVALID_JSON))


def _refusals(reader: Reader, account_id: int = builders.ACCOUNT_ID) -> tuple[Refusal, ...]:
    return reader.decisions.refusals(account_id, reason=None, before=None, limit=100)


def _at(seconds: float, request: CallRequest = NO_AGENT) -> CallRequest:
    return attrs.evolve(request, received_at=builders.NOW + timedelta(seconds=seconds))


def test_an_accepted_call_keeps_its_grounds(database: Database) -> None:
    """
    What the acceptance rested on is read back as it was decided, each call's its own.
    """
    decisions = accepted_of(
        database.accept(builders.request(), builders.request(), policy=builders.policy(max_call_duration_s=60))
    )

    kept = [
        database.read(partial(_grounds, call_id=decision.call.id, account_id=builders.ACCOUNT_ID))
        for decision in decisions
    ]

    assert [decision.grounds for decision in decisions] == kept
    assert all(grounds is not None and grounds.is_intact for grounds in kept)
    assert kept[0] != kept[1]


def _grounds(reader: Reader, *, account_id: int, call_id: int) -> Grounds | None:
    return reader.decisions.grounds(account_id, call_id)


def test_grounds_of_others_are_none(database: Database) -> None:
    """
    Another account's call, and one that does not exist, have no grounds to show.
    """
    database.transact(furnish_other)
    (decision,) = accepted_of(database.accept(builders.request()))

    found = [
        database.read(partial(_grounds, account_id=account_id, call_id=call_id))
        for account_id, call_id in ((2, decision.call.id), (builders.ACCOUNT_ID, 99), (builders.ACCOUNT_ID, 2**63))
    ]

    assert [None] * 3 == found


def test_a_refusal_is_kept_with_its_facts(database: Database) -> None:
    """
    Number, key, reason, agent and facts are there afterwards, newest first; what can't be read has few of them.
    """
    database.transact(list_callee)

    database.accept(builders.request(), UNREADABLE)

    unreadable, listed = database.read(_refusals)
    assert builders.refusal(number=listed.number, grounds=listed.grounds) == listed
    assert '"do_not_call":{"expires_at"' in listed.grounds.facts
    assert (Reason.INVALID_JSON, None, None, builders.KEY_ID) == (
        unreadable.reason,
        unreadable.phone_number,
        unreadable.agent_id,
        unreadable.key_id,
    )
    assert listed.number < unreadable.number
    assert listed.grounds.is_intact


def test_the_operators_refusal_has_no_key(database: Database) -> None:
    """
    The operator's requests are kept for the account that he acts for.
    """
    database.accept(attrs.evolve(NO_AGENT, credential=Operator(account_id=builders.ACCOUNT_ID)))

    (refusal,) = database.read(_refusals)
    assert refusal.key_id is None


@pytest.mark.parametrize(
    "credential",
    [
        PresentedKey(text=None),
        PresentedKey(text="nonsense"),
        PresentedKey(text=builders.key_text(secret=builders.secret(1))),
        PresentedKey(text=builders.key_text(key_id=33)),
        Operator(account_id=9),
    ],
)
def test_a_stranger_leaves_nothing(database: Database, credential: Credential) -> None:
    """
    Neither an unproved key nor a revoked one makes a row.
    """
    database.transact(
        lambda transaction: transaction.directory.add(builders.api_key(id=33, revoked_at=builders.CREATED_AT))
    )

    database.accept(attrs.evolve(NO_AGENT, credential=credential), attrs.evolve(UNREADABLE, credential=credential))

    assert () == database.read(_refusals)


def test_asking_again_leaves_nothing(database: Database) -> None:
    """
    A request that is answered again has its call's record already.
    """
    request = builders.request(idempotency_key="one")

    database.accept(request, request)
    database.accept(request)

    assert () == database.read(_refusals)
    assert 1 == len(database.read(everything)["calls"])  # type: ignore[arg-type]


def test_refusals_are_the_accounts_own(database: Database) -> None:
    """
    Another account sees neither the list nor a single one.
    """
    database.transact(furnish_other)
    database.accept(NO_AGENT, attrs.evolve(NO_AGENT, credential=PresentedKey(text=builders.key_text(key_id=22))))

    (mine,), (others,) = database.read(_refusals), database.read(partial(_refusals, account_id=2))

    assert (1, 2) == (mine.account_id, others.account_id)
    assert mine == database.read(lambda reader: reader.decisions.refusal(1, mine.number))
    assert database.read(lambda reader: reader.decisions.refusal(1, others.number)) is None
    assert database.read(lambda reader: reader.decisions.refusal(1, 2**63)) is None


def test_refusals_come_in_pages_and_by_reason(database: Database) -> None:
    """
    Newest first, before a number, those for one reason alone.
    """
    database.accept(NO_AGENT, UNREADABLE, NO_AGENT, UNREADABLE)
    newest_first = database.read(_refusals)

    def page(reader: Reader) -> tuple[Refusal, ...]:
        return reader.decisions.refusals(1, reason=None, before=newest_first[1].number, limit=1)

    def of_one_reason(reader: Reader) -> tuple[Refusal, ...]:
        return reader.decisions.refusals(1, reason=Reason.INVALID_JSON, before=newest_first[0].number, limit=5)

    assert newest_first[2:3] == database.read(page)
    assert newest_first[2:3] == database.read(of_one_reason)
    assert [Reason.INVALID_JSON, Reason.AGENT_NOT_FOUND] * 2 == [refusal.reason for refusal in newest_first]


def test_old_refusals_are_forgotten_some_at_a_time(database: Database) -> None:
    """
    No more than a few are looked at in one transaction, and none that is young enough goes.
    """
    database.accept(*[_at(seconds) for seconds in range(5)])

    def prune(transaction: Transaction) -> int:
        return transaction.decisions.prune_refusals(older_than=builders.NOW + timedelta(seconds=3), limit=2)

    assert [2, 1, 0] == [database.transact(prune) for _ in range(3)]
    assert [builders.NOW + timedelta(seconds=seconds) for seconds in (4, 3)] == [
        refusal.at for refusal in database.read(_refusals)
    ]


def test_a_forgotten_number_is_not_given_again(database: Database) -> None:
    """
    What a client has noted never names another refusal.
    """
    database.accept(NO_AGENT)
    (forgotten,) = database.read(_refusals)
    database.transact(lambda transaction: transaction.decisions.prune_refusals(older_than=_at(1).received_at, limit=10))

    database.accept(NO_AGENT)

    (later,) = database.read(_refusals)
    assert forgotten.number < later.number


def test_grounds_and_refusals_are_undone_with_the_batch(database: Database) -> None:
    """
    When a call can't be stored, nothing is kept of the decisions beside it.
    """

    def decide(requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> Sequence[Decided]:
        decided = decide_all(requests, snapshot)
        twice = [one for one in decided if isinstance(one.decision, Accepted)] * 2
        return [*decided, *twice]

    with pytest.raises((StorageConflictError, OverdrawnError)):
        database.accept(NO_AGENT, builders.request(), decide=decide)

    assert () == database.read(_refusals)
    assert database.read(partial(_grounds, account_id=1, call_id=1)) is None


def test_a_preview_sees_what_an_acceptance_decides_and_changes_nothing(database: Database) -> None:
    """
    On the same database, the preview's facts are the acceptance's; and no row is made.
    """
    policy = builders.policy()
    database.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate(per_minute_micros=70_000)))
    before = database.read(everything)

    previewed = database.read(partial(preview_call, request=builders.request(), policy=policy))

    assert before == database.read(everything)
    assert () == database.read(_refusals)
    (decision,) = accepted_of(database.accept(builders.request(), policy=policy))
    assert isinstance(previewed, Preview)
    assert decision.grounds == previewed.grounds
