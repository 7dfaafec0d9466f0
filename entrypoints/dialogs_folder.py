"""
Where calls that talk are remembered, for another process to hang up should theirs be killed.
"""

from hashlib import sha256
from pathlib import Path

from outdial.entrypoints.settings import Settings


def dialogs_folder(settings: Settings, database: Path | None) -> Path:
    """
    Return the operator's folder, one beside a SQLite file, or one at home.

    Each database on a server has a folder of its own, as it has trunks of its own.

    Args:
        database: The SQLite file, if the database is one.
    """
    if settings.sip_dialogs:
        return Path(settings.sip_dialogs)
    if database is not None:
        return database.with_name(f"{database.name}-dialogs")
    name = sha256(str(settings.database).encode()).hexdigest()[:16]
    try:
        state = Path.home() / ".local" / "state" / "outdial"
    except RuntimeError:  # the user has no home
        state = Path("/var/lib/outdial")
    return state / f"dialogs-{name}"
