"""
A process that talks until it is killed: `python -m tests.lost_calls.holder FOLDER CALL_ID...`.
"""

import sys
from pathlib import Path

from outdial.adapters.sip.lost_calls import LostCalls
from tests.lost_calls.dialogs import dialog


def main(folder: str, *call_ids: str) -> None:
    """
    Keep dialogs, say so, and wait for ever.
    """
    calls = LostCalls(Path(folder))
    for call_id in call_ids:
        calls.keep(dialog(call_id))
    sys.stdout.write("kept\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
