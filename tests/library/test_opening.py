"""
Opening and closing outdial: what it needs, what it leaves behind, and who may dial.
"""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

import outdial
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.reason import Reason
from outdial.ports.errors import CarrierUnavailableError, SpeechError, StorageError
from tests.library.setting_up import CALLEE, MEMORY, furnish, in_file, opened

STOP_S: Final = 20.0

IN_MEMORY: Final = """
import os
import socket
import sys

import asyncio
import outdial
from tests.library.setting_up import CALLEE, MEMORY, opened

def forbid(event, arguments):
    if event.startswith("sqlite3.") or event in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
        raise AssertionError(event)
    if event == "socket.__new__" and arguments[1] != socket.AF_UNIX:  # asyncio wakes itself by a pair of those
        raise AssertionError(event)
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        raise AssertionError(f"{event} {arguments[0]}")

async def main():
    async with opened(MEMORY) as clinic:
        decision = await clinic.dialer.dial(CALLEE, clinic.agent_id)
        call = await clinic.dialer.wait(decision.call, timeout_s=20)
        print(call.status)

sys.addaudithook(forbid)
asyncio.run(main())
"""

SPEAK: Final = (
    "import sys, wave; file = wave.open(sys.argv[2], 'wb'); file.setnchannels(1); file.setsampwidth(2);"
    " file.setframerate(8000); file.writeframes(bytes([0, 20]) * 4000); file.close()"
)
VOICE: Final = f'{sys.executable} -S -c "{SPEAK}" {{text_file}} {{wav_file}}'
"""A voice that says the same whatever it is given."""


def test_database_in_memory_needs_no_file_and_no_network() -> None:
    """
    A call is decided, dialled and settled while opening files for writing, SQLite and the network are forbidden.
    """
    ran = subprocess.run(
        [sys.executable, "-B", "-c", IN_MEMORY], capture_output=True, text=True, timeout=60, check=False
    )

    assert 0 == ran.returncode, ran.stderr
    assert "completed\n" == ran.stdout


def test_only_one_opened_dialer_dials_from_a_database(tmp_path: Path) -> None:
    """
    A second one is refused with what to do, and may still be opened without dialling.
    """

    async def main() -> None:
        settings = in_file(tmp_path)
        async with opened(settings) as clinic:
            with pytest.raises(StorageError, match="Another outdial process dials"):
                await outdial.Dialer(settings).start(dials=True)

            async with outdial.open(settings, dials=False) as beside:
                assert isinstance(await beside.dial(CALLEE, clinic.agent_id), Accepted)

        async with outdial.open(settings):  # the first is closed: the right to dial is free again
            pass

    asyncio.run(main())


def test_call_of_a_process_that_does_not_dial_is_dialled_by_a_later_one(tmp_path: Path) -> None:
    """
    What was accepted stays queued until somebody dials, and is dialled then.
    """

    async def main() -> None:
        settings = in_file(tmp_path)
        async with opened(settings, dials=False) as clinic:
            decision = await clinic.dialer.dial(CALLEE, clinic.agent_id)
            assert isinstance(decision, Accepted)
            view = await clinic.dialer.call(decision.call.id)
            assert outdial.CallView(call=decision.call, contact=None) == view

        async with outdial.open(settings) as dialer:
            ended = await dialer.wait(decision.call, timeout_s=20)

        assert (outdial.Status.COMPLETED, 1) == (ended.status, ended.attempt)

    asyncio.run(main())


def test_call_of_a_process_beside_is_dialled_by_the_one_that_dials(tmp_path: Path) -> None:
    """
    The queue is the database: a command line's call is dialled by the server.
    """

    async def main() -> None:
        settings = in_file(tmp_path)
        async with opened(settings) as clinic, outdial.open(settings, dials=False) as beside:
            decision = await beside.dial(CALLEE, clinic.agent_id)
            assert isinstance(decision, Accepted)

            ended = await beside.wait(decision.call, timeout_s=20)

        assert outdial.Status.COMPLETED is ended.status

    asyncio.run(main())


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"carrier": "sip", "sip_trunk": "not a trunk"}, CarrierUnavailableError),
        ({"carrier": "sip", "sip_bind": ("192.0.2.1", 5062), "speech_command": VOICE}, CarrierUnavailableError),
        ({"carrier": "sip"}, SpeechError),
    ],
    ids=["trunk", "address", "voice"],
)
def test_start_that_fails_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], error: type[Exception]
) -> None:
    """
    After a failed start there is no thread, no lock and no open database: the same can be tried again.
    """
    monkeypatch.setenv("PATH", str(tmp_path))
    threads = threading.active_count()

    async def main() -> int:
        with pytest.raises(error):
            await outdial.Dialer(in_file(tmp_path, **changes)).start(dials=True)
        outdial_threads = [thread for thread in threading.enumerate() if thread.name.startswith("outdial")]
        async with opened(in_file(tmp_path)):
            return len(outdial_threads)

    assert 0 == asyncio.run(main())
    assert threads == threading.active_count()


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """
    Nothing is written to a file that outdial did not make.
    """
    path = tmp_path / "outdial.db"
    path.write_text("Dear diary, " * 500)

    async def main() -> None:
        with pytest.raises(StorageError):
            await outdial.Dialer(in_file(tmp_path)).start(dials=True)

    asyncio.run(main())

    assert path.read_text() == "Dear diary, " * 500


def test_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    """
    Outdial makes a database, but no folders.
    """
    with pytest.raises(StorageError):
        outdial.Dialer(in_file(tmp_path / "nowhere"))


