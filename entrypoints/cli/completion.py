"""
Completion of commands and their options by the Tab key.
"""

from typing import Final

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from outdial.entrypoints.cli.answer import Answer, plain
from outdial.entrypoints.cli.running import Variables, answering

PROGRAM: Final = "outdial"
VARIABLE: Final = "_OUTDIAL_COMPLETE"
"""Where click looks for what the shell asks of it; click makes the name of the program's."""

SHELLS: Final[dict[str, type[ShellComplete]]] = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}


@click.command
@click.argument("shell", type=click.Choice(list(SHELLS)))
@answering
def completion(_variables: Variables, *, shell: str) -> Answer:
    """
    Print the script that makes a shell complete `outdial` commands.

    In ~/.bashrc: eval "$(outdial completion bash)"
    """
    main = click.get_current_context().find_root().command
    script = SHELLS[shell](main, {}, PROGRAM, VARIABLE).source()
    return Answer(body={"shell": shell, "script": script}, shown=plain(script))


COMMANDS: Final[tuple[click.Command, ...]] = (completion,)
