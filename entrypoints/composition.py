"""
The only file that names concrete adapters: which one serves which setting.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from outdial.adapters.batching.intake import BatchingIntake
from outdial.adapters.memory.speech import SilentSpeech
from outdial.adapters.memory.storage import MemoryStorage
from outdial.adapters.memory.tracer import SilentTracer
from outdial.adapters.memory.witness import TrustingWitness
from outdial.adapters.rate_limits.moving_window import MovingWindow, SteadyMemory
from outdial.adapters.runtimes.announce import AnnounceRuntime
from outdial.adapters.runtimes.sip_uri import SipUriRuntime
from outdial.adapters.simulator.carrier import SimulatorCarrier
from outdial.adapters.simulator.order_log import OrderLog
from outdial.adapters.sip.carrier import SipCarrier
from outdial.adapters.sip.trunk import Trunk
from outdial.adapters.speech.command import CommandSpeech, find_command
from outdial.adapters.speech.wav_file import WavFileSpeech
from outdial.adapters.sqlite import backup as sqlite_backup
from outdial.adapters.sqlite import schema
from outdial.adapters.sqlite.archive import SqliteArchive
from outdial.adapters.sqlite.lock import DiallingLock
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.adapters.sqlite.witness import FileWitness
from outdial.adapters.system.clock import SystemClock
from outdial.adapters.system.randomness import SystemRandomness
from outdial.adapters.webhook_http.sender import HttpWebhookSender
from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.sip_address import parse_sip_address
from outdial.entrypoints.dialogs_folder import dialogs_folder
from outdial.entrypoints.setting_texts import SQLITE_PREFIX, PostgresUrl
from outdial.entrypoints.settings import Settings
from outdial.ports.archive import Archive
from outdial.ports.carrier import Announce, Carrier
from outdial.ports.clock import Clock
from outdial.ports.errors import CarrierUnavailableError, MissingExtraError, SpeechError, StorageError
from outdial.ports.intake import Intake
from outdial.ports.randomness import Randomness
from outdial.ports.rate_limiter import RateLimiter
from outdial.ports.runtime import Runtime
from outdial.ports.speech import Speech
from outdial.ports.storage import Storage
from outdial.ports.tracer import Tracer
from outdial.ports.webhook_sender import WebhookSender
from outdial.ports.witness import Witness
from outdial.version import VERSION

if TYPE_CHECKING:
    from outdial.adapters.postgres.queue_signal import QueueSignal


def clock() -> Clock:
    """
    Return the clock of everything that is not a test.
    """
    return SystemClock()


def randomness() -> Randomness:
    """
    Return the source of tokens and secrets.
    """
    return SystemRandomness()


def database_path(settings: Settings) -> Path | None:
    """
    Return the SQLite file that the settings name; `None` for a database in memory or on a server.
    """
    database = settings.database
    return Path(database.removeprefix(SQLITE_PREFIX)) if database.startswith(SQLITE_PREFIX) else None


def database_url(settings: Settings) -> str | None:
    """
    Return the address of the PostgreSQL database that the settings name, with its password; `None` for others.
    """
    return settings.database.whole if isinstance(settings.database, PostgresUrl) else None


def migrate(settings: Settings) -> tuple[str, ...]:
    """
    Bring the database's schema up to date.

    Returns:
        The names of the migrations that were applied.

    Raises:
        StorageError: The database can't be written, or its schema is newer than this version.
    """
    path, url = database_path(settings), database_url(settings)
    if url is not None:
        with _postgres_needed():
            from outdial.adapters.postgres import schema as postgres_schema  # noqa: PLC0415 - an extra
        return tuple(postgres_schema.migrate(url))
    return tuple(schema.migrate(path)) if path is not None else ()


def storage(settings: Settings) -> Storage:
    """
    Return the database; a SQLite file that does not exist is made.

    Raises:
        StorageError: The file can't be made, or what the database needs is not installed.
    """
    path, url = database_path(settings), database_url(settings)
    if url is not None:
        with _postgres_needed():
            from outdial.adapters.postgres.storage import PostgresStorage  # noqa: PLC0415 - an extra
        return PostgresStorage(url)
    if path is None:
        return MemoryStorage()
    if not path.exists():
        schema.migrate(path)
    return SqliteStorage(path)


def archive(settings: Settings) -> Archive:
    """
    Return the database as something that is copied as a whole.

    Raises:
        StorageError: It keeps nothing, or what it needs is not installed.
    """
    path, url = database_path(settings), database_url(settings)
    if url is not None:
        with _postgres_needed():
            from outdial.adapters.postgres.archive import PostgresArchive  # noqa: PLC0415 - an extra
        return PostgresArchive(url)
    if path is None:
        raise StorageError("A database in memory ends with its process: it can't be copied.")
    return SqliteArchive(path)


def back_up(settings: Settings, target: Path, *, replaces: bool = False) -> Mapping[str, int]:
    """
    Back the database up into a file, and return how many rows each table has.

    Args:
        replaces: Whether the file may be there already.

    Raises:
        StorageError: There is no backup; the message says why and what to do.
    """
    path = database_path(settings)
    if path is None and not is_shared(settings):
        raise StorageError("A database in memory ends with its process: it can't be backed up.")
    if path is None:
        raise StorageError(
            "A PostgreSQL database is backed up by its own means: pg_dump, or base backups with continuous archiving."
            " When one is restored or promoted, workers notice it and dial nothing that waited in it."
        )
    return sqlite_backup.back_up(path, target, replaces=replaces)


def dialling_rights(settings: Settings) -> AbstractContextManager[None]:
    """
    Return what makes this process the only one that dials from the database, where only one may.

    Entering it raises `StorageError` when another process dials already.
    """
    path = database_path(settings)
    return nullcontext() if path is None else _held(DiallingLock(path))


def witness(settings: Settings) -> Witness:
    """
    Return what remembers how far the database was dialled.
    """
    path = database_path(settings)
    return TrustingWitness() if path is None else FileWitness(path)


def is_dialled(settings: Settings) -> bool:
    """
    Tell whether a process dials from the database now, where only one may; looking makes no file.

    Raises:
        StorageError: Nobody can tell.
    """
    path = database_path(settings)
    return path is not None and DiallingLock(path).is_held()


def is_shared(settings: Settings) -> bool:
    """
    Tell whether several processes may dial from the database at the same time.
    """
    return database_url(settings) is not None


def queue_signal(settings: Settings, on_signal: Callable[[], None]) -> AbstractAsyncContextManager[None]:
    """
    Return what calls `on_signal` when another process has queued calls, where the database can tell.
    """
    url = database_url(settings)
    if url is None:
        return nullcontext()
    with _postgres_needed():
        from outdial.adapters.postgres.queue_signal import QueueSignal  # noqa: PLC0415 - an extra
    return _listening(QueueSignal(url, on_signal))


def intake(settings: Settings, store: Storage, **collaborators: Any) -> Intake:
    """
    Return the front of acceptance; `collaborators` are those of `BatchingIntake`.
    """
    return BatchingIntake(store, settings.policy, **collaborators)


def rate_limiter(settings: Settings, clock: Clock) -> RateLimiter:
    """
    Return what counts requests: in this process, or together with others over Redis.

    Raises:
        MissingExtraError: What Redis needs is not installed.
    """
    alone = MovingWindow(SteadyMemory(monotonic), monotonic)
    if not settings.rate_limit_storage:
        return alone
    try:
        from outdial.adapters.rate_limits.shared import SharedWindow  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError(
            "OUTDIAL_RATE_LIMIT_STORAGE needs the extra `redis`: pip install 'outdial[redis]'."
        ) from error
    return SharedWindow(settings.rate_limit_storage, now_s=lambda: clock.now().timestamp(), alone=alone)


def webhook_sender(settings: Settings) -> WebhookSender:
    """
    Return what reaches the endpoints of webhooks.
    """
    return HttpWebhookSender(allows_loopback=settings.webhook_allow_http_loopback)


def tracer(settings: Settings) -> Tracer:
    """
    Return what follows requests through everything that is done for them, if anybody is told.

    Raises:
        MissingExtraError: What that needs is not installed.
    """
    if not settings.traces:
        return SilentTracer()
    try:
        from outdial.adapters.opentelemetry.tracer import OpenTelemetryTracer  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingExtraError("OUTDIAL_TRACES needs the extra `otel`: pip install 'outdial[otel]'.") from error
    return OpenTelemetryTracer.to_collector(settings.traces, version=VERSION, role=settings.role)


def carrier(settings: Settings, *, ends_lost_calls: bool = True) -> Carrier:
    """
    Return what rings the phones.

    Args:
        ends_lost_calls: Whether it remembers calls that talk, and hangs up those of killed processes.

    Raises:
        CarrierUnavailableError: The settings of the trunk don't fit together.
    """
    if settings.carrier == "simulator":
        log = OrderLog(Path(settings.simulator_log)) if settings.simulator_log else None
        return SimulatorCarrier(clock(), time_scale=settings.simulator_time_scale, log=log)
    host, port = settings.sip_bind
    first_port, last_port = settings.rtp_ports
    try:
        address = parse_sip_address(settings.sip_trunk)
    except ValueError as error:
        raise CarrierUnavailableError(f"OUTDIAL_SIP_TRUNK: {error}") from error
    try:
        trunk = Trunk(
            address=address,
            advertised_host=settings.sip_advertised_host or None,
            caller_id_host=settings.sip_caller_id_host or None,
            username=settings.sip_username or None,
            password=settings.sip_password or None,
            bind_host=host,
            bind_port=port,
            rtp_port_min=first_port,
            rtp_port_max=last_port,
            tls_ca_file=settings.sip_tls_ca or None,
            dialogs_folder=dialogs_folder(settings, database_path(settings)) if ends_lost_calls else None,
        )
    except ValueError as error:
        raise CarrierUnavailableError(f"OUTDIAL_SIP_* and OUTDIAL_RTP_PORTS don't go together: {error}") from error
    return SipCarrier(trunk, clock())


async def reach(carrier: Carrier) -> None:
    """
    Look whether a started carrier gets to whoever rings the phones for it, where there is somebody; no call is tried.

    Raises:
        CarrierUnavailableError: It doesn't, now.
    """
    if isinstance(carrier, SipCarrier):
        await carrier.reach()


def speech(settings: Settings) -> Speech:
    """
    Return the voice; the simulator, which moves no sound, needs none.

    Raises:
        SpeechError: There is none; the message says what to install or set.
    """
    if settings.speech_file:
        return WavFileSpeech(Path(settings.speech_file))
    command = settings.speech_command or find_command()
    if settings.carrier == "simulator" and not settings.speech_command:
        return SilentSpeech()
    if command is None:
        raise SpeechError("Neither flite nor espeak-ng was found: install one, or set OUTDIAL_SPEECH_COMMAND.")
    try:
        return CommandSpeech(command)
    except SpeechError as error:
        raise SpeechError(f"OUTDIAL_SPEECH_COMMAND: {error}") from error


async def apology(settings: Settings) -> Announce:
    """
    Return what is said to whoever answers a call that must not go on.

    Raises:
        SpeechError: The voice failed.
    """
    voice = speech(settings)
    if isinstance(voice, WavFileSpeech):  # it knows one sentence, and that is another
        command = settings.speech_command or find_command()
        voice = CommandSpeech(command) if command is not None else SilentSpeech()
    return Announce(audio=await voice.speak(settings.apology))


def runtimes(settings: Settings) -> Mapping[RuntimeKind, Runtime]:
    """
    Return what makes agents talk, by the agent's runtime.

    Raises:
        SpeechError: There is no voice.
    """
    return {
        RuntimeKind.ANNOUNCE: AnnounceRuntime(speech(settings)),
        RuntimeKind.SIP_URI: SipUriRuntime(),
    }


@contextmanager
def _held(lock: DiallingLock) -> Iterator[None]:
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


@asynccontextmanager
async def _listening(signal: "QueueSignal") -> AsyncIterator[None]:
    await signal.start()
    try:
        yield
    finally:
        await signal.stop()


@contextmanager
def _postgres_needed() -> Iterator[None]:
    """
    Say what to install when the extra `postgres` is missing.
    """
    try:
        yield
    except ImportError as error:
        raise StorageError(
            "A postgresql:// database needs the extra `postgres`: pip install 'outdial[postgres]'."
        ) from error
