"""
Webhooks: kept by account, changed and forgotten.
"""

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.webhook import DisabledReason, EventType, Webhook
from outdial.domain.model.webhook_signature import Secret
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage import records
from tests.contract.storage.database import OPENERS, Database, fresh, furnish, furnish_other
from tests.contract.storage.mail import answer, begin_call, events, hang_up, later, mail, subscribe, taken, tell

secrets = st.text(st.characters(codec="ascii", exclude_characters="\x00"), min_size=1).map(Secret.of)
webhooks = st.builds(
    Webhook,
    id=records.numbers,
    account_id=st.just(builders.ACCOUNT_ID),
    url=records.texts,
    events=st.frozensets(st.sampled_from(EventType), min_size=1),
    description=records.texts,
    secret=secrets,
    previous_secret=st.none() | secrets,
    previous_secret_expires_at=st.none() | records.times,
    disabled_reason=st.none() | st.sampled_from(DisabledReason),
    created_at=records.times,
)


@pytest.mark.parametrize("name", OPENERS)
@given(first=webhooks, changed=webhooks)
def test_a_webhook_comes_back_equal(name: str, first: Webhook, changed: Webhook) -> None:
    """
    Any webhook, and any change of it; when it was made never changes.
    """
    changed = attrs.evolve(changed, id=first.id, created_at=first.created_at)
    with fresh(name) as database:
        database.transact(furnish)
        subscribe(database, first)
        stored = database.read(lambda reader: reader.webhooks.webhook(1, first.id))
        database.transact(lambda transaction: transaction.webhooks.update(changed))

        found = database.read(lambda reader: reader.webhooks.of_account(1))

    assert first == stored
    assert (changed,) == found


def test_webhooks_are_numbered_and_listed_by_account(database: Database) -> None:
    """
    Numbers are never given twice, and another account's webhooks are like none.
    """
    database.transact(furnish_other)
    first = subscribe(database, builders.webhook(), builders.webhook(id=5), builders.webhook(id=40, account_id=2))

    numbers = [database.transact(lambda transaction: transaction.webhooks.next_id()) for _ in range(2)]

    assert [41, 42] == numbers
    listed = database.read(lambda reader: reader.webhooks.of_account(1))
    assert [5, first.id] == [webhook.id for webhook in listed]
    assert database.read(lambda reader: reader.webhooks.webhook(2, first.id)) is None
    assert () == database.read(lambda reader: reader.webhooks.of_account(99))


def test_the_first_webhook_has_the_number_one(database: Database) -> None:
    """
    Also where none was ever stored.
    """
    assert 1 == database.transact(lambda transaction: transaction.webhooks.next_id())


def test_a_taken_row_and_a_missing_account_are_conflicts(database: Database) -> None:
    """
    Nothing is overwritten, and nobody owns nothing.
    """
    subscribe(database)

    for webhook in (builders.webhook(description="Other"), builders.webhook(id=7, account_id=9)):
        with pytest.raises(StorageConflictError):
            subscribe(database, webhook)

    assert (builders.webhook(),) == database.read(lambda reader: reader.webhooks.of_account(1))


@pytest.mark.parametrize("changes", [{"id": 7}, {"account_id": 2}])
def test_what_is_not_there_can_not_be_changed(database: Database, changes: dict[str, int]) -> None:
    """
    Another account's webhook is like none.
    """
    database.transact(furnish_other)
    subscribe(database)

    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.webhooks.update(builders.webhook(**changes)))


def test_a_webhook_is_forgotten_with_all_that_was_on_its_way(database: Database) -> None:
    """
    What others get is not touched; another account can't forget it.
    """
    database.transact(furnish_other)
    gone = subscribe(database, builders.webhook(), builders.webhook(id=32))
    kept = builders.webhook(id=32)
    call = answer(database, begin_call(database))
    (sending,) = taken(database, gone, at=later(6))
    tell(database, sending, at=later(7))

    def remove(transaction: Transaction) -> None:
        transaction.webhooks.remove(builders.webhook(id=kept.id, account_id=2))
        transaction.webhooks.remove(gone)

    database.transact(remove)
    hang_up(database, call)

    assert (kept,) == database.read(lambda reader: reader.webhooks.of_account(1))
    assert () == database.read(mail(gone))
    assert {} == dict(database.read(lambda reader: reader.webhooks.outbox.tries(gone, [1])))
    assert 2 == len(events(database, kept))