@pytest.mark.parametrize(("drain_s", "disposition"), [(0, "disconnected"), (60, "hang_up_agent")])
def test_leaving_the_block_lets_talks_go_on_for_as_long_as_was_set(
    tmp_path: Path, drain_s: int, disposition: str
) -> None:
    """
    With time they end by themselves, without any they are hung up; either way the block is left when they are over.
    """

    async def main() -> None:
        settings = attrs.evolve(in_file(tmp_path), drain_s=drain_s, simulator_time_scale=0.3)
        async with opened(settings) as clinic:
            decision = await clinic.dialer.dial(CALLEE, clinic.agent_id)
            assert isinstance(decision, Accepted)
            async for call in clinic.dialer.watch(decision.call, timeout_s=STOP_S):
                if call.status == "in-progress":
                    break

        async with outdial.open(settings, dials=False) as beside:
            view = await beside.call(decision.call.id)

        assert isinstance(view, outdial.CallView)
        assert disposition == view.call.disposition

    asyncio.run(main())


def test_stop_may_be_asked_for_again() -> None:
    """
    Stopping twice, and before any start, is no mistake.
    """

    async def main() -> None:
        dialer = outdial.Dialer(MEMORY)
        await dialer.stop()
        await dialer.start(dials=True)
        await dialer.stop()
        await dialer.stop()

    asyncio.run(main())


def test_closed_dialer_accepts_nothing() -> None:
    """
    After the block a call is neither accepted nor read.
    """

    async def main() -> None:
        async with opened() as clinic:
            pass

        with pytest.raises(StorageError):
            await clinic.dialer.dial(CALLEE, clinic.agent_id)
        with pytest.raises(StorageError):
            await clinic.dialer.call(1)

    asyncio.run(main())


def test_closing_settles_what_lives(tmp_path: Path) -> None:
    """
    A ringing call is hung up and its hold released before the database is closed.
    """

    async def main() -> None:
        async with opened(in_file(tmp_path, simulator_time_scale=1.0)) as clinic:
            decision = await clinic.dialer.dial("+15555550102", clinic.agent_id)
            assert isinstance(decision, Accepted)
            async for current in clinic.dialer.watch(decision.call, timeout_s=20):
                if current.status is outdial.Status.RINGING:
                    break

        async with outdial.open(in_file(tmp_path), dials=False) as dialer:
            view = await dialer.call(decision.call.id)
            wallet = await dialer.administration.wallet(clinic.account_id)

        assert isinstance(view, outdial.CallView)
        assert (outdial.Status.FAILED, outdial.Disposition.CANCELED) == (view.call.status, view.call.disposition)
        assert 0 == wallet.held_micros

    asyncio.run(main())


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    Without settings, `OUTDIAL_*` variables say what is opened; wrong ones open nothing.
    """
    monkeypatch.setenv("OUTDIAL_DATABASE", f"sqlite:///{tmp_path / 'other.db'}")

    async def main() -> None:
        async with outdial.open(dials=False) as dialer:
            await furnish(dialer)
        monkeypatch.setenv("OUTDIAL_PORT", "http")
        with pytest.raises(outdial.SettingsError):
            async with outdial.open():
                pass

    asyncio.run(main())

    assert (tmp_path / "other.db").exists()


def test_wallet_of_an_account_pays_for_its_calls_alone() -> None:
    """
    An account without money is refused, whatever others own.
    """

    async def main() -> None:
        async with opened() as rich:
            poor = await furnish(rich.dialer, balance="0")

            decision = await rich.dialer.dial(CALLEE, poor.agent_id)

            assert isinstance(decision, Refused)
            assert Reason.INSUFFICIENT_FUNDS is decision.reason

    asyncio.run(main())


def test_public_names_are_all_there() -> None:
    """
    Everything that `outdial` promises can be imported from it.
    """
    assert [] == [name for name in outdial.__all__ if not hasattr(outdial, name)]
    assert outdial.__version__


def test_closing_right_after_a_call_was_accepted_does_not_hang() -> None:
    """
    A dialler that is woken and stopped in the same turn of the loop stops, however often one tries.
    """

    async def main() -> None:
        for _ in range(5):
            async with opened() as clinic:
                await asyncio.sleep(0.1)  # until the dialler waits for something to do
                assert isinstance(await clinic.dialer.dial(CALLEE, clinic.agent_id), outdial.Accepted)

    async def limited() -> None:
        async with asyncio.timeout(STOP_S):
            await main()

    asyncio.run(limited())


def test_log_of_the_library_goes_to_standard_error() -> None:
    """
    Whoever opens outdial keeps standard output, and their own set-up of structlog.
    """
    script = """
import asyncio, sys, structlog
from tests.library.setting_up import CALLEE, opened
if sys.argv[1:]:
    structlog.configure(processors=[structlog.processors.JSONRenderer()])

async def main():
    async with opened() as clinic:
        decision = await clinic.dialer.dial(CALLEE, clinic.agent_id)
        await clinic.dialer.wait(decision.call, timeout_s=10)

asyncio.run(main())
"""

    ours, theirs = (
        subprocess.run(
            [sys.executable, "-c", script, *arguments], capture_output=True, text=True, timeout=60, check=True
        )
        for arguments in ([], ["theirs"])
    )

    assert ("", True) == (ours.stdout, "call_ended" in ours.stderr)
    assert ('"event": "call_ended"' in theirs.stdout, "") == (True, theirs.stderr)
