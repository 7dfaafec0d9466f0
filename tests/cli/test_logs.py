"""
What is logged, where, and what never is.
"""

import json
import logging

import pytest
import structlog

from outdial.domain.model.phone_number import PhoneNumber
from outdial.entrypoints.logs import censor, set_up_logging
from outdial.entrypoints.settings import Settings
from tests import builders

KEY = builders.key_text()


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"event": f"took {KEY}, twice {KEY}"}, {"event": "took od_live_***, twice od_live_***"}),
        ({"event": "made whsec_c2Vj/cmV0+A==, kept"}, {"event": "made whsec_***, kept"}),
        ({"path": f"/x?api_key={KEY}&y=1"}, {"path": "/x?api_key=od_live_***&y=1"}),
        ({"event": "Authorization: Bearer abc.def"}, {"event": "Authorization: Bearer ***"}),
        ({"authorization": "Basic x", "X-Api-Key": "y"}, {"authorization": "***", "X-Api-Key": "***"}),
        ({"sip_password": "x", "webhook_secret": 1}, {"sip_password": "***", "webhook_secret": "***"}),
        ({"headers": {"authorization": "x", "n": 1}}, {"headers": {"authorization": "***", "n": 1}}),
        ({"keys": [KEY, (KEY,)]}, {"keys": ["od_live_***", ["od_live_***"]]}),
        ({"error": ValueError(KEY)}, {"error": "od_live_***"}),
        ({"event": "called +15551234567."}, {"event": "called ***4567."}),
        ({"event": "called +1 (555) 123-4567"}, {"event": "called ***4567"}),
        ({"uri": "sip:15551234567@trunk.example"}, {"uri": "sip:***4567@trunk.example"}),
        ({"query": "phone=%2B15551234567"}, {"query": "phone=***4567"}),
        ({"callee": PhoneNumber("+15551234567")}, {"callee": "***4567"}),
        ({"phone_number": "(555) 123-4567"}, {"phone_number": "***4567"}),
        ({"calls": 12345678901, "is_live": True, "none": None}, {"calls": 12345678901, "is_live": True, "none": None}),
        ({"call_id": "call_1234567890_abc"}, {"call_id": "call_1234567890_abc"}),
    ],
)
def test_secrets_and_numbers_are_struck_out(event: dict[str, object], expected: dict[str, object]) -> None:
    """
    Wherever they stand; of numbers the last four digits stay, and what is neither stays whole.
    """
    assert expected == censor(None, "info", dict(event))


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_every_logger_writes_censored_lines_to_standard_error(
    log_format: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Those of structlog and of the standard library alike, tracebacks included; standard output stays clean.
    """
    set_up_logging(Settings(log_format=log_format))

    structlog.get_logger().info("key_seen", key=KEY)
    logging.getLogger("uvicorn.error").error("seen %s", KEY)
    _log_an_exception()

    captured = capsys.readouterr()
    assert "" == captured.out
    assert 0 == captured.err.count(KEY)
    assert 3 <= captured.err.count("od_live_***")
    assert "RuntimeError" in captured.err


def test_json_lines_are_objects(capsys: pytest.CaptureFixture[str]) -> None:
    """
    With level, time and the standard library's logger.
    """
    set_up_logging(Settings(log_format="json"))

    structlog.get_logger().warning("something", calls=2)
    logging.getLogger("asyncio").warning("slow")

    ours, theirs = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert ("something", "warning", 2) == (ours["event"], ours["level"], ours["calls"])
    assert ("slow", "asyncio") == (theirs["event"], theirs["logger"])
    assert ours["timestamp"].endswith("Z")


def test_the_level_counts_for_every_logger(capsys: pytest.CaptureFixture[str]) -> None:
    """
    Less important lines are not written.
    """
    set_up_logging(Settings(log_level="error"))

    structlog.get_logger().warning("ours")
    logging.getLogger("asyncio").warning("theirs")

    assert "" == capsys.readouterr().err


def _log_an_exception() -> None:
    try:
        _fail(KEY)
    except RuntimeError:
        structlog.get_logger().exception("failed")


def _fail(secret: str) -> None:
    raise RuntimeError(f"with {secret}")
