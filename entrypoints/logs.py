"""
Logging: structlog to standard error, the standard library's loggers through the same steps, secrets struck out.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Any, Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from outdial.entrypoints.settings import Settings

STRUCK_OUT: Final = "***"

SECRET_FIELDS: Final = ("authorization", "api_key", "password", "secret")
"""A field whose name holds one of these is struck out whole."""

NUMBER_FIELDS: Final = frozenset({"phone_number", "callee", "caller_id"})
"""Fields whose digits are a phone number even without a plus sign."""

LAST_DIGITS: Final = 4
"""What is kept of a phone number: enough to recognise a call that one looks for."""

_KEY: Final = re.compile(r"\b(od_live_|whsec_)[\w+/=]+")
_BEARER: Final = re.compile(r"(?i)\b(bearer )\S+")
_NUMBER: Final = re.compile(r"(?:\+|%2B|(?<=sip:)|(?<=sips:))[0-9](?:[ .()-]{0,2}[0-9]){6,14}")
_PLAIN: Final = (bool, int, float, type(None))


def set_up_logging(settings: Settings) -> None:
    """
    Send every log line to standard error, in the settings' format and from their level upwards.
    """
    set_up_own_logging(settings)
    level = _level(settings)
    renderer = _renderer(settings.log_format)
    handler = _StandardErrorHandler()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.add_logger_name, *_SHARED],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # uvicorn tells of its start and end at `info`, as the command line does itself, in its own words.
    logging.getLogger("uvicorn").setLevel(max(level, logging.WARNING))
    # The SDK of the Model Context Protocol tells of each request at `info`, and of what stands in it at `debug`.
    logging.getLogger("mcp").setLevel(max(level, logging.WARNING))


def set_up_own_logging(settings: Settings) -> None:
    """
    Send outdial's own log lines to standard error and leave the standard library's loggers as they are.
    """
    structlog.configure(
        processors=[*_SHARED, _renderer(settings.log_format)],
        wrapper_class=structlog.make_filtering_bound_logger(_level(settings)),
        logger_factory=lambda *_names: structlog.WriteLogger(sys.stderr),
    )


def _level(settings: Settings) -> int:
    return logging.getLevelNamesMapping()[settings.log_level.upper()]


def censor(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """
    Strike out secrets, and phone numbers but for their last digits, wherever they stand in an event.
    """
    return {name: _censored(name, value) for name, value in event.items()}


def _censored(name: str, value: object) -> Any:
    lowered = name.lower().replace("-", "_")
    if any(word in lowered for word in SECRET_FIELDS):
        return STRUCK_OUT
    match value:
        case Mapping():
            return {str(inner): _censored(str(inner), part) for inner, part in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_censored(name, part) for part in value]
        case _ if lowered in NUMBER_FIELDS:
            return _ending_of(str(value))
        case _ if isinstance(value, _PLAIN) or name.startswith("_"):
            return value  # names with an underscore are structlog's own
        case _:
            return _censored_text(str(value))


def _censored_text(text: str) -> str:
    text = _KEY.sub(rf"\1{STRUCK_OUT}", text)
    text = _BEARER.sub(rf"\1{STRUCK_OUT}", text)
    return _NUMBER.sub(lambda match: _ending_of(match[0]), text)


def _ending_of(number: str) -> str:
    digits = [character for character in number if character.isdecimal()]
    return STRUCK_OUT + "".join(digits[-LAST_DIGITS:])


def _renderer(log_format: str) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)


class _StandardErrorHandler(logging.StreamHandler[Any]):
    """
    Writes to whatever standard error is at the time.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """
        Write one line.
        """
        self.stream = sys.stderr
        super().emit(record)


_SHARED: Final[tuple[Processor, ...]] = (
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,  # as text, before `censor` reads it; values of local variables are not shown
    censor,
)
"""What every line goes through, whoever wrote it."""
