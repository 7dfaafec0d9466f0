"""
`outdial serve` as a program: where it listens, what it logs, how it ends.
"""

import json
import signal
import socket
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.cli.commands import CommandLine, free_port, furnish

LISTENS = r"listens on (http://\S+),"


def test_a_served_call_is_dialled_and_shown(line: CommandLine) -> None:
    """
    From `outdial call --wait` on the one side to `outdial serve` on the other.
    """
    furnish(line)
    with line.running("serve", "--port", "0") as served:
        served.wait_for(LISTENS)

        outcome = line.run("call", "--agent", "1", "--to", "+15551234567", "--wait")
        body = line.run("call", "--agent", "1", "--to", "+15555550101", "--wait", "--json")

    assert 0 == outcome.exit_code, outcome
    assert "completed" in outcome.out
    assert "queued" in outcome.err
    assert (1, "failed", "busy") == (body.exit_code, body.body["status"], body.body["ended_reason"])
    assert "" == body.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_serving_in_order(line: CommandLine, number: signal.Signals) -> None:
    """
    The exit code is 0, the live call is settled and another process may dial.
    """
    furnish(line)
    with line.running("serve", "--port", "0", OUTDIAL_SIMULATOR_TIME_SCALE="10") as served:
        url = served.wait_for(LISTENS)[1]
        call_id = _post(url, furnish_key(line), {"phone_number": "+15551234567", "agent_id": 1})["id"]
        served.wait_for("ringing")

        outcome = served.end(number)

    assert (0, "") == (outcome.exit_code, outcome.out)
    assert "Traceback" not in outcome.err
    call = line.ask("calls", "show", str(call_id))
    assert ("failed", "canceled", "released") == (call["status"], call["ended_reason"], call["billing"]["status"])
    assert line.ask("doctor")["healthy"]


def test_keys_and_numbers_stay_out_of_the_log(line: CommandLine) -> None:
    """
    A key in a header, in the query and in a path; a number that is called.
    """
    key = furnish(line)["key"]["key"]
    with line.running("serve", "--port", "0", OUTDIAL_LOG_LEVEL="debug", OUTDIAL_API_KEY_IN_QUERY="true") as served:
        url = served.wait_for(LISTENS)[1]
        _post(url, key, {"phone_number": "+15551234567", "agent_id": 1})
        _get(f"{url}/api/v1/calls/{key}?api_key={key}")
        _get(f"{url}/nowhere/{key}?phone=+15551234567")
        served.wait_for("call_ended")

        outcome = served.end()

    assert key not in outcome.err + outcome.out
    assert key[len("od_live_1_") :] not in outcome.err + outcome.out
    assert "5551234567" not in outcome.err + outcome.out


def test_where_it_listens_is_json_too(line: CommandLine) -> None:
    """
    One object on standard output as soon as requests are taken; with JSON logs, a log line.
    """
    with line.running("serve", "--port", "0", "--json", OUTDIAL_LOG_FORMAT="json") as served:
        url = json.loads(served.wait_for(r'^\{"url".*')[0])["url"]
        ready = json.loads(_get(f"{url}/readyz"))

        outcome = served.end()

    assert "ready" == ready["status"]
    assert url == outcome.body["url"]
    assert all(json.loads(text) for text in outcome.err.splitlines())


def test_one_process_dials_from_a_database(line: CommandLine) -> None:
    """
    A second one says which file is held, and ends with 2.
    """
    with line.running("serve", "--port", "0") as first:
        first.wait_for(LISTENS)

        with line.running("serve", "--port", "0") as second:
            outcome = second.outcome()
        assert "An outdial process dials from this database now." in line.run("doctor").out

    assert (2, "") == (outcome.exit_code, outcome.out)
    assert "Another outdial process dials from this database" in outcome.err
    assert 1 == outcome.err.count("\n")


def test_a_port_in_use_is_told_in_a_sentence(line: CommandLine) -> None:
    """
    With the variable that changes it, before the database is touched.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        outcome = line.run("serve", "--port", port)
        body = line.run("demo", "--json", OUTDIAL_PORT=port).body

    assert 2 == outcome.exit_code
    assert f"HTTP can't be served on 127.0.0.1:{port} (Address already in use)" in outcome.err
    assert "OUTDIAL_PORT=" in body["message"]
    assert not line.database.exists()


def test_a_host_of_another_machine_is_told_in_a_sentence(line: CommandLine) -> None:
    """
    By number or by name.
    """
    assert 2 == line.run("serve", "--host", "192.0.2.1", "--port", str(free_port())).exit_code
    assert 2 == line.run("serve", "--host", "host.invalid", "--port", str(free_port())).exit_code


def furnish_key(line: CommandLine) -> str:
    """
    Return one more key of the first account.
    """
    key: str = line.ask("key", "create", "--account", "1", "--permission", "can_initiate_calls")["key"]
    return key


def _post(url: str, key: str, body: dict[str, object]) -> Any:
    request = urllib.request.Request(  # noqa: S310 - the test's own server
        f"{url}/api/v1/calls",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        return json.load(answer)


def _get(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - the test's own server
            content: bytes = answer.read()
            return content
    except urllib.error.HTTPError as error:
        with error:
            return error.read()
