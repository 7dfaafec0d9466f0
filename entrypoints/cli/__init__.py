"""
The command line: `outdial`.
"""

import click

from outdial.entrypoints.cli.accounts import account, key, wallet
from outdial.entrypoints.cli.agents import agent, contact
from outdial.entrypoints.cli.calls import call, calls
from outdial.entrypoints.cli.demo import demo
from outdial.entrypoints.cli.lists import dnc, rate
from outdial.entrypoints.cli.running import Commands
from outdial.entrypoints.cli.service import doctor, migrate, serve
from outdial.version import VERSION


@click.group("outdial", cls=Commands, epilog="Settings are OUTDIAL_* variables; `outdial doctor` checks them.")
@click.version_option(VERSION, prog_name="outdial")
def main() -> None:
    """
    Place outbound phone calls from AI agents, each at most once.

    Start with `outdial demo`. Every command takes --json and --database.
    """


for command in (serve, demo, account, wallet, key, agent, contact, dnc, rate, call, calls, migrate, doctor):
    main.add_command(command)
