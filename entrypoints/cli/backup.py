"""
Taking a backup, and asking again for what a restored one had to give up.
"""

from pathlib import Path
from typing import Final

import click
from rich.text import Text

from outdial.entrypoints import composition
from outdial.entrypoints.cli.answer import Answer
from outdial.entrypoints.cli.running import Variables, answering, settings_of


@click.command("backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--force", "replaces", is_flag=True, help="Replace a file that is there.")
@answering
def backup(variables: Variables, *, file: Path, replaces: bool) -> Answer:
    """
    Back a SQLite database up into a file, while outdial runs; the file is checked before it appears.

    Whatever waits to be dialled when it is taken is never dialled from the backup: see `outdial calls adopt`.
    """
    rows = composition.back_up(settings_of(variables), file, replaces=replaces)
    size = file.stat().st_size
    seen = ", ".join(f"{count} {table}" for table, count in rows.items() if count)
    return Answer(
        body={"file": str(file), "bytes": size, "rows": dict(rows), "verified": True},
        shown=Text(f"{file} holds {size} bytes: {seen or 'nothing yet'}."),
    )


COMMANDS: Final[tuple[click.Command, ...]] = (backup,)
