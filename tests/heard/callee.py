"""
A callee with ears: Debian's baresip answers every call on 127.0.0.1 and records what it hears.

It needs no sound card: it hums a tone of its own (module ausine) and records what arrives (module sndfile).
"""

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

HOST: Final = "127.0.0.1"
USER: Final = "callee"
MODULES: Final = ("/usr/lib/baresip/modules", "/usr/local/lib/baresip/modules")

_START_S: Final = 10.0
_STOP_S: Final = 5.0
_POLL_S: Final = 0.02
_STARTS_MAX: Final = 3
"""The port is chosen before baresip binds it; another program may be faster."""

_WAV_HEADER_BYTES: Final = 44

_ACCOUNT: Final = "<sip:{user}@{host}:{port}>;regint=0;answermode=auto;audio_codecs=pcmu/8000/1,pcma/8000/1\n"

_CONFIG: Final = """\
poll_method epoll
sip_listen {host}:{port}
net_interface {host}
call_max_calls 100
audio_player aubridge,nobody
audio_source ausine,440
audio_alert aubridge,nobody
ausrc_srate 48000
ausrc_channels 2
auplay_srate 8000
jitter_buffer_delay 1-5
module_path {modules}
module g711.so
module sndfile.so
module ausine.so
module aubridge.so
module_tmp account.so
module_app menu.so
snd_path {recordings}
"""


class CalleeError(Exception):
    """
    The callee did not start or heard nothing; its log is in the message.
    """


@attrs.frozen(kw_only=True)
class Callee:
    """
    A phone that answers at once.

    Attributes:
        port: Where it listens for SIP, on 127.0.0.1, over UDP and TCP.

        folder: Its settings, log and recordings.

        process: The running baresip.
    """

    port: int
    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        """
        What baresip printed.
        """
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    def recordings(self) -> tuple[Path, ...]:
        """
        Return a WAV file for each call that has ended, oldest first.

        baresip names them by the second: of two calls answered within a second one file is left.
        """
        found = sorted((self.folder / "recordings").glob("dump-*-dec.wav"))
        return tuple(path for path in found if _is_complete(path))

    def recording(self, wait_s: float = 10.0) -> Path:
        """
        Return the latest WAV file; waits until a call has ended. It is gone when the callee is.

        Raises:
            CalleeError: No call ended in time.
        """
        deadline = time.monotonic() + wait_s
        while not (found := self.recordings()):
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise CalleeError(f"The callee recorded no call.\n{self.log}")
            time.sleep(_POLL_S)
        return found[-1]


@contextmanager
def callee(*users: str) -> Iterator[Callee]:
    """
    Start a callee; end it after the block.

    Args:
        users: Who it is: the user part of the SIP URIs it answers, such as `+12025550123`; without any, `callee`.
            To others it says 404: Debian's baresip 1.0.0 knows no `catchall` of accounts yet.

    Raises:
        CalleeError: It did not start.
    """
    with tempfile.TemporaryDirectory(prefix="callee-") as name:
        started = _start(Path(name), users or (USER,))
        try:
            yield started
        finally:
            _stop(started.process)


def _start(folder: Path, users: Sequence[str]) -> Callee:
    for _ in range(_STARTS_MAX):
        port = _free_port()
        _write_settings(folder, port, users)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["baresip", "-f", str(folder)], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        started = Callee(port=port, folder=folder, process=process)
        if _answers(started):
            return started
        _stop(process)
    raise CalleeError(f"baresip did not start.\n{started.log}")


def _write_settings(folder: Path, port: int, users: Sequence[str]) -> None:
    recordings = folder / "recordings"
    recordings.mkdir(exist_ok=True)
    modules = next((path for path in MODULES if Path(path).is_dir()), MODULES[0])
    config = _CONFIG.format(host=HOST, port=port, modules=modules, recordings=recordings)
    (folder / "config").write_text(config, encoding="utf-8")
    accounts = "".join(_ACCOUNT.format(user=user, host=HOST, port=port) for user in users)
    (folder / "accounts").write_text(accounts, encoding="utf-8")
    (folder / "contacts").touch()


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_STOP_S)


def _free_port() -> int:
    # baresip binds UDP and TCP, and TCP of the next port for TLS.
    while True:
        with socket.socket() as tcp, socket.socket() as tls, socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind((HOST, 0))
                port: int = tcp.getsockname()[1]
                tls.bind((HOST, port + 1))
                udp.bind((HOST, port))
            except (OSError, OverflowError):
                continue
            return port


def _answers(started: Callee) -> bool:
    """
    Whether baresip answers an OPTIONS request (RFC 3261, 11) before the time is over.
    """
    deadline = time.monotonic() + _START_S
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        sock.settimeout(0.1)
        request = _options(started.port, sock.getsockname()[1])
        while time.monotonic() < deadline and started.process.poll() is None:
            try:
                sock.sendto(request, (HOST, started.port))
                return sock.recv(65_535).startswith(b"SIP/2.0 ")
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(_POLL_S)
    return False


def _options(port: int, own_port: int) -> bytes:
    lines = (
        f"OPTIONS sip:callee@{HOST}:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP {HOST}:{own_port};branch=z9hG4bK-ready-{own_port};rport",
        "Max-Forwards: 70",
        f"From: <sip:ready@{HOST}:{own_port}>;tag=ready",
        f"To: <sip:callee@{HOST}:{port}>",
        f"Call-ID: ready-{own_port}",
        "CSeq: 1 OPTIONS",
        f"Contact: <sip:ready@{HOST}:{own_port}>",
        "Content-Length: 0",
        "",
        "",
    )
    return "\r\n".join(lines).encode()


def _is_complete(path: Path) -> bool:
    # libsndfile writes the sizes into the header when the call ends.
    with path.open("rb") as file:
        header = file.read(_WAV_HEADER_BYTES)
    declared = int.from_bytes(header[4:8], "little")
    return len(header) == _WAV_HEADER_BYTES and declared == path.stat().st_size - 8
