"""
Calls that talk, kept in a file each, so that somebody can end and bill them should their process be killed.

Files outlive a process that is killed, and a lock on each ends with it: so others know which calls nobody looks after
any more. A file's time of change is the last second in which its process is known to have lived, counted from the
answer by a steady clock: nobody pays for the silence after it.
"""

import contextlib
import fcntl
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import structlog

from outdial.domain.model.sip_address import Transport

SUFFIX: Final = ".json"
NEW_SUFFIX: Final = ".new"
OVER_SUFFIX: Final = ".over"
"""Of a dialog that may live, of one that is being written down, and of one that is surely over."""

KEPT_S: Final = 86_400
"""Files that old are of no use any more: no call lasts for as long, and nobody asks for one so late."""

NAME_BYTES_MAX: Final = 200

_log = structlog.get_logger()


def _read_peer(peer: Sequence[Any]) -> tuple[str, int]:
    return str(peer[0]), int(peer[1])


@attrs.frozen(kw_only=True)
class LostDialog:
    """
    A dialog (RFC 3261, 12) as a later process can end it.

    Attributes:
        call_id: The attempt's name, `@` and a host for the callee's leg; the agent's has `.agent` between them.

        caller: Our `From`, with its tag.

        callee: The far end's `To`, with its tag.

        target: The far end's contact.

        routes: The route set, nearest first.

        sequence: The next request's number.

        peer: Where requests go.

        name: Whom the peer's certificate has to name.

        authenticates: Whether a challenge is answered with the trunk's credentials.
    """

    call_id: str
    caller: str
    callee: str
    target: str
    routes: list[str]
    sequence: int
    peer: tuple[str, int] = attrs.field(converter=_read_peer)
    transport: Transport
    name: str
    authenticates: bool


def _read(path: Path) -> LostDialog:
    """
    Read a dialog.

    Raises:
        OSError: It can't be read.

        ValueError: It is none; so say TypeError, KeyError, AttributeError and IndexError.
    """
    content = json.loads(path.read_bytes())
    del content["answered_ns"]
    dialog = LostDialog(**content)
    if path.stem != dialog.call_id.encode().hex():
        raise ValueError("It belongs to another dialog.")
    return dialog


@attrs.define
class _Held:
    """
    A file of this process.

    Attributes:
        answered_ns: When the call was answered, by the file system's clock.

        began_ns: The same by the steady clock.
    """

    descriptor: int
    answered_ns: int
    began_ns: int
    is_counting: bool = True

    def write(self, dialog: LostDialog) -> None:
        """
        Write the whole file anew.

        Raises:
            OSError: It is not all on the disk.
        """
        written = json.dumps({"answered_ns": self.answered_ns, **attrs.asdict(dialog)}).encode()
        if os.pwrite(self.descriptor, written, 0) < len(written):
            raise OSError("The disk is full.")
        os.ftruncate(self.descriptor, len(written))

    def touch(self, path: Path) -> None:
        """
        Note that the call talks now.
        """
        if self.is_counting:
            now_ns = self.answered_ns + time.monotonic_ns() - self.began_ns
            os.utime(path, ns=(now_ns, now_ns))


