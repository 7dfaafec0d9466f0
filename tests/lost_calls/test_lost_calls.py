"""
The folder in which calls that talk are kept, should their process be killed.
"""

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from outdial.adapters.sip.lost_calls import KEPT_S, OVER_SUFFIX, SUFFIX, LostCalls, LostDialog
from tests.lost_calls.dialogs import dialog

CALL_ID: Final = "call_1_x_1@127.0.0.1"
ATTEMPT: Final = "call_1_x_1"
NS: Final = 10**9


@contextmanager
def _holding(folder: Path, *call_ids: str) -> Iterator["subprocess.Popen[str]"]:
    """
    Have another process keep dialogs; it is killed in the end.
    """
    program = [sys.executable, "-m", "tests.lost_calls.holder", str(folder), *call_ids]
    with subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "kept\n"
            yield process
        finally:
            process.kill()


def _abandoned(folder: Path, *dialogs: LostDialog) -> None:
    """
    Leave dialogs as a process does that is gone.
    """
    calls = LostCalls(folder)
    for left in dialogs:
        calls.keep(left)
    calls.close()


def _file(folder: Path, suffix: str = SUFFIX, call_id: str = CALL_ID) -> Path:
    return folder / f"{call_id.encode().hex()}{suffix}"


def _change(path: Path, by_s: float) -> None:
    changed_ns = path.stat().st_mtime_ns + int(by_s * NS)
    os.utime(path, ns=(changed_ns, changed_ns))


def test_a_dialog_is_left_behind_when_its_process_is_killed(tmp_path: Path) -> None:
    """
    Not before: as long as it lives, nobody else may hang up its calls.
    """
    calls = LostCalls(tmp_path)

    with _holding(tmp_path, CALL_ID) as holder:
        while_alive = calls.left_behind(10)
        holder.kill()
        holder.wait()
        afterwards = calls.left_behind(10)

    assert [] == while_alive
    assert [dialog()] == afterwards


def test_one_process_takes_each_dialog(tmp_path: Path) -> None:
    """
    Two that look at the same time send one BYE.
    """
    _abandoned(tmp_path, dialog())

    first, second = LostCalls(tmp_path), LostCalls(tmp_path)

    assert ([dialog()], []) == (first.left_behind(10), second.left_behind(10))
    assert [] == first.left_behind(10)


def test_a_forgotten_dialog_leaves_nothing(tmp_path: Path) -> None:
    """
    Its own process told how it ended. Again is fine, and so is what was never kept.
    """
    calls = LostCalls(tmp_path)
    calls.keep(dialog())

    calls.forget(CALL_ID)
    calls.forget(CALL_ID)
    calls.forget("another@127.0.0.1")

    assert [] == list(tmp_path.iterdir())


def test_a_dialog_is_kept_as_it_was_last(tmp_path: Path) -> None:
    """
    A re-INVITE takes a number, and the BYE has to have the next.
    """
    _abandoned(tmp_path, dialog(sequence=1000), dialog(sequence=8))

    assert [dialog(sequence=8)] == LostCalls(tmp_path).left_behind(10)


def test_talk_is_counted_until_the_last_sign_of_life(tmp_path: Path) -> None:
    """
    The client pays for no second in which nobody was there to speak.
    """
    _abandoned(tmp_path, dialog())
    _change(_file(tmp_path), 41.5)
    calls = LostCalls(tmp_path)

    before = calls.talk_s(ATTEMPT)
    calls.left_behind(10)
    while_ending = calls.talk_s(ATTEMPT)
    calls.note_over(CALL_ID)

    assert (None, None, 42) == (before, while_ending, calls.talk_s(ATTEMPT))
    assert 42 == LostCalls(tmp_path).talk_s(ATTEMPT)
    assert [] == LostCalls(tmp_path).left_behind(10)


