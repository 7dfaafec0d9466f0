"""
What two sides are compared by, and how far a copy came, as people see it.
"""

import io

from rich.console import Console

from outdial.domain.service.copying import Books
from outdial.entrypoints.cli.progress import progress_on
from outdial.entrypoints.copying import Progress, Step
from outdial.ports.archive import TABLES, Row, Table

ACCOUNTS, WALLETS, LEDGER = (
    next(table for table in TABLES if table.name == name) for name in ("accounts", "wallets", "ledger")
)


def _books(*taken: tuple[Table, Row]) -> Books:
    books = Books()
    for table, row in taken:
        books.take_down(table, [row])
    return books


def _account(number: int, balance_micros: int) -> tuple[tuple[Table, Row], ...]:
    return (
        (ACCOUNTS, (number, "Clinic", "USD", 0, None, "[]", "{}")),
        (WALLETS, (number, balance_micros, 0, 1, b"")),
        (LEDGER, (number, 1, "deposit", balance_micros, None, 0, b"")),
    )


def test_equal_books_have_no_difference() -> None:
    """
    The same rows in the same order; by currency, balances are added up.
    """
    books = _books(*_account(1, 5), *_account(2, 7))

    assert books.difference(_books(*_account(1, 5), *_account(2, 7))) is None
    assert {"USD": 12} == books.balances_micros


def test_money_in_another_account_is_a_difference() -> None:
    """
    As many rows and the same sum are not enough.
    """
    books = _books(*_account(1, 5), *_account(2, 7))

    assert "the money of account 1 is balance 7, held 0, deposit 7" in str(
        books.difference(_books(*_account(1, 7), *_account(2, 5)))
    )
    assert "the money of account 2 is missing instead of balance 7" in str(
        books.difference(_books(*_account(1, 5), *_account(3, 7)))
    )


def test_a_value_of_another_type_is_a_difference() -> None:
    """
    The text `1` is not the number 1, and no text is not an empty one.
    """
    books = _books((TABLES[-1], ("calls", 1)))

    assert "a row of row_numbers has another content" == books.difference(_books((TABLES[-1], ("calls", "1"))))
    assert "a row of row_numbers has another content" == books.difference(_books((TABLES[-1], ("calls", None))))


def _reports() -> list[Progress]:
    return [Progress(step=step, table="calls", done=done, total=1000) for step in Step for done in range(0, 1001, 5)]


def test_a_terminal_shows_a_bar_for_each_step() -> None:
    """
    With what is done of how much.
    """
    shown = io.StringIO()

    with progress_on(Console(file=shown, force_terminal=True, width=100)) as on_progress:
        for report in _reports():
            on_progress(report)

    for step in Step:
        assert step.value in shown.getvalue()
    assert "1000/1000" in shown.getvalue()


def test_elsewhere_a_step_takes_a_few_lines() -> None:
    """
    One for each tenth, however many reports there are.
    """
    shown = io.StringIO()

    with progress_on(Console(file=shown, width=100)) as on_progress:
        for report in _reports():
            on_progress(report)

    lines = shown.getvalue().splitlines()
    assert 11 * len(Step) == len(lines)
    assert "copying: 500 of 1000 (calls)" in lines
