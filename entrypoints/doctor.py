"""
Is everything ready for `outdial serve`? Looks, says what to do, and changes nothing.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import attrs

from outdial.entrypoints import composition
from outdial.entrypoints.dialogs_folder import dialogs_folder
from outdial.entrypoints.logs import set_up_own_logging
from outdial.entrypoints.mcp.extra import McpMissingError, need_mcp
from outdial.entrypoints.readiness import place_if_writable
from outdial.entrypoints.settings import Settings, SettingsError, read_settings
from outdial.ports.carrier import Carrier
from outdial.ports.errors import CarrierUnavailableError, SpeechError, StorageError

SPOKEN: Final = "Hello."
NOT_LOOKED_AT: Final = "Not looked at: it depends on what is wrong above."

ELSEWHERE_KEPT: Final = "Set OUTDIAL_SIP_DIALOGS to a folder that can be."
ELSEWHERE: Final = "It was restored, copied or promoted: the next worker ends what waits in it, and begins a new epoch."


@attrs.frozen(kw_only=True)
class Check:
    """
    One thing that has to be right.

    Attributes:
        name: What was looked at.

        ok: Whether it is right.

        finding: What was found, or what is wrong and what to do about it.
    """

    name: str
    ok: bool
    finding: str


async def examine(variables: Mapping[str, str]) -> tuple[Check, ...]:
    """
    Look at everything that the variables set up, the settings themselves first.
    """
    try:
        settings = read_settings(variables)
    except SettingsError as error:
        checks = [Check(name="settings", ok=False, finding=problem) for problem in error.problems]
        return (*checks, *(Check(name=name, ok=False, finding=NOT_LOOKED_AT) for name in PARTS))
    database = await _database(settings)
    dialling, is_dialled = _dialling(settings) if database.ok else (_unknown("dialling"), False)
    return (
        _extras(settings),
        database,
        dialling,
        await _carrier(settings, is_dialled=is_dialled),
        await _speech(settings),
    )


def _extras(settings: Settings) -> Check:
    try:
        if settings.mcp == "on":
            need_mcp()
    except McpMissingError as error:
        return _bad("settings", f"OUTDIAL_MCP: {error}")
    return _good("settings", "All are understood.")


PARTS: Final = ("database", "dialling", "carrier", "speech")


def _unknown(name: str) -> Check:
    return Check(name=name, ok=False, finding=NOT_LOOKED_AT)


async def _database(settings: Settings) -> Check:
    path = composition.database_path(settings)
    if path is None and not composition.is_shared(settings):
        return _good("database", "In memory: everything is lost when the process ends.")
    if path is not None and (problem := _problem_of_file(path)):
        return _bad("database", problem)
    try:
        storage = composition.storage(settings)
        await storage.start()
        try:
            place = await storage.transact(place_if_writable)
        finally:
            await storage.stop()
        is_known = await composition.witness(settings).confirms(place)
    except StorageError as error:
        return _bad("database", str(error))
    finding = f"{path or settings.database} has the newest schema and can be written. Its epoch is {place.epoch}."
    return _good("database", finding if is_known else f"{finding} {ELSEWHERE}")


def _problem_of_file(path: Path) -> str | None:
    """
    Return why a SQLite file can't be opened; opening it would make it.
    """
    if not path.absolute().parent.is_dir():
        return f"{path.parent} is no folder: make it, or set OUTDIAL_DATABASE to another place."
    return None if path.exists() else f"{path} does not exist: run `outdial migrate`."


def _dialling(settings: Settings) -> tuple[Check, bool]:
    """
    Tell whether a process dials from the database; it is fine either way, one may.
    """
    if composition.is_shared(settings):
        return _good("dialling", "Any number of workers may dial from this database."), False
    try:
        is_dialled = composition.is_dialled(settings)
    except StorageError as error:
        return _bad("dialling", str(error)), False
    if is_dialled:
        return _good("dialling", "An outdial process dials from this database now."), True
    return _good("dialling", "Nobody dials from this database: `outdial serve` may."), False


async def _carrier(settings: Settings, *, is_dialled: bool) -> Check:
    """
    Get the carrier ready, look for its trunk and put it away again, unless a running process has its addresses.
    """
    set_up_own_logging(settings)  # or what the carrier logs would stand among the answer
    try:
        carrier = composition.carrier(settings, ends_lost_calls=False)
        if not is_dialled:
            await _tried(carrier)
    except CarrierUnavailableError as error:
        return _bad("carrier", str(error))
    if settings.carrier == "simulator":
        return _good("carrier", "Simulated: no phone rings. Set OUTDIAL_CARRIER=sip for real calls.")
    folder = dialogs_folder(settings, composition.database_path(settings))
    if not _is_writable(folder):
        return _bad("carrier", f"{folder} can't be written: nobody hangs up a killed process's calls. {ELSEWHERE_KEPT}")
    host, port = settings.sip_bind
    return _good("carrier", f"SIP over {settings.sip_trunk}, from {host}:{port}. No call was tried.")


def _is_writable(folder: Path) -> bool:
    """
    Tell whether files can be made in a folder, or the folder itself where it is missing.
    """
    existing = next((place for place in (folder, *folder.absolute().parents) if place.exists()), folder)
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


async def _tried(carrier: Carrier) -> None:
    try:
        await carrier.start()
        await composition.reach(carrier)
    finally:
        await carrier.stop()


async def _speech(settings: Settings) -> Check:
    try:
        audio = await composition.speech(settings).speak(SPOKEN)
    except SpeechError as error:
        return _bad("speech", str(error))
    if settings.speech_file:
        return _good("speech", f"{settings.speech_file} is played, {audio.duration_s:.1f} s long.")
    if settings.carrier == "simulator" and not settings.speech_command:
        return _good("speech", "None is needed: the simulator moves no sound.")
    command = settings.speech_command or "The first of flite and espeak-ng that is installed"
    return _good("speech", f"{command} spoke a word of {audio.duration_s:.1f} s.")


def _good(name: str, finding: str) -> Check:
    return Check(name=name, ok=True, finding=finding)


def _bad(name: str, finding: str) -> Check:
    return Check(name=name, ok=False, finding=finding)