def test_signs_of_life_follow_the_steady_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A wall clock that is set has no part in a bill.
    """
    steady_ns = 5 * NS
    monkeypatch.setattr(time, "monotonic_ns", lambda: steady_ns)
    calls = LostCalls(tmp_path)
    calls.keep(dialog())
    answered_ns = _file(tmp_path).stat().st_mtime_ns

    steady_ns = 12 * NS
    calls.beat()
    lived_ns = _file(tmp_path).stat().st_mtime_ns
    steady_ns = 20 * NS
    calls.keep(dialog(sequence=8))
    kept_ns = _file(tmp_path).stat().st_mtime_ns
    calls.count_no_more(CALL_ID)
    steady_ns = 90 * NS
    calls.beat()

    assert (7 * NS, 15 * NS) == (lived_ns - answered_ns, kept_ns - answered_ns)
    assert kept_ns == _file(tmp_path).stat().st_mtime_ns


def test_a_call_that_talked_at_all_talked_for_a_second(tmp_path: Path) -> None:
    """
    Somebody answered, as with any other short call.
    """
    _abandoned(tmp_path, dialog())
    calls = LostCalls(tmp_path)
    calls.left_behind(10)

    calls.note_over(CALL_ID)

    assert 1 == calls.talk_s(ATTEMPT)


def test_a_call_that_nobody_was_there_for_did_not_talk(tmp_path: Path) -> None:
    """
    It was answered after its process had gone, and hung up at once.
    """
    calls = LostCalls(tmp_path)

    calls.note_unheard(CALL_ID)

    assert 0 == calls.talk_s(ATTEMPT)


def test_an_answer_that_comes_again_takes_no_talk_back(tmp_path: Path) -> None:
    """
    The killed process had heard it, and its ACK was lost; the talk is neither shorter nor longer for that.
    """
    _abandoned(tmp_path, dialog())
    _change(_file(tmp_path), 41.5)
    calls = LostCalls(tmp_path)

    calls.note_unheard(CALL_ID)
    before = calls.talk_s(ATTEMPT)
    calls.left_behind(10)
    calls.note_over(CALL_ID)
    calls.note_unheard(CALL_ID)

    assert (None, 42) == (before, calls.talk_s(ATTEMPT))


def test_only_the_callees_leg_tells_of_the_attempt(tmp_path: Path) -> None:
    """
    Neither the agent's leg nor an attempt whose name begins alike.
    """
    agent, other = "call_1_x_1.agent@127.0.0.1", "call_1_x_10@127.0.0.1"
    _abandoned(tmp_path, dialog(agent), dialog(other))
    calls = LostCalls(tmp_path)
    calls.left_behind(10)

    calls.note_over(agent)
    calls.note_over(other)

    assert calls.talk_s(ATTEMPT) is None
    assert 1 == calls.talk_s("call_1_x_10")


def test_a_dialog_that_was_given_up_is_left_to_a_later_process(tmp_path: Path) -> None:
    """
    This one does not try it for ever.
    """
    _abandoned(tmp_path, dialog())
    calls = LostCalls(tmp_path)
    calls.left_behind(10)

    calls.give_up(CALL_ID)

    assert [] == calls.left_behind(10)
    assert [dialog()] == LostCalls(tmp_path).left_behind(10)


@pytest.mark.parametrize(
    "content",
    [b"", b'{"call_id"', b"[]", b"null", b"{}", b"\xff", b'{"answered_ns": 1, "call_id": 2}', b'{"answered_ns": 1}'],
)
def test_torn_and_foreign_files_disturb_nothing(
    tmp_path: Path, content: bytes, logs: list[MutableMapping[str, Any]]
) -> None:
    """
    They are left where they are, and others are read all the same.
    """
    _abandoned(tmp_path, dialog())
    foreign = _file(tmp_path, call_id="torn@127.0.0.1")
    foreign.write_bytes(content)
    (tmp_path / "README").write_text("Not ours.")
    (tmp_path / "folder.json").mkdir()
    calls = LostCalls(tmp_path)

    found = calls.left_behind(10) + calls.left_behind(10)

    assert [dialog()] == found
    assert content == foreign.read_bytes()
    assert 1 == [entry["event"] for entry in logs].count("sip_dialog_unreadable")


def test_a_file_under_a_wrong_name_is_nobodys(tmp_path: Path) -> None:
    """
    Its end would be written down of another dialog.
    """
    _abandoned(tmp_path, dialog())
    _file(tmp_path).rename(_file(tmp_path, call_id="another@127.0.0.1"))

    assert [] == LostCalls(tmp_path).left_behind(10)


def test_what_was_noted_of_an_end_may_be_torn(tmp_path: Path) -> None:
    """
    Then nothing is known of it.
    """
    _file(tmp_path, OVER_SUFFIX).write_bytes(b"{")

    assert LostCalls(tmp_path).talk_s(ATTEMPT) is None


def test_however_many_were_left_behind_come_in_parts(tmp_path: Path) -> None:
    """
    The latest first: their callees still listen.
    """
    count, limit = 10_000, 100
    _abandoned(tmp_path, dialog())
    content = _file(tmp_path).read_text()
    newest_ns = _file(tmp_path).stat().st_mtime_ns
    _file(tmp_path).unlink()
    for number in range(count):
        call_id = f"{number}@127.0.0.1"
        path = _file(tmp_path, call_id=call_id)
        path.write_text(content.replace(CALL_ID, call_id))
        os.utime(path, ns=(newest_ns - number * NS,) * 2)
    calls = LostCalls(tmp_path)

    first = calls.left_behind(limit)
    for left in first:
        calls.note_over(left.call_id)
    second = calls.left_behind(limit)

    assert [f"{number}@127.0.0.1" for number in range(2 * limit)] == [left.call_id for left in first + second]


def test_old_files_are_removed(tmp_path: Path) -> None:
    """
    No call lasts for a day, and nobody asks for its end after one.
    """
    _abandoned(tmp_path, dialog())
    calls = LostCalls(tmp_path)
    calls.note_unheard("over@127.0.0.1")
    for path in tmp_path.iterdir():
        _change(path, -KEPT_S - 1)

    found = calls.left_behind(10)

    assert ([], []) == (found, list(tmp_path.iterdir()))


def test_a_folder_that_can_not_be_made_costs_no_call(tmp_path: Path, logs: list[MutableMapping[str, Any]]) -> None:
    """
    Whoever runs it is told what to change.
    """
    (tmp_path / "file").touch()
    calls = LostCalls(tmp_path / "file" / "dialogs")

    calls.keep(dialog())
    calls.beat()
    calls.count_no_more(CALL_ID)
    calls.forget(CALL_ID)
    calls.note_unheard(CALL_ID)

    assert ([], None) == (calls.left_behind(10), calls.talk_s(ATTEMPT))
    assert {"sip_dialogs_unusable", "sip_dialog_not_kept"} == {entry["event"] for entry in logs}


def test_a_full_disk_costs_no_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logs: list[MutableMapping[str, Any]]
) -> None:
    """
    Nothing half written is left, and a call that was kept before stays kept.
    """

    def full(*_arguments: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    calls = LostCalls(tmp_path)
    calls.keep(dialog("kept@127.0.0.1"))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        calls.keep(dialog())
        calls.keep(dialog("kept@127.0.0.1", sequence=8))
    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", lambda *_arguments: 1)
        calls.keep(dialog())
    left = [path.name for path in tmp_path.iterdir()]
    calls.close()

    assert [_file(tmp_path, call_id="kept@127.0.0.1").name] == left
    assert 3 == [entry["event"] for entry in logs].count("sip_dialog_not_kept")
    assert [dialog("kept@127.0.0.1")] == LostCalls(tmp_path).left_behind(10)


def test_a_folder_that_vanishes_costs_no_call(tmp_path: Path) -> None:
    """
    Its calls are forgotten with it.
    """
    folder = tmp_path / "dialogs"
    calls = LostCalls(folder)
    calls.keep(dialog())
    _file(folder).unlink()
    folder.rmdir()

    calls.beat()
    calls.keep(dialog("another@127.0.0.1"))
    calls.forget(CALL_ID)

    assert ([], None) == (calls.left_behind(10), calls.talk_s(ATTEMPT))


def test_no_folder_keeps_nothing() -> None:
    """
    Then a killed process's calls are nobody's.
    """
    calls = LostCalls(None)

    calls.keep(dialog())
    calls.note_over(CALL_ID)
    calls.give_up(CALL_ID)

    assert ([], None) == (calls.left_behind(10), calls.talk_s(ATTEMPT))
