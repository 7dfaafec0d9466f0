"""
SQL from the files in `sql/`: named statements, each with a line that says what it is for.

A statement may be part of a later one of its file, as `{name}`. Those whose line ends with `(of any account)` are for
the operator, the workers or the proof of a key; all others on an account's tables name the account.
"""

import re
from importlib.resources import files
from typing import Final

import attrs

FOLDER: Final = "outdial.adapters.postgres"
ANY_ACCOUNT: Final = "(of any account)"
_SECTION: Final = re.compile(r"^-- name: (\w+)\n-- (.+)\n", re.MULTILINE)


@attrs.frozen(kw_only=True)
class Query:
    """
    One statement.

    Attributes:
        purpose: What it is for, in a line.

        text: With parameters as `%(name)s`.
    """

    name: str
    purpose: str
    text: str

    @property
    def is_of_any_account(self) -> bool:
        """
        Whether it may reach rows without saying whose they are.
        """
        return self.purpose.endswith(ANY_ACCOUNT)


def read_queries(file_name: str) -> dict[str, Query]:
    """
    Return the statements of a file, by their names.
    """
    _nothing, *sections = _SECTION.split((files(FOLDER) / "sql" / file_name).read_text(encoding="utf-8"))
    texts: dict[str, str] = {}
    queries: dict[str, Query] = {}
    for name, purpose, body in zip(sections[::3], sections[1::3], sections[2::3], strict=True):
        texts[name] = re.sub(r"\{(\w+)\}", lambda match: texts[match[1]], body.strip())
        queries[name] = Query(name=name, purpose=purpose, text=texts[name])
    return queries


def load(file_name: str) -> dict[str, str]:
    """
    Return the texts of a file's statements, by their names.
    """
    return {name: query.text for name, query in read_queries(file_name).items()}
