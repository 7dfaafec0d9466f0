"""
What a client may see of decisions.
"""

from functools import partial

from outdial.domain.model.decision import Refused
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal
from outdial.domain.rules.preview import Preview
from outdial.domain.service.decisions import DecidedCall, list_refusals, view_decision, view_refusal
from outdial.domain.service.preflight import preview_call
from tests import builders
from tests.contract.storage.database import Database, accepted_of, first_call

NOT_FOUND = Refused(reason=Reason.NOT_FOUND)
NO_AGENT = builders.request(content=builders.fields(agent_id=999))


def test_a_calls_decision_is_found_by_its_reference(database: Database) -> None:
    """
    Only the account's own calls have one; a name that can't be one has none.
    """
    (accepted,) = accepted_of(database.accept(builders.request()))
    other = builders.account(id=2)

    found = [
        database.read(partial(view_decision, account=account, reference=reference))
        for account, reference in (
            (builders.account(), first_call()),
            (other, first_call()),
            (builders.account(), first_call(2)),
            (builders.account(), None),
        )
    ]

    assert [DecidedCall(call=accepted.call, grounds=accepted.grounds), *[NOT_FOUND] * 3] == found


def test_refusals_are_found_one_by_one_and_in_pages(database: Database) -> None:
    """
    A page tells where the next one begins; the last one doesn't.
    """
    database.accept(*[NO_AGENT] * 3)
    account = builders.account()

    first = database.read(partial(list_refusals, account=account, reason=None, before=None, limit=2))
    last = database.read(partial(list_refusals, account=account, reason=None, before=first.following, limit=2))
    single = database.read(partial(view_refusal, account=account, number=last.refusals[0].number))

    assert (2, 1) == (len(first.refusals), len(last.refusals))
    assert (first.refusals[-1].number, None) == (first.following, last.following)
    assert isinstance(single, Refusal)
    assert last.refusals[0] == single
    for number in (None, single.number + 99):
        assert NOT_FOUND == database.read(partial(view_refusal, account=account, number=number))


def test_a_call_is_previewed_by_what_is_stored(database: Database) -> None:
    """
    The facts are those that an acceptance would find now.
    """
    previewed = database.read(partial(preview_call, request=builders.request(), policy=builders.policy()))

    assert isinstance(previewed, Preview)
    assert previewed.objection is None
