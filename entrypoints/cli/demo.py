"""
`outdial demo`: one call from acceptance to settlement, shown as it happens.
"""

import asyncio
from collections.abc import Coroutine
from functools import partial
from time import monotonic
from typing import Any, Final

import click
from rich.console import Console
from rich.text import Text

from outdial.domain.model.call import Call, Status
from outdial.domain.model.decision import Refused
from outdial.domain.model.money import as_number, as_text
from outdial.domain.model.wallet import Wallet
from outdial.domain.service.reading import CallView
from outdial.entrypoints import demo as play
from outdial.entrypoints import library
from outdial.entrypoints.cli import process
from outdial.entrypoints.cli.answer import EXIT_OK, EXIT_REFUSED, Answer, amount, console, plain, print_answer, refused
from outdial.entrypoints.cli.following import statuses
from outdial.entrypoints.cli.running import Variables, answering, json_is_wanted, settings_of
from outdial.entrypoints.demo import Stage
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.settings import Settings
from outdial.entrypoints.stopping import Stop
from outdial.entrypoints.wire.calls import call_body

LINE_END: Final = " \\\n  "
COLOURS: Final = {Status.COMPLETED: "green", Status.FAILED: "red"}
STOPPED: Final = "Stopped before the call was over."


@click.command("demo")
@click.option("--once", "is_once", is_flag=True, help="End after the call instead of serving HTTP.")
@answering
def demo(variables: Variables, *, is_once: bool) -> Answer | None:
    """
    Show a call on a simulated network, then serve HTTP for more. Needs no set-up; no phone rings.
    """
    settings = settings_of(play.demo_variables(variables))
    if not is_once:
        process.check_serving(settings)
    screen = console(quiet=json_is_wanted())
    return process.run(partial(_play, screen, settings, is_once=is_once), drain_s=settings.drain_s)


async def _play(screen: Console, settings: Settings, stop: Stop, *, is_once: bool) -> Answer | None:
    agent = await play.find_agent(settings)
    async with library.open(settings) as dialer:
        stage = await play.prepare(dialer, agent)
        show = Show(dialer, stage, screen)
        return await (_first_of(show.once(), _stopped(stop)) if is_once else show.on_and_on(stop))


class Show:
    """
    Shows a demo's calls as they progress.
    """

    def __init__(self, dialer: Dialer, stage: Stage, screen: Console) -> None:
        self._dialer = dialer
        self._stage = stage
        self._screen = screen

    async def once(self) -> Answer:
        """
        Show the demo's own call.
        """
        settings = self._dialer.settings
        answer, _call = await self._first_call(f"http://{settings.host}:{settings.port}", is_served=False)
        return answer

    async def on_and_on(self, stop: Stop) -> Answer | None:
        """
        Serve HTTP until SIGINT or SIGTERM; show the demo's own call and those that others ask for.
        """
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = process.serve(self._dialer, stop, on_listening=listening.set_result)
        return await _first_of(self._all_calls(listening), serving)

    async def _all_calls(self, listening: asyncio.Future[str]) -> Answer:
        answer, call = await self._first_call(await listening, is_served=True)
        if call is None:
            return answer
        print_answer(answer, as_json=json_is_wanted())
        async for later in play.later_calls(self._dialer, after=call.id):
            reason = f" ({later.disposition})" if later.is_terminal else ""
            self._say(Text.assemble(f"call {later.id} to {later.phone_number}: ", _coloured(later.status), reason))
        raise AssertionError("Calls are watched for ever.")

    async def _first_call(self, url: str, *, is_served: bool) -> tuple[Answer, Call | None]:
        """
        Place the demo's call and show it to its end; `None` instead of the call when it was refused.
        """
        dialer, stage = self._dialer, self._stage
        self._say(plain(f"Database {dialer.settings.database}, simulated network: no phone rings.\n", style="dim"))
        decision = await play.place_call(dialer, stage)
        if isinstance(decision, Refused):
            return refused(decision), None
        call = decision.call
        self._say(plain(f"{stage.agent.name} ({stage.agent.phone_number}) calls {call.phone_number}\n", style="bold"))
        began_s = monotonic()
        with self._screen.status("calling"):
            async for call in statuses(dialer, decision.call, timeout_s=play.CALL_TIMEOUT_S):
                wallet = await dialer.administration.wallet(stage.account_id)
                self._say(_stage_line(call, wallet, passed_s=monotonic() - began_s))
        return _ending(stage, call, wallet, url, is_served=is_served), call

    def _say(self, line: Text) -> None:
        self._screen.print(line, soft_wrap=True)


def _stage_line(call: Call, wallet: Wallet, *, passed_s: float) -> Text:
    line = Text.assemble((f"{passed_s:6.1f} s  ", "dim"), _coloured(call.status), " " * (13 - len(call.status)))
    match call.status:
        case Status.QUEUED:
            line.append(f"{amount(call.hold_micros, call.rate.currency)} held of {as_text(wallet.balance_micros)}")
        case Status.IN_PROGRESS:
            line.append(f"\N{LEFT DOUBLE QUOTATION MARK}{call.script.greeting}\N{RIGHT DOUBLE QUOTATION MARK}")
        case Status.COMPLETED | Status.FAILED:
            line.append(f"{call.disposition}, {call.talk_s} s of simulated talk")
        case Status.DIALING | Status.RINGING:
            pass
    return line


def _ending(stage: Stage, call: Call, wallet: Wallet, url: str, *, is_served: bool) -> Answer:
    """
    Return what the call came to, and how to ask for the next.
    """
    body = {
        "call": call_body(CallView(call=call, contact=None)),
        "greeting": call.script.greeting,
        "balance": as_number(wallet.balance_micros),
        "held": as_number(wallet.held_micros),
        "currency": wallet.currency,
        "key": stage.key,
        "curl": play.curl_to_call(url, stage),
        "curl_to_read": play.curl_to_read(url, stage, call),
    }
    invitation = (
        f"Listening on {url} until Ctrl-C. Your turn, with another number or name:"
        if is_served
        else "Start `outdial demo` without --once and ask for a call yourself:"
    )
    shown = Text.assemble(
        f"\nIt cost {amount(call.charge_micros, wallet.currency)};"
        f" the wallet has {amount(wallet.balance_micros, wallet.currency)},"
        f" {amount(wallet.held_micros, wallet.currency)} of it held.\n\n",
        (f"{invitation}\n\n", "bold"),
        play.curl_to_call(url, stage, line_end=LINE_END),
        ("\n\nThis reads the call above:\n\n", "bold"),
        play.curl_to_read(url, stage, call),
        "\n",
    )
    is_completed = call.status is Status.COMPLETED
    return Answer(body=body, shown=shown, exit_code=EXIT_OK if is_completed else EXIT_REFUSED)


def _coloured(status: Status) -> tuple[str, str]:
    return str(status), COLOURS.get(status, "cyan")


async def _stopped(stop: Stop) -> Answer:
    """
    Wait until the process is asked to end before the one call is over.
    """
    await stop.wanted.wait()
    body = {"error": "stopped", "message": STOPPED}
    return Answer(body=body, shown=plain(STOPPED), exit_code=EXIT_REFUSED, is_failure=True)


async def _first_of(*works: Coroutine[Any, Any, Answer | None]) -> Answer | None:
    """
    Return what the first of some works returns, and cancel the others.
    """
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task.result() for task in tasks if task.done())
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


COMMANDS: Final[tuple[click.Command, ...]] = (demo,)
