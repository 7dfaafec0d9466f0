"""
Calls that talked when their process was killed: what a BYE to them needs, kept in a file each as long as they talk.

Files outlive a process that is killed, and a lock on each ends with it: so a later process knows which calls nobody
looks after any more.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import attrs
import structlog

from outdial.adapters.sip.transports import Host
from outdial.domain.model.sip_address import Transport

SUFFIX: Final = ".json"
_log = structlog.get_logger()


def _read_peer(peer: Sequence[Any]) -> Host:
    return str(peer[0]), int(peer[1])


@attrs.frozen(kw_only=True)
class LostDialog:
    """
    A dialog (RFC 3261, 12) as a later process can end it.

    Attributes:
        caller: Our `From`, with its tag.

        callee: The far end's `To`, with its tag.

        target: The far end's contact.

        routes: The route set, nearest first.

        sequence: The next request's number.

        peer: Where requests go.
    """

    call_id: str
    caller: str
    callee: str
    target: str
    routes: list[str]
    sequence: int
    peer: Host = attrs.field(converter=_read_peer)
    transport: Transport


class LostCalls:
    """
    A folder of dialogs.

    Args:
        folder: Made when it is missing; `None` keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._held: dict[Path, int] = {}
        if folder is not None:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def keep(self, dialog: LostDialog) -> None:
        """
        Remember a dialog until it is forgotten, or this process is gone; a disk that fails costs no call.
        """
        path = self._path(dialog.call_id)
        if path is None:
            return
        try:
            if path not in self._held:
                self._held[path] = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._held[path], fcntl.LOCK_EX | fcntl.LOCK_NB)
            written = json.dumps(attrs.asdict(dialog)).encode()
            os.ftruncate(self._held[path], os.pwrite(self._held[path], written, 0))
        except OSError as error:
            _log.warning("sip_dialog_not_kept", error=str(error))

    def forget(self, call_id: str) -> None:
        """
        Forget a dialog that is over. Idempotent.
        """
        path = self._path(call_id)
        descriptor = self._held.pop(path, None) if path is not None else None
        if path is not None and descriptor is not None:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)
            os.close(descriptor)

    def left_behind(self) -> Iterator[LostDialog]:
        """
        Yield the dialogs of processes that are gone; each is this process's to end and to forget.
        """
        for path in sorted(self._folder.glob(f"*{SUFFIX}")) if self._folder is not None else ():
            try:
                descriptor = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                continue
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                dialog = LostDialog(**json.loads(path.read_bytes()))
            except OSError:  # its process lives
                os.close(descriptor)
                continue
            except (ValueError, TypeError):
                _log.warning("sip_dialog_unreadable", file=path.name)
                path.unlink(missing_ok=True)
                os.close(descriptor)
                continue
            self._held[path] = descriptor
            yield dialog

    def _path(self, call_id: str) -> Path | None:
        return None if self._folder is None else self._folder / f"{call_id.encode().hex()}{SUFFIX}"
