"""
`outdial openapi`: the document for those who generate clients.
"""

from outdial.entrypoints.http.reference import reference
from tests.cli.commands import CommandLine


def test_command_prints_the_document_without_a_database(line: CommandLine) -> None:
    """
    `outdial openapi` is for those who generate clients, of a version that need not run.
    """
    printed = line.ask("openapi")
    shown = line.run("openapi").out

    assert reference(key_in_query=False) == printed
    assert shown.startswith('{\n  "openapi": "3.1.0"')
    assert not line.database.exists()
