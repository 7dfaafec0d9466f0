"""
`outdial demo`: a call from acceptance to settlement without any set-up.
"""

import json
import shlex
import signal
import subprocess

from outdial.entrypoints.demo import DATABASE, demo_variables
from tests.cli.commands import CommandLine, furnish

GREETING = "Hello John Doe, this is Appointment Scheduler. Your appointment is at 3:30 PM tomorrow. Goodbye!"
SEEN = {"OUTDIAL_SIMULATOR_TIME_SCALE": "0.2"}
"""Slow enough for each stage to be shown."""


def test_one_call_is_shown_from_queue_to_settlement(line: CommandLine) -> None:
    """
    With its stages in order, the greeting as rendered, its cost and what is left; the exit code is 0.
    """
    outcome = line.run("demo", "--once", **SEEN)

    assert 0 == outcome.exit_code, outcome
    stages = ["queued", "ringing", "in-progress", "completed"]
    places = [outcome.out.index(f" {stage} ") for stage in stages]
    assert sorted(places) == places
    assert all(1 == outcome.out.count(f" {stage} ") for stage in stages)
    for part in (
        GREETING,
        "1.50 USD held of 25.00",
        "It cost 0.05 USD",
        "24.95 USD",
        "s of simulated talk",
        "curl -X POST",
    ):
        assert part in outcome.out


def test_the_demo_tells_as_json_what_came_out(line: CommandLine) -> None:
    """
    One object: the call as over HTTP, the greeting, the money, a key and a command for the next call.
    """
    body = line.ask("demo", "--once")

    assert ("completed", "hang_up_agent") == (body["call"]["status"], body["call"]["ended_reason"])
    assert (GREETING, 24.95, 0.0, "USD") == (body["greeting"], body["balance"], body["held"], body["currency"])
    assert body["key"] in body["curl"]
    assert body["call"]["call_id"] in body["curl_to_read"]


def test_the_printed_commands_work_until_ctrl_c(line: CommandLine) -> None:
    """
    The next call is shown as it progresses, and can be read; then Ctrl-C ends with 0.
    """
    with line.running("demo", OUTDIAL_PORT="0") as demo:
        demo.wait_for(r"Listening on http://127.0.0.1:\d+ ")
        lines = [demo.wait_for(part).string for part in ("curl -X POST", "Authorization", "Content-Type", "-d")]
        command = "".join(text.rstrip("\\\n") for text in lines)

        asked = _answer_to(command.replace("+15551234567", "+15555550101"))
        demo.wait_for(r"call 2 to \+15555550101: failed \(busy\)")
        read = _answer_to(demo_read(command, asked["call_id"]))
        outcome = demo.end(signal.SIGINT)

    assert ("queued", "failed") == (asked["status"], read["status"])
    assert 0 == outcome.exit_code
    assert "" == outcome.err


def test_the_demo_may_be_run_again(line: CommandLine) -> None:
    """
    It keeps its account and agent, and the key of the first run still works.
    """
    first = line.ask("demo", "--once")
    second = line.ask("demo", "--once")

    again = line.run("call", "--agent", "1", "--to", "+15551234567", "--api-key", first["key"])
    assert (24.9, first["call"]["agent"]) == (second["balance"], second["call"]["agent"])
    assert 0 == again.exit_code


def test_a_low_wallet_is_filled_up_again(line: CommandLine) -> None:
    """
    So that there is always money for the next call.
    """
    line.ask("demo", "--once", OUTDIAL_DEFAULT_RATE_PER_MINUTE="24")

    body = line.ask("demo", "--once")

    assert 24.95 == body["balance"]


def test_the_demo_leaves_others_databases_alone(line: CommandLine) -> None:
    """
    The simulator would pretend to make the calls that are queued there.
    """
    furnish(line)
    line.ask("call", "--agent", "1", "--to", "+15551234567")

    outcome = line.run("demo", "--once")

    assert 2 == outcome.exit_code
    assert "not the demo's" in outcome.err
    assert "queued" == line.ask("calls", "show", "1")["status"]


def test_the_demo_has_a_database_of_its_own(line: CommandLine) -> None:
    """
    Unless one is named, it is a file in the folder where one is.
    """
    body = line.ask("demo", "--once", OUTDIAL_DATABASE="")

    assert "completed" == body["call"]["status"]
    assert (line.folder / DATABASE.removeprefix("sqlite:///")).exists()


def test_the_demo_may_be_kept_in_memory(line: CommandLine) -> None:
    """
    Then nothing is left.
    """
    body = line.ask("demo", "--once", "--database", "memory:")

    assert "completed" == body["call"]["status"]
    assert [] == list(line.folder.iterdir())


def test_no_setting_makes_the_demo_dial_for_real() -> None:
    """
    Whatever carrier is set, no phone rings; what else is set counts.
    """
    variables = demo_variables({"OUTDIAL_CARRIER": "sip", "OUTDIAL_PORT": "1", "OUTDIAL_DATABASE": ""})

    assert ("simulator", "1", DATABASE) == tuple(
        variables[f"OUTDIAL_{name}"] for name in ("CARRIER", "PORT", "DATABASE")
    )


def test_no_role_takes_the_demos_api_away(line: CommandLine) -> None:
    """
    Whatever this machine's part is among others, the demo prints commands that it answers itself.
    """
    with line.running("demo", OUTDIAL_PORT="0", OUTDIAL_ROLE="worker") as demo:
        demo.wait_for(r"Listening on http://127.0.0.1:\d+ ")
        lines = [demo.wait_for(part).string for part in ("curl -X POST", "Authorization", "Content-Type", "-d")]

        asked = _answer_to("".join(text.rstrip("\\\n") for text in lines))

    assert "queued" == asked.get("status"), asked


def test_a_call_that_does_not_complete_ends_with_1(line: CommandLine) -> None:
    """
    Here because the wallet can't pay for it.
    """
    outcome = line.run("demo", "--once", "--json", OUTDIAL_DEFAULT_RATE_PER_MINUTE="100")

    assert (1, "insufficient_funds") == (outcome.exit_code, outcome.body["error"])


def test_a_signal_during_the_call_ends_it_in_order(line: CommandLine) -> None:
    """
    It is settled, and the exit code tells that it did not complete.
    """
    with line.running("demo", "--once", OUTDIAL_SIMULATOR_TIME_SCALE="10") as demo:
        demo.wait_for(" ringing ")

        outcome = demo.end()

    assert 1 == outcome.exit_code
    assert "Stopped before the call was over." in outcome.err
    assert "canceled" == line.ask("calls", "show", "1")["ended_reason"]


def demo_read(command: str, call_id: str) -> str:
    """
    Return the command that reads a call, made of the one that asks for calls.
    """
    words = shlex.split(command)
    return shlex.join(["curl", f"{words[3]}/{call_id}", *words[4:6]])


def _answer_to(command: str) -> dict[str, str]:
    finished = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=30, check=True)
    answer: dict[str, str] = json.loads(finished.stdout)
    return answer
