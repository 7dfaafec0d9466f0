"""
The comparison of both sides sees what a wrong copy would look like.
"""

from collections.abc import Callable
from typing import Any

import pytest

from outdial.domain.model.wallet import EntryKind
from outdial.entrypoints.copying import Progress, Step, fill
from outdial.ports.errors import StorageError
from tests import builders
from tests.contract.storage.database import post
from tests.copying.databases import Place, copied

TAMPERED = [
    ("update wallets set balance_micros = balance_micros + 1", "the money of account 1 is balance 24900001, held"),
    ("update wallets set held_micros = held_micros - 1", "the money of account 1"),
    ("insert into ledger select account_id, 999, kind, 1, null, at, seal from ledger where number = 1", "ledger has"),
    ("update agents set greeting = 'Goodbye.'", "a row of agents has another content"),
    ("update calls set phone_number = '+15550000000' where id = 3", "a row of calls has another content"),
    ("update row_numbers set last = 7000", "a row of row_numbers has another content"),
    ("delete from contact_numbers", "contact_numbers has 0 rows instead of 1"),
]


def _at_the_first_check(act: Callable[[], object]) -> Callable[[Progress], None]:
    """
    Do something once all is copied and before any of it is checked.
    """
    last: list[Progress] = []

    def on_progress(progress: Progress) -> None:
        last.append(progress)
        if progress.step is Step.COPY and progress.done == progress.total:
            act()

    return on_progress


@pytest.mark.parametrize(("text", "finding"), TAMPERED)
def test_a_target_that_differs_is_not_kept(source: Place, target: Place, text: str, finding: str) -> None:
    """
    A negative control: one value changed in the target before the check, and nothing is written.
    """
    source.run("insert into row_numbers values ('agents', 123)")

    def tampered() -> None:
        with target.archive.filling() as filling:
            connection: Any = filling._connection  # type: ignore[attr-defined]  # noqa: SLF001 - a fault from within
            fill(source.archive, filling, _at_the_first_check(lambda: connection.execute(text)))

    with pytest.raises(
        StorageError, match=rf"^The target does not hold what was copied: {finding}.*Nothing was kept\.$"
    ):
        tampered()

    assert target.is_empty()


@pytest.mark.parametrize("change", ["deposit", "revoked key"])
def test_a_source_that_was_written_to_meanwhile_is_noticed(source: Place, target: Place, change: str) -> None:
    """
    A new row or a changed one: somebody still uses the source, and nothing is kept.
    """
    changes = {
        "deposit": lambda database: database.transact(post(builders.entry(EntryKind.DEPOSIT, 1))),
        "revoked key": lambda database: database.transact(
            lambda transaction: transaction.directory.update_key(builders.api_key(revoked_at=builders.NOW))
        ),
    }

    with source.opened() as database:
        act = _at_the_first_check(lambda: changes[change](database))
        with pytest.raises(StorageError, match=r"^The source was changed while it was copied: .* run this again\.$"):
            copied(source, target, act)

    assert target.is_empty()
    copied(source, target)
    assert not target.is_empty()


@pytest.mark.parametrize("target", ["postgres"], indirect=True)
def test_the_target_takes_no_writes_of_others_meanwhile(source: Place, target: Place) -> None:
    """
    Another process that adds to the target waits until the copy is over, and gives up if that takes long.
    """

    def write_beside() -> None:
        with pytest.raises(Exception, match="lock timeout"):
            target.run("set lock_timeout = 50; insert into rates values ('USD', '1', 1, 1, 1)")

    copied(source, target, _at_the_first_check(write_beside))

    assert [] == target.content()["rates"]
