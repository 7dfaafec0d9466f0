"""
outdial as its users run it: its own process, set up by its own command line, spoken to over HTTP.
"""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import httpx2

from tests.cli.commands import CommandLine
from tests.telephony.ports import free_port

PROGRAM: Final = str(Path(sys.executable).with_name("outdial"))
START_S: Final = 20.0
STOP_S: Final = 30.0
END_S: Final = 40.0
CALLEE: Final = "+15557654321"
CALLER_ID: Final = "+15550001111"

Body = dict[str, Any]


@attrs.frozen(kw_only=True)
class Service:
    """
    A running `outdial serve` with an account of its own.

    Attributes:
        folder: Where its database is.

        account: The account's row, as the command line takes it.

        variables: Its environment.

        log: Everything it wrote to standard error.
    """

    client: httpx2.AsyncClient
    folder: Path
    account: str
    variables: dict[str, str]
    log: Path

    async def post(self, agent_id: int, **fields: Any) -> Body:
        """
        Ask for a call to the one callee there is; it must be accepted.
        """
        body = {"phone_number": CALLEE, "agent_id": agent_id, **fields}
        answer = await self.client.post("/api/v1/calls", json=body)
        assert answer.status_code == httpx2.codes.CREATED, answer.text
        accepted: Body = answer.json()
        return accepted

    async def get(self, call_id: str) -> Body:
        """
        Return a call as clients see it.
        """
        answer = await self.client.get(f"/api/v1/calls/{call_id}")
        assert answer.status_code == httpx2.codes.OK, answer.text
        call: Body = answer.json()
        return call

    async def hang_up(self, call_id: str) -> Body:
        """
        End a call, and return it as it is then.
        """
        answer = await self.client.post(f"/api/v1/calls/{call_id}/hang-up")
        assert answer.status_code == httpx2.codes.OK, answer.text
        call: Body = answer.json()
        return call

    async def ended(self, call_id: str) -> Body:
        """
        Return a call when it is over.
        """
        return await self.reached(call_id, "completed", "failed")

    async def reached(self, call_id: str, *statuses: str) -> Body:
        """
        Return a call when it has one of some statuses.
        """
        async with asyncio.timeout(END_S):
            while (call := await self.get(call_id))["status"] not in statuses:
                await asyncio.sleep(0.05)
        return call

    async def agent(self, **options: str) -> int:
        """
        Create an agent with the usual number and a greeting, unless options say otherwise, and return its row.
        """
        chosen = {"name": "Scheduler", "greeting": "Hello.", "phone-number": CALLER_ID, **options}
        arguments = [part for name, value in chosen.items() for part in (f"--{name}", value)]
        created = await outdial(self.folder, self.variables, "agent", "create", "--account", self.account, *arguments)
        agent_id: int = created["id"]
        return agent_id

    async def wallet(self) -> Body:
        """
        Return what the command line says of the wallet.
        """
        return await outdial(self.folder, self.variables, "wallet", "show", "--account", self.account)


async def outdial(folder: Path, variables: dict[str, str], *arguments: str) -> Body:
    """
    Run one command with `--json` on the database in a folder and return what it printed; it must succeed.
    """
    printed: Body = await asyncio.to_thread(CommandLine(folder).ask, *arguments, **variables)
    return printed


def unmeasured(variables: dict[str, str]) -> dict[str, str]:
    """
    Return the environment of a process, without what would have it measure coverage: other tests do, it costs time.
    """
    return {**{name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}, **variables}


@asynccontextmanager
async def serving(folder: Path, *, balance: str = "25.00", **settings: str) -> AsyncIterator[Service]:
    """
    Set up an account and run `outdial serve` until the block is left; it must stop in order.

    Args:
        settings: Further settings by the names of their fields.
    """
    port = free_port()
    variables = {
        "OUTDIAL_DATABASE": f"sqlite:///{folder / 'outdial.db'}",
        "OUTDIAL_PORT": str(port),
        "OUTDIAL_SIP_BIND": f"127.0.0.1:{free_port()}",
        "OUTDIAL_RING_TIMEOUT_S": "20",
        **{f"OUTDIAL_{name.upper()}": value for name, value in settings.items()},
    }
    permissions = ("--permission", "can_initiate_calls", "--permission", "can_read_calls")
    clinic = await outdial(folder, variables, "account", "create", "Clinic", "--balance", balance)
    account = str(clinic["account_id"])
    options = ("--account", account, "--requests-per-minute", "60000", *permissions)
    key = (await outdial(folder, variables, "key", "create", *options))["key"]
    log = folder / "serve.log"
    with log.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            *(PROGRAM, "serve"), env=unmeasured(variables), stdout=asyncio.subprocess.DEVNULL, stderr=errors
        )
    client = httpx2.AsyncClient(
        base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=START_S
    )
    try:
        async with client:
            await _wait_until_ready(client, process, log)
            yield Service(client=client, folder=folder, account=account, variables=variables, log=log)
    finally:
        await _stop(process)
    assert process.returncode == 0, log.read_text()


async def _wait_until_ready(client: httpx2.AsyncClient, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(START_S):
        while True:
            assert process.returncode is None, log.read_text()
            try:
                if (await client.get("/readyz")).status_code == httpx2.codes.OK:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.05)


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_S)
        except TimeoutError:
            process.kill()
            await process.wait()
            raise
