"""
Dialogs of tests.
"""

from typing import Any

import attrs

from outdial.adapters.sip.lost_calls import LostDialog


def dialog(call_id: str = "call_1_x_1@127.0.0.1", **changes: Any) -> LostDialog:
    """
    Return a dialog as an answered call leaves one.
    """
    made = LostDialog(
        call_id=call_id,
        caller="<sip:+15550001111@127.0.0.1>;tag=ours",
        callee="<sip:+15557654321@127.0.0.1>;tag=theirs",
        target="sip:uas@127.0.0.1:5999",
        routes=["<sip:127.0.0.1:5999;lr>"],
        sequence=7,
        peer=("127.0.0.1", 5999),
        transport="udp",
        name="trunk.example",
        authenticates=True,
    )
    return attrs.evolve(made, **changes)
