"""
What `outdial serve` does with the calls that it has when it is told to end, and how long that takes.
"""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from http import HTTPStatus
from typing import Any, Final

from tests.cli.commands import CommandLine, Running, furnish

LISTENS: Final = r"listens on (http://\S+),"
PROMISED_S: Final = 30.0
"""Of an end without a drain, or after it."""

LOOK_S: Final = 0.02
ANSWERS: Final = "+15551234567"
RINGS: Final = "+15555550102"

VOICE: Final = """
import sys, time, wave

words = open(sys.argv[1]).read()
time.sleep(600 if "slow" in words else 0)
with wave.open(sys.argv[2], "wb") as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(8000)
    file.writeframes(bytes([0, 20]) * 8000 * (120 if "long" in words else 4))
"""
"""Speaks for four seconds, or for two minutes; or never gets ready."""


class Clinic:
    """
    A served account, as its client sees it.
    """

    def __init__(self, line: CommandLine, served: Running) -> None:
        permissions = ("--permission", "can_initiate_calls", "--permission", "can_read_calls")
        words = ("key", "create", "--account", "1", "--requests-per-minute", "60000", *permissions)
        self._key = line.ask(*words)["key"]
        self._line = line
        self._url = served.wait_for(LISTENS)[1]

    def ask(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
        """
        Ask it, and return the status and what it answered.
        """
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        content = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self._url}{path}", data=content, headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - the test's own server
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def dial(self, name: str, number: str = ANSWERS) -> int:
        """
        Have a call accepted, and return its row.
        """
        body = {"agent_id": 1, "phone_number": number, "variables": {"name": name}}
        status, answer = self.ask("/api/v1/calls", body)
        assert HTTPStatus.CREATED == status, answer
        call: int = answer["id"]
        return call

    def reached(self, call: int, status: str) -> None:
        """
        Wait until a call is where it is to be.
        """
        until = time.monotonic() + PROMISED_S
        while (found := self.ask(f"/api/v1/calls/{call}")[1]["status"]) != status:
            assert time.monotonic() < until, (found, status)
            time.sleep(LOOK_S)

    def end_of(self, call: int) -> tuple[str, str | None, str]:
        """
        Return what became of a call: its status, the reason of its end and what became of its hold.
        """
        shown = self._line.ask("calls", "show", str(call))
        return shown["status"], shown["ended_reason"], shown["billing"]["status"]


def _serving(line: CommandLine, **variables: str) -> Any:
    script = line.folder / "voice.py"
    script.write_text(VOICE)
    return line.running(
        *("serve", "--port", "0"),
        OUTDIAL_SPEECH_COMMAND=f"{sys.executable} -S {script} {{text_file}} {{wav_file}}",
        **variables,
    )


def test_an_end_without_a_drain_hangs_up_and_gives_back(line: CommandLine) -> None:
    """
    A talk is billed, a phone stops ringing, and what was leased waits for the next process as what was queued does.
    """
    furnish(line)
    with _serving(line, OUTDIAL_LIVE_CALLS_MAX="3", OUTDIAL_SIMULATOR_TIME_SCALE="0.3") as served:
        clinic = Clinic(line, served)
        ringing, talking, leased = clinic.dial("", RINGS), clinic.dial("long"), clinic.dial("slow")
        clinic.reached(talking, "in-progress")
        clinic.reached(ringing, "ringing")
        queued = clinic.dial("")

        began_s = time.monotonic()
        outcome = served.end()
        took_s = time.monotonic() - began_s

    assert 0 == outcome.exit_code, outcome.err
    assert took_s < PROMISED_S
    assert "Traceback" not in outcome.err
    assert ("failed", "disconnected", "billed") == clinic.end_of(talking)
    assert ("failed", "canceled", "released") == clinic.end_of(ringing)
    assert [("queued", None, "held")] * 2 == [clinic.end_of(call) for call in (leased, queued)]
    assert line.ask("audit")["ok"]


def test_a_drain_lets_calls_finish_until_the_second_signal(line: CommandLine) -> None:
    """
    A talk ends by itself and is billed, requests are answered, load balancers are told; then what is left is hung up.
    """
    furnish(line)
    with _serving(line, OUTDIAL_DRAIN_S="600", OUTDIAL_SIMULATOR_TIME_SCALE="0.5") as served:
        clinic = Clinic(line, served)
        long, short = clinic.dial("long"), clinic.dial("")
        for call in (long, short):
            clinic.reached(call, "in-progress")

        served.tell()
        while (ready := clinic.ask("/readyz"))[0] == HTTPStatus.OK:
            pass
        late = clinic.dial("")
        clinic.reached(short, "completed")
        alive, going_on = clinic.ask("/healthz"), clinic.ask(f"/api/v1/calls/{long}")[1]["status"]
        began_s = time.monotonic()
        outcome = served.end()
        took_s = time.monotonic() - began_s

    assert (HTTPStatus.SERVICE_UNAVAILABLE, True) == (ready[0], ready[1]["checks"]["worker"].startswith("Draining:"))
    assert ((HTTPStatus.OK, {"status": "ok"}), "in-progress") == (alive, going_on)
    assert "draining" in outcome.err
    assert 0 == outcome.exit_code, outcome.err
    assert took_s < PROMISED_S
    assert ("completed", "hang_up_agent", "billed") == clinic.end_of(short)
    assert ("failed", "disconnected", "billed") == clinic.end_of(long)
    assert ("queued", None, "held") == clinic.end_of(late)
    assert line.ask("audit")["ok"]


def test_a_process_that_can_not_end_gives_up(line: CommandLine) -> None:
    """
    It says what it waited for, and its exit code that something is wrong.
    """
    stuck = "from outdial.entrypoints.stopping import end_within; import time; end_within(0.05); time.sleep(60)"

    ended = subprocess.run(
        [sys.executable, "-c", stuck], capture_output=True, text=True, timeout=PROMISED_S, check=False, cwd=line.folder
    )

    assert 1 == ended.returncode
    assert "not_stopped_in_order" in ended.stdout + ended.stderr
