"""
Incidents: one for an attempt, kept for good.
"""

from functools import partial
from pathlib import Path

import attrs
import pytest
from hypothesis import given

from outdial.domain.model.incident import Incident, IncidentKind, Objection
from outdial.ports.errors import StorageError
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage import records
from tests.contract.storage.database import OPENERS, Database, Undo, accepted_of, fresh, furnish, furnish_other
from tests.copying.databases import KINDS, place


def _add(transaction: Transaction, incident: Incident) -> None:
    transaction.incidents.add(incident)


def _all(reader: Reader) -> tuple[Incident, ...]:
    return reader.incidents.of_any_account(before=None, limit=100)


def _with_calls(database: Database, count: int = 1) -> None:
    accepted_of(database.accept(*[builders.request() for _ in range(count)]))


@pytest.fixture(scope="module", params=OPENERS)
def name(request: pytest.FixtureRequest) -> str:
    """
    Each adapter's name, kept for all examples of a property.
    """
    kind: str = request.param
    return kind


@given(incident=records.incidents)
def test_an_incident_comes_back_equal(name: str, incident: Incident) -> None:
    """
    With any kind, objection, attempt and time, under the first number.
    """
    with fresh(name) as database:
        database.transact(furnish)
        database.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate()))
        _with_calls(database)
        database.transact(partial(_add, incident=incident))

        assert (attrs.evolve(incident, number=1),) == database.read(_all)


def test_an_attempt_has_one_incident(database: Database) -> None:
    """
    The first stays as it is, whoever writes the second; another attempt and another call have their own.
    """
    _with_calls(database, 2)
    first = builders.incident()
    second = builders.incident(kind=IncidentKind.LINE_CUT, objection=Objection.NOT_CHECKED)

    for incident in (first, second, attrs.evolve(first, attempt=2), attrs.evolve(first, call_id=2)):
        database.transact(partial(_add, incident=incident))

    kept = database.read(_all)
    assert [(2, 1), (1, 2), (1, 1)] == [(incident.call_id, incident.attempt) for incident in kept]
    assert attrs.evolve(first, number=kept[-1].number) == kept[-1]


def test_incidents_are_listed_by_account_and_over_all(database: Database) -> None:
    """
    Newest first, in pages before a number; an account's are its own.
    """
    database.transact(furnish_other)
    _with_calls(database, 4)
    for call_id, account_id in ((1, 1), (2, 2), (3, 1), (4, 2)):
        incident = builders.incident(call_id=call_id, account_id=account_id)
        database.transact(partial(_add, incident=incident))

    everyones = database.read(_all)
    own = database.read(lambda reader: reader.incidents.incidents(1, before=None, limit=100))
    page = database.read(lambda reader: reader.incidents.of_any_account(before=everyones[1].number, limit=1))
    own_page = database.read(lambda reader: reader.incidents.incidents(2, before=everyones[0].number, limit=9))

    assert [4, 3, 2, 1] == [incident.call_id for incident in everyones]
    assert [3, 1] == [incident.call_id for incident in own]
    assert ([2], [2]) == ([one.call_id for one in page], [one.call_id for one in own_page])
    assert () == database.read(lambda reader: reader.incidents.incidents(9, before=None, limit=9))


@pytest.mark.parametrize("changes", [{"call_id": 99}, {"account_id": 99}])
def test_an_incident_of_nobody_is_refused(database: Database, changes: dict[str, int]) -> None:
    """
    It needs an account and a call.
    """
    _with_calls(database)

    with pytest.raises(StorageError):
        database.transact(partial(_add, incident=builders.incident(**changes)))

    assert () == database.read(_all)


def test_an_incident_is_undone_with_its_transaction(database: Database) -> None:
    """
    What a work writes of a call and its incident is one.
    """
    _with_calls(database)

    def work(transaction: Transaction) -> None:
        _add(transaction, builders.incident())
        raise Undo

    with pytest.raises(Undo):
        database.transact(work)

    assert () == database.read(_all)


@pytest.mark.parametrize("statement", ["update incidents set objection = 'canceled'", "delete from incidents"])
@pytest.mark.parametrize("kind", KINDS)
def test_incidents_are_only_added_to(tmp_path: Path, kind: str, statement: str) -> None:
    """
    The database itself refuses, whoever asks.
    """
    here = place(kind, tmp_path)
    with here.opened() as database:
        database.transact(furnish)
        database.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate()))
        _with_calls(database)
        database.transact(partial(_add, incident=builders.incident()))

    with pytest.raises(Exception, match="incidents are only added to"):
        here.run(statement)
