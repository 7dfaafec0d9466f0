"""
The command line: `outdial`.
"""

from typing import Final

import click

from outdial.entrypoints.cli import (
    accounts,
    agents,
    backup,
    calls,
    completion,
    contacts,
    decisions,
    demo,
    dnc_files,
    incidents,
    mcp,
    rates,
    service,
    watching,
    webhooks,
)
from outdial.entrypoints.cli.running import Commands
from outdial.version import VERSION

EPILOGUE: Final = """
Settings are OUTDIAL_* variables; `outdial doctor` checks them.

Completion in bash: eval "$(outdial completion bash)"
"""


@click.group("outdial", cls=Commands, epilog=EPILOGUE)
@click.version_option(VERSION, prog_name="outdial")
def main() -> None:
    """
    Place outbound phone calls from AI agents, each at most once.

    Start with `outdial demo`. Every command takes --json and --database.
    """


MODULES: Final = (
    accounts,
    agents,
    backup,
    calls,
    completion,
    contacts,
    decisions,
    demo,
    dnc_files,
    incidents,
    mcp,
    rates,
    service,
    watching,
    webhooks,
)

for module in MODULES:
    for command in module.COMMANDS:
        main.add_command(command)
