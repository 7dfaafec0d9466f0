"""
The event dispatcher that sippy asks for timers, played by the running asyncio loop; and silence on standard output.

sippy's own dispatcher runs a loop and threads of its own. `install` has to be called before anything else of
sippy is imported, as its modules keep what they find at import.
"""

import importlib
import sys
import types
from asyncio import TimerHandle, get_running_loop
from collections.abc import Callable
from typing import Any, Final

import structlog

_MODULE: Final = "sippy.Core.EventDispatcher"
_TALKATIVE: Final = (
    "sippy.SipMsg",
    "sippy.SipTransactionManager",
    "sippy.SipURL",
    "sippy.UaStateConnected",
    "sippy.UacStateRinging",
    "sippy.UacStateTrying",
)
"""Modules which print whole messages, with the phone numbers in them."""

log = structlog.get_logger()


class Timer:
    """
    A callback due once, or every so often, in the shape of sippy's own timers.
    """

    def __init__(self, callback: Callable[..., object], delay_s: float, interval_s: float | None) -> None:
        self._callback: Callable[..., object] | None = callback
        self._delay_s = delay_s
        self._interval_s = interval_s
        self._handle: TimerHandle | None = None

    def go(self) -> None:
        """
        Start to run.
        """
        self._handle = get_running_loop().call_later(max(0.0, self._delay_s), self._fire)

    def cancel(self) -> None:
        """
        Never call back.
        """
        self._callback = None
        if self._handle is not None:
            self._handle.cancel()

    def _fire(self) -> None:
        callback = self._callback
        if callback is None:
            return
        if self._interval_s is None:
            self._callback = None
        else:
            self._handle = get_running_loop().call_later(self._interval_s, self._fire)
        try:
            callback()
        except Exception:  # one call's timer must not disturb another's
            log.exception("sip_timer_failed")


class Dispatcher:
    """
    What sippy's `ED2` is asked for.
    """

    def regTimer(  # noqa: N802 - sippy's name
        self,
        callback: Callable[..., object],
        interval: Any,
        runs: int | None = 1,
        absolute: bool = False,  # noqa: FBT001, FBT002 - sippy's signature
        *arguments: object,
    ) -> Timer:
        """
        Make a timer: due after some seconds, or at a `MonoTime` when absolute; for ever when `runs` is -1.
        """
        delay_s = -interval.offsetFromNow() if absolute else interval
        return Timer(lambda: callback(*arguments), delay_s, interval if runs == -1 else None)


def install() -> None:
    """
    Put the dispatcher in place; a second time is fine.

    Raises:
        ImportError: sippy is not installed.

        RuntimeError: Somebody else already runs sippy in this process with threads of its own.
    """
    installed = sys.modules.get(_MODULE)
    if installed is not None:
        if isinstance(getattr(installed, "ED2", None), Dispatcher):
            return
        raise RuntimeError("sippy was already imported with its own event dispatcher.")
    exceptions: Any = importlib.import_module("sippy.Core.Exceptions")
    exceptions.dump_exception = _log_exception
    module: Any = types.ModuleType(_MODULE)
    module.ED2 = Dispatcher()
    sys.modules[_MODULE] = module
    for name in _TALKATIVE:
        talkative: Any = importlib.import_module(name)
        talkative.print = _discard
    importlib.import_module("sippy.SipConf").SipConf.my_uaname = "outdial"


def _log_exception(*_message: object, **_extra: object) -> None:
    error = sys.exc_info()[1]
    log.warning("sip_message_not_understood", error=type(error).__name__)


def _discard(*_words: object, **_options: object) -> None:
    """
    Print nothing.
    """
