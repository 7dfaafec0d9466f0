"""
`outdial audit`: everything that was written of money and calls reckoned again, while others may go on writing.
"""

from collections import Counter
from collections.abc import Mapping

import attrs

from outdial.domain.service.auditing import AUDITED, Audit, Finding
from outdial.entrypoints import composition
from outdial.entrypoints.copying import OnProgress, Progress, Step
from outdial.entrypoints.settings import Settings
from outdial.ports.archive import ArchiveReader


@attrs.frozen(kw_only=True)
class Audited:
    """
    What an audit came to.

    Attributes:
        rows: How many rows of each table were looked at.

        finding: The first that is wrong; `None` when all is in order.
    """

    rows: Mapping[str, int]
    finding: Finding | None


def audit(settings: Settings, *, on_progress: OnProgress = lambda _progress: None) -> Audited:
    """
    Look at one snapshot of a database; it writes nothing.

    Raises:
        StorageError: The database can't be read; the message says why and what to do.
    """
    rows: Counter[str] = Counter()
    with composition.archive(settings).reading() as snapshot:
        return Audited(finding=_first_finding(snapshot, rows, on_progress), rows=rows)


def _first_finding(snapshot: ArchiveReader, seen: Counter[str], on_progress: OnProgress) -> Finding | None:
    reckoning = Audit()
    total = sum(snapshot.count(table) for table in AUDITED)
    for table in AUDITED:
        for rows in snapshot.rows(table):
            finding = reckoning.take(table, rows)
            seen[table.name] += len(rows)
            on_progress(Progress(step=Step.CHECK, table=table.name, done=seen.total(), total=total))
            if finding is not None:
                return finding
    return reckoning.finish()
