"""
The command line: `outdial`.
"""

import click

from outdial.entrypoints.cli import accounts, agents, calls, demo, lists, service
from outdial.entrypoints.cli.running import Commands
from outdial.version import VERSION


@click.group("outdial", cls=Commands, epilog="Settings are OUTDIAL_* variables; `outdial doctor` checks them.")
@click.version_option(VERSION, prog_name="outdial")
def main() -> None:
    """
    Place outbound phone calls from AI agents, each at most once.

    Start with `outdial demo`. Every command takes --json and --database.
    """


for module in (accounts, agents, calls, demo, lists, service):
    for command in module.COMMANDS:
        main.add_command(command)
