"""
`kill -9` while somebody talks: the next process hangs up what the killed one left, and bills what was talked.
"""

import asyncio
import re
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from tests.endtoend.service import CALLEE, PROGRAM, outdial, unmeasured
from tests.endtoend.sound import recording
from tests.heard.callee import callee as listening
from tests.telephony.calls import run
from tests.telephony.ports import free_port
from tests.telephony.sipp import Sipp, sipp
from tests.telephony.tls_terminator import make_certificate, tls_terminator

pytestmark = [pytest.mark.sip, pytest.mark.heard]

START_S: Final = 30.0
BYE_WITHIN_S: Final = 10.0
SETTLED_WITHIN_S: Final = 15.0
"""Deadlines lie minutes later."""

MINUTE_MICROS: Final = 50_000
BALANCE_MICROS: Final = 25_000_000
SETTLED: Final = """
    select disposition, talk_s, charge_micros, balance_micros, held_micros
    from calls join wallets using (account_id) where state = 'settled'
"""
TALK_S_MAX: Final = 4
"""The kill follows the answer at once, or when a busy machine gets there."""


@attrs.frozen
class FarEnd:
    """
    Whoever is called.

    Attributes:
        trunk: Where.

        settings: What it takes to be trusted.

        is_talking: Whether it has got the ACK.

        is_hung_up: Whether it has got the BYE.
    """

    trunk: str
    settings: dict[str, str]
    is_talking: Callable[[], bool]
    is_hung_up: Callable[[], bool]


def _of_sipp(callee: Sipp) -> FarEnd:
    return FarEnd(
        f"sip:127.0.0.1:{callee.port}",
        {},
        lambda: bool(callee.received("ACK")),
        lambda: bool(callee.received("BYE")),
    )


@asynccontextmanager
async def _phone(folder: Path, *, is_secure: bool) -> AsyncIterator[FarEnd]:
    """
    Have baresip listen. SIPp takes no BYE on another connection than its call's: it ends calls with their connection.
    """
    with listening(CALLEE) as phone:

        def said(words: str) -> Callable[[], bool]:
            return lambda: words in phone.log

        heard = said("Call established"), said("session closed")
        if not is_secure:
            yield FarEnd(f"sip:127.0.0.1:{phone.port};transport=tcp", {}, *heard)
            return
        certificate = make_certificate(folder)
        trusted = {"OUTDIAL_SIP_TLS_CA": str(certificate.certificate)}
        async with tls_terminator(phone.port, certificate) as port:
            yield FarEnd(f"sip:127.0.0.1:{port};transport=tls", trusted, *heard)


def _header(request: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r?$", request, re.MULTILINE | re.IGNORECASE)
    assert found is not None, request
    return found[1]


@asynccontextmanager
async def _serving(variables: dict[str, str], folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """
    Run `outdial serve` and wait until it does; it is killed in the end, if it has not gone before.
    """
    path = folder / f"serve-{free_port()}.log"
    with path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "serve"), env=unmeasured(variables), stdout=asyncio.subprocess.DEVNULL, stderr=log
        )
    try:
        await _until(lambda: "outdial listens" in path.read_text(), START_S)
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until(is_true: Callable[[], bool], timeout_s: float) -> None:
    async with asyncio.timeout(timeout_s):
        while not is_true():
            await asyncio.sleep(0.05)


async def _settled(database: Path) -> tuple[Any, ...]:
    """
    Wait until the only call is settled, and return its disposition, talk and charge, its account's balance and hold.
    """
    connection = sqlite3.connect(database)
    try:
        async with asyncio.timeout(SETTLED_WITHIN_S):
            while (found := connection.execute(SETTLED).fetchone()) is None:
                await asyncio.sleep(0.05)
    finally:
        connection.close()
    return tuple(found)


async def _ask(far_end: FarEnd, folder: Path) -> dict[str, str]:
    """
    Ask for a call, and return the settings of those who will dial it.
    """
    variables = {
        "OUTDIAL_DATABASE": f"sqlite:///{folder / 'outdial.db'}",
        "OUTDIAL_PORT": str(free_port()),
        "OUTDIAL_SIP_BIND": f"127.0.0.1:{free_port()}",
        "OUTDIAL_CARRIER": "sip",
        "OUTDIAL_SIP_TRUNK": far_end.trunk,
        "OUTDIAL_SPEECH_FILE": recording(folder, 20),
        **far_end.settings,
    }
    clinic = await outdial(folder, variables, "account", "create", "Clinic", "--balance", "25")
    agent = await outdial(
        folder,
        variables,
        *("agent", "create", "--account", str(clinic["account_id"]), "--name", "A", "--greeting", "Hello."),
        *("--phone-number", "+15550001111"),
    )
    await outdial(folder, variables, "call", "--to", CALLEE, "--agent", str(agent["id"]))
    return variables


async def _play(far_end: FarEnd, folder: Path, variables: dict[str, str]) -> tuple[Any, ...]:
    """
    Kill a process while somebody talks, start another one, and return what is settled.
    """
    async with _serving(variables, folder):
        await _until(far_end.is_talking, START_S)
    async with _serving(variables, folder) as next_one:
        await _until(far_end.is_hung_up, BYE_WITHIN_S)
        settled = await _settled(folder / "outdial.db")
        next_one.terminate()
        async with asyncio.timeout(30):
            assert await next_one.wait() == 0
    return settled


def test_the_callees_of_killed_processes_are_hung_up(tmp_path: Path) -> None:
    """
    Within 10 s of its start the next process sends the BYE, and the call is settled soon after, by its talk so far.
    """

    async def steps() -> list[tuple[Any, ...]]:
        folders = [tmp_path / transport for transport in ("udp", "tcp", "tls")]
        for folder in folders:
            folder.mkdir()
        async with (
            sipp("rroute", folders[0], timeout_s=60) as callee,
            _phone(folders[1], is_secure=False) as tcp,
            _phone(folders[2], is_secure=True) as tls,
        ):
            far_ends = (_of_sipp(callee), tcp, tls)
            variables = [await _ask(*place) for place in zip(far_ends, folders, strict=True)]
            played = await asyncio.gather(*map(_play, far_ends, folders, variables))
            await callee.finish()
        ack, bye = callee.received("ACK")[0], callee.received("BYE")[0]
        for name in ("Call-ID", "From", "To"):
            assert _header(ack, name) == _header(bye, name)
        assert int(_header(ack, "CSeq").split()[0]) + 1 == int(_header(bye, "CSeq").split()[0])
        return played

    for disposition, talk_s, charge_micros, balance_micros, held_micros in run(steps(), timeout_s=110):
        assert ("disconnected", MINUTE_MICROS) == (disposition, charge_micros)
        assert 1 <= talk_s <= TALK_S_MAX
        assert (BALANCE_MICROS - MINUTE_MICROS, 0) == (balance_micros, held_micros)
