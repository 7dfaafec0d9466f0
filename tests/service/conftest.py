"""
What services work on.
"""

from collections.abc import Iterator

import pytest

from tests import builders
from tests.contract.storage.database import Database, fresh, furnish


@pytest.fixture
def database() -> Iterator[Database]:
    """
    A database in memory with the builders' account, key, agent, contact, rate and 25.00.
    """
    with fresh("memory") as opened:
        opened.transact(furnish)
        opened.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate()))
        yield opened
