"""
No change of a call is saved without its message.
"""

import ast

from tests.architecture.test_sizes import MODULES, ROOT

ONLY = "outdial/domain/service/outbox.py"


def test_calls_are_saved_in_one_place() -> None:
    """
    Whoever changes a call's state goes through `save_call`, which tells those who want to hear of it.
    """
    found = {
        str(path.relative_to(ROOT))
        for path in MODULES
        if not path.is_relative_to(ROOT / "tests")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "save" and ast.unparse(node.value).endswith("calls")
    }

    assert {ONLY} == found