class LostCalls:
    """
    A folder of dialogs. Several processes may use one; a folder or disk that fails costs no call.

    Args:
        folder: Made when it is missing; `None` keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._held: dict[Path, _Held] = {}
        self._given_up: set[Path] = set()
        try:
            if folder is not None:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            _log.error(
                "sip_dialogs_unusable",
                folder=str(folder),
                error=str(error),
                effect="Nobody hangs up the calls of a killed process: set OUTDIAL_SIP_DIALOGS to a folder of yours.",
            )

    def keep(self, dialog: LostDialog) -> None:
        """
        Remember a dialog that talks until it is forgotten; a second time, what it is now.
        """
        path = self._path(dialog.call_id)
        if path is None:
            return
        try:
            held = self._held.get(path) or self._create(path)
            held.write(dialog)
            with contextlib.suppress(FileNotFoundError):  # it has its name already
                path.with_suffix(NEW_SUFFIX).rename(path)
            held.touch(path)
        except OSError as error:
            _log.warning("sip_dialog_not_kept", sip_call_id=dialog.call_id, error=str(error))
            if not path.exists():
                self._drop(path, path.with_suffix(NEW_SUFFIX))

    def count_no_more(self, call_id: str) -> None:
        """
        Let a dialog's talk end now; what follows is only its BYE. Idempotent.
        """
        path = self._path(call_id)
        held = self._held.get(path) if path is not None else None
        if held is not None:
            held.is_counting = False

    def beat(self) -> None:
        """
        Note that all dialogs of this process that talk still do; blocks for the disk.
        """
        for path, held in list(self._held.items()):
            with contextlib.suppress(OSError):
                held.touch(path)

    def forget(self, call_id: str) -> None:
        """
        Forget a dialog that is over, and whose end its own process tells. Idempotent.
        """
        path = self._path(call_id)
        if path is not None:
            self._drop(path, path)

    def close(self) -> None:
        """
        Leave what is not over to other processes.
        """
        for path in list(self._held):
            self._drop(path)

    def left_behind(self, limit: int) -> list[LostDialog]:
        """
        Return at most so many dialogs of processes that are gone, the latest first; blocks for the disk.

        Each is this process's to end, and then to be passed to `note_over` or `give_up`.
        """
        found: list[LostDialog] = []
        for path in self._latest_files():
            if len(found) >= limit:
                break
            if path not in self._held and path not in self._given_up:
                found += self._taken(path)
        return found

    def note_over(self, call_id: str) -> None:
        """
        Write down that a dialog which was left behind is surely over; `talk_s` tells it from now on.
        """
        path = self._path(call_id)
        if path is not None:
            with contextlib.suppress(OSError):
                path.rename(path.with_suffix(OVER_SUFFIX))
            self._drop(path)

    def note_unheard(self, call_id: str) -> None:
        """
        Write down that a call of a process that is gone was answered and hung up at once, unless it is known to talk.

        Its answer may be one that comes again because the killed process's ACK was lost.
        """
        path = self._path(call_id)
        if path is not None and not path.exists():
            with contextlib.suppress(OSError):  # such as that it is there
                path.with_suffix(OVER_SUFFIX).touch(mode=0o600, exist_ok=False)

    def give_up(self, call_id: str) -> None:
        """
        Leave a dialog to a later process, as it could not be ended.
        """
        path = self._path(call_id)
        if path is not None:
            self._given_up.add(path)
            self._drop(path)

    def talk_s(self, attempt_id: str) -> int | None:
        """
        Return how long an attempt talked whose callee's dialog is surely over; blocks for the disk.

        It is counted in whole seconds, rounded up, from the answer to the last sign of life of its process; 0 when
        nobody was there any more at the answer. `None` when nothing is known.
        """
        if self._folder is None:
            return None
        prefix = f"{attempt_id}@".encode().hex()
        for path in self._folder.glob(f"{prefix}*{OVER_SUFFIX}"):
            try:
                content = path.read_bytes()
                answered_ns = int(json.loads(content)["answered_ns"]) if content else None
                lived_ns = path.stat().st_mtime_ns
            except (OSError, ValueError, TypeError, KeyError) as error:
                _log.warning("sip_dialog_unreadable", file=path.name, error=str(error))
                continue
            return 0 if answered_ns is None else max(1, math.ceil((lived_ns - answered_ns) / 1e9))
        return None

    def _path(self, call_id: str) -> Path | None:
        name = call_id.encode().hex()
        return None if self._folder is None or len(name) > NAME_BYTES_MAX else self._folder / f"{name}{SUFFIX}"

    def _create(self, path: Path) -> _Held:
        """
        Begin a file under another name: nobody else may lock it before this process does, or read half of it.
        """
        descriptor = os.open(path.with_suffix(NEW_SUFFIX), os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        answered_ns = os.fstat(descriptor).st_mtime_ns
        held = self._held[path] = _Held(descriptor, answered_ns, time.monotonic_ns())
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return held

    def _drop(self, path: Path, file: Path | None = None) -> None:
        """
        Let go of a file of this process, and remove one if named.
        """
        held = self._held.pop(path, None)
        if held is not None:
            if file is not None:
                with contextlib.suppress(OSError):
                    file.unlink(missing_ok=True)
            os.close(held.descriptor)

    def _latest_files(self) -> Iterator[Path]:
        """
        Yield the dialogs' files, the latest first, and remove those of no use any more.
        """
        if self._folder is None:
            return
        files: list[tuple[int, Path]] = []
        with contextlib.suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    files.append((entry.stat().st_mtime_ns, Path(entry.path)))
        outdated_ns = time.time_ns() - KEPT_S * 10**9
        for changed_ns, path in sorted(files, reverse=True):
            if path.suffix in {SUFFIX, NEW_SUFFIX, OVER_SUFFIX} and changed_ns < outdated_ns:
                _log.warning("sip_dialog_outdated", file=path.name)
                with contextlib.suppress(OSError):
                    path.unlink(missing_ok=True)
            elif path.suffix == SUFFIX:
                yield path

    def _taken(self, path: Path) -> list[LostDialog]:
        """
        Return a file's dialog and hold it, unless a living process does.
        """
        try:
            descriptor = os.open(path, os.O_RDWR)
        except OSError:
            return []
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not os.path.samestat(os.fstat(descriptor), path.stat()):
                raise FileNotFoundError(path)  # somebody else was done with it meanwhile
            dialog = _read(path)
        except OSError:
            os.close(descriptor)
            return []
        except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
            _log.warning("sip_dialog_unreadable", file=path.name, error=str(error))
            self._given_up.add(path)
            os.close(descriptor)
            return []
        self._held[path] = _Held(descriptor, 0, 0, is_counting=False)
        return [dialog]
