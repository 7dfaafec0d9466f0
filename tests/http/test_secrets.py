"""
No key, no secret and no password is ever logged, wherever it stands in a request and whatever goes wrong.
"""

import logging
from pathlib import Path
from typing import Final

import attrs
import pytest

from outdial.ports.errors import StorageError
from tests import builders
from tests.entrypoints.clinic import AGENT, CALLEE, KEY, KEYS, OTHERS_AGENT, READING_KEY
from tests.http.api import BODY, CALLS, MEMORY, Api
from tests.http.live import serving
from tests.http.storages import FailingStorage

PASSWORD: Final = "canary-password"

SECRETS: Final = (
    PASSWORD,
    builders.SECRET,
    *(key.rpartition("_")[2] for key in KEYS),
    *(builders.secret(number) for number in (12, 13, 14, 15, 22, 33, 77, 999)),
)
"""What must not be found: every secret, with and without its checksum."""

DAMAGED: Final = KEY[:-1] + "?"


def ask_in_every_way(api: Api) -> None:
    """
    Send many requests, with keys in every place, right and wrong ones.
    """
    for key in (*KEYS, DAMAGED):
        places = ("Authorization", f"Bearer {key}"), ("Authorization", key), ("X-API-Key", key), ("Cookie", key)
        for headers in ({name: value} for name, value in places):
            api.post(key=None, headers=headers)
            api.post(b"{", key=None, headers=headers)
            api.ask("GET", f"{CALLS}/1", headers=headers)
            api.ask("DELETE", CALLS, headers=headers)
        api.post(key=None, path=f"{CALLS}?api_key={key}")
        api.get(f"{CALLS}/{key}", key=key)
        api.get(f"/nowhere/{key}?api_key={key}", key=None)
        api.post({"phone_number": key, "agent_id": key, key: key})
        api.post({**BODY, "variables": {"api_key": key}})
        api.stream([key.encode()], {"X-API-Key": key})


@pytest.mark.parametrize("error", [None, StorageError, ZeroDivisionError], ids=["works", "unavailable", "defect"])
@pytest.mark.parametrize("in_query", [False, True], ids=["", "in query"])
def test_no_log_line_holds_a_secret(
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    error: type[Exception] | None,
    in_query: bool,  # noqa: FBT001
) -> None:
    """
    With every logger at its most talkative and structlog as it comes, tracebacks included, no canary is found.
    """
    caplog.set_level(logging.DEBUG)
    settings = attrs.evolve(MEMORY, sip_password=PASSWORD, api_key_in_query=in_query)
    api = Api(settings, storage=FailingStorage(error) if error is not None else None, dials=True)

    ask_in_every_way(api)
    api.close()

    captured = capfd.readouterr()
    served = [record for record in caplog.records if not record.name.startswith("httpx2")]  # the client is a test's own
    lines = [caplog.handler.format(record) for record in served]
    written = "\n".join([captured.out, captured.err, *lines, repr(settings), str(api.dialer.settings)])
    assert [] == [secret for secret in SECRETS if secret in written]
    assert (error is None) or ("accept_failed" in written) or ("unavailable" in written)


def test_canary_is_found_where_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """
    The search above would find a secret: here it does.
    """
    logging.getLogger("outdial").warning("key %s", READING_KEY)

    assert [] != [secret for secret in SECRETS if secret in caplog.text]


def test_served_process_writes_no_secret(tmp_path: Path) -> None:
    """
    Standard output and error of `outdial serve` at its most talkative hold no canary.
    """
    with serving(
        tmp_path, {"OUTDIAL_LOG_LEVEL": "debug", "OUTDIAL_SIP_PASSWORD": PASSWORD, "OUTDIAL_API_KEY_IN_QUERY": "true"}
    ) as server:
        with server.client() as client:
            for key in KEYS:
                client.post(f"{CALLS}?api_key={key}", json=BODY)
                client.post(CALLS, json={"phone_number": CALLEE, "agent_id": AGENT}, headers={"X-API-Key": key})
                client.post(CALLS, json={**BODY, "agent_id": OTHERS_AGENT}, headers={"Authorization": f"Bearer {key}"})
                client.get(f"{CALLS}/1?api_key={key}")
        for key in KEYS:
            with server.connect() as connection:
                connection.sendall(f"POST {CALLS} HTTP/1.1\r\nHost: x\r\nX-API-Key: {key}\r\nContent-Le\x01".encode())
        server.stop()

    assert "call_progress" in server.log
    assert [] == [secret for secret in SECRETS if secret in server.log]


def test_answers_hold_no_key(api: Api) -> None:
    """
    Whether a key works or not, it is not sent back.
    """
    answers = [api.post(key=key) for key in KEYS]

    assert [] == [secret for secret in SECRETS for answer in answers if secret in answer.text]
