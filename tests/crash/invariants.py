"""
What must be true after every schedule, whatever was killed, stopped or broken meanwhile: `docs/safety.md` by number.

The witnesses are held against each other; each finding names the invariant that it breaks.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import attrs

import outdial
from outdial.entrypoints import auditing
from tests.crash.faults import HONEST
from tests.crash.network_carrier import AGENT, APOLOGY
from tests.crash.rig import CANARIES
from tests.crash.witnesses import (
    TERMINAL,
    Answers,
    Ask,
    Happening,
    Order,
    asking,
    read_happenings,
    read_messages,
    read_orders,
)

WAL_BYTES_MAX: Final = 65 * 1024 * 1024


@attrs.frozen(kw_only=True)
class Evidence:
    """
    All that was said, to be held against each other.

    Attributes:
        secrets: What nobody but its owner may get to see.

        is_time_steady: Whether times of different processes may be compared.

        is_database_steady: Whether the database could be asked at any time.
    """

    folder: Path
    database: str
    answers: Answers
    secrets: tuple[str, ...]
    is_time_steady: bool = True
    is_database_steady: bool = True


@attrs.frozen
class Violation:
    """
    An invariant that does not hold.
    """

    invariant: str
    words: str


@attrs.frozen(kw_only=True)
class Verdict:
    """
    What a schedule came to.

    Attributes:
        refusals: Orders that the network refused, so that another attempt may follow.

        answers_stopped: How often whoever answered heard the apology.

        house_losses: How often the outcome of a call came too late.

        duplicates: Dials beyond the first of a call.

        lost: Calls that were promised and are not there.

        money_difference_micros: What is missing of what was paid in, or too much.
    """

    calls: int
    dials: int
    refusals: int
    faults: int
    answers_stopped: int
    house_losses: int
    duplicates: int
    lost: int
    money_difference_micros: int
    violations: tuple[Violation, ...]


def judge(evidence: Evidence) -> Verdict:
    """
    Hold all witnesses against each other.
    """
    orders = read_orders(evidence.folder)
    accepted = [order for order in orders if order.is_accepted]
    happenings = read_happenings(evidence.folder)
    with asking(evidence.database) as ask:
        calls = {f"call_{number}_{token}": number for number, token in ask("select id, token from calls")}
        violations = (
            *_dials(ask, calls, orders),
            *_promises(ask, calls, evidence.answers),
            *_do_not_call(ask, calls, accepted, evidence),
            *_answers(ask, happenings, evidence),
            *_money(ask),
            *_bills(ask, calls, happenings),
            *_records(ask),
            *_messages(ask, evidence.folder),
        )
        difference = _difference_micros(ask)
        ((house_losses,),) = ask("select count(*) from ledger where kind = 'house_loss'")
    promised = [answer for answer in evidence.answers.all if answer.status == HTTPStatus.CREATED]
    return Verdict(
        calls=len(calls),
        dials=len(accepted),
        refusals=len(orders) - len(accepted),
        faults=sum(order.fault != HONEST for order in orders),
        answers_stopped=sum(happening.words == APOLOGY for happening in happenings),
        house_losses=house_losses,
        duplicates=len(accepted) - len({order.call_id for order in accepted}),
        lost=sum(outdial_call(answer.body) not in calls for answer in promised),
        money_difference_micros=difference,
        violations=(*violations, *_audited(evidence.database), *_secrets(evidence), *_bounds(evidence.database)),
    )


def assert_all_hold(verdict: Verdict) -> None:
    """
    Let only a schedule pass that broke nothing.
    """
    assert () == verdict.violations
    assert (0, 0, 0) == (verdict.duplicates, verdict.lost, verdict.money_difference_micros)


def outdial_call(body: str) -> str:
    """
    Return the call that an answer 201 names.
    """
    return str(outdial_json(body)["call_id"])


def outdial_json(body: str) -> dict[str, Any]:
    """
    Read an answer's body.
    """
    return dict(json.loads(body))


def _dials(ask: Ask, calls: dict[str, int], orders: list[Order]) -> Iterator[Violation]:
    dialled = Counter(order.call_id for order in orders if order.is_accepted)
    sendings: dict[int, int] = dict(
        ask("select call_id, count(*) from call_records where state = 'sending' group by call_id")
    )
    for call_id, times in dialled.items():
        if times > 1:
            yield Violation("I1", f"{call_id} was dialled {times} times.")
    for order in orders:
        number, attempt = calls.get(order.call_id), int(order.attempt_id.rpartition("_")[2])
        if number is None or sendings.get(number, 0) < attempt:
            yield Violation("I2", f"{order.attempt_id} rang without a point of no return.")
    sent = Counter(order.attempt_id for order in orders)
    for attempt_id, times in sent.items():
        if times > 1:
            yield Violation("I10", f"{attempt_id} was sent {times} times.")


def _promises(ask: Ask, calls: dict[str, int], answers: Answers) -> Iterator[Violation]:
    over = {number for (number,) in ask(f"select id from calls where state in {TERMINAL}")}
    bodies: dict[str, set[str]] = defaultdict(set)
    for answer in answers.all:
        if answer.status != HTTPStatus.CREATED:
            continue
        bodies[answer.key].add(answer.body)
        number = calls.get(outdial_call(answer.body))
        if number is None:
            yield Violation("I3", f"{outdial_call(answer.body)} was promised and is not there.")
        elif number not in over:
            yield Violation("I3", f"{outdial_call(answer.body)} is not over.")
    for key, different in bodies.items():
        if len(different) > 1:
            yield Violation("I4", f"{key} got {len(different)} different answers.")
    for key, count in ask("select idempotency_key, count(*) from calls group by idempotency_key having count(*) > 1"):
        yield Violation("I4", f"{key} made {count} calls.")


def _do_not_call(ask: Ask, calls: dict[str, int], accepted: list[Order], evidence: Evidence) -> Iterator[Violation]:
    passed: dict[int, int] = dict(
        ask("select call_id, max(at) from call_records where state = 'sending' group by call_id")
    )
    for order in accepted:
        listed_at = evidence.answers.listed.get(order.callee)
        if listed_at is None or (listed_at > 0 and not evidence.is_time_steady):
            continue
        if passed.get(calls.get(order.call_id, 0), 0) / 1e6 > listed_at:
            yield Violation("I5", f"{order.callee} rang although it is listed.")


def _answers(ask: Ask, happenings: list[Happening], evidence: Evidence) -> Iterator[Violation]:
    """
    Look for conversations that began although something stood against them, and for apologies that nobody wrote down.

    A database that can't be asked for a moment stops no conversation, and a clock that was set tells nothing.
    """
    if not (evidence.is_time_steady and evidence.is_database_steady):
        return
    attempts = "select 'call_' || call_id || '_' || token || '_' || incidents.attempt from incidents"
    incidents = {attempt_id for (attempt_id,) in ask(f"{attempts} join calls on call_id = calls.id")}
    answered_at = {happening.attempt_id: happening.at for happening in happenings if happening.event == "answered"}
    for happening in happenings:
        if happening.words == APOLOGY and happening.attempt_id not in incidents:
            yield Violation("gate", f"Nothing is written down of the apology in {happening.attempt_id}.")
        if happening.words != AGENT:
            continue
        at = answered_at[happening.attempt_id]
        if evidence.answers.listed.get(happening.callee, at) < at:
            yield Violation("gate", f"The agent talked to {happening.callee}, which is listed.")
        if evidence.answers.ended.get(happening.call_id, at) < at:
            yield Violation("gate", f"The agent talked in {happening.call_id}, which others had ended.")


def _money(ask: Ask) -> Iterator[Violation]:
    difference = _difference_micros(ask)
    if difference:
        yield Violation("I6", f"{difference} micros are too much or missing.")
    held_by_calls: dict[int, int] = dict(
        ask(f"select account_id, sum(hold_micros) from calls where state not in {TERMINAL} group by account_id")
    )
    for account, balance, held in ask("select account_id, balance_micros, held_micros from wallets"):
        if not 0 <= held <= balance or held != held_by_calls.get(account, 0):
            yield Violation("I7", f"Account {account} holds {held} of {balance}.")
    entries: dict[int, Counter[str]] = defaultdict(Counter)
    counts: Counter[tuple[int, str]] = Counter()
    for call, kind, micros in ask("select call_id, kind, micros from ledger where call_id is not null"):
        entries[call][kind] += micros
        counts[call, kind] += 1
    for (call, kind), count in counts.items():
        if count > 1:
            yield Violation("I8", f"Call {call} has {count} entries {kind}.")
    over = ask(f"select id, hold_micros, charge_micros from calls where state in {TERMINAL}")
    for number, hold, charge in over:
        money = entries[number]
        if not hold == money["hold"] == money["capture"] + money["release"] or charge != money["capture"]:
            yield Violation("I8", f"Call {number} has a hold of {hold}, a charge of {charge} and {dict(money)}.")


def _bills(ask: Ask, calls: dict[str, int], happenings: list[Happening]) -> Iterator[Violation]:
    """
    Hold what was billed, and what the house lost, against what the network knows of conversations.
    """
    answered = {calls[happening.call_id] for happening in happenings if happening.event == "answered"}
    states: dict[int, str] = dict(ask("select id, state from calls"))
    for call, kind, micros in ask("select call_id, kind, micros from ledger where kind in ('capture', 'house_loss')"):
        if micros and call not in answered:
            yield Violation("I6", f"Call {call} has a {kind} of {micros}, and nobody answered it.")
        if kind == "house_loss" and states[call] != "revealed":
            yield Violation("I6", f"Call {call} is {states[call]} and has a house loss.")


def _difference_micros(ask: Ask) -> int:
    ((paid,),) = ask("select coalesce(sum(micros), 0) from ledger where call_id is null")
    ((captured,),) = ask("select coalesce(sum(micros), 0) from ledger where kind = 'capture'")
    ((owned,),) = ask("select coalesce(sum(balance_micros), 0) from wallets")
    return int(paid - captured - owned)


def _records(ask: Ask) -> Iterator[Violation]:
    over: dict[int, str] = {}
    for call, state, number in ask("select call_id, state, number from call_records order by number"):
        if call in over and (over[call], state) != ("settled", "revealed"):
            yield Violation("I9", f"Call {call} was {over[call]}, and then {state} (record {number}).")
        if f"'{state}'" in TERMINAL:
            over[call] = state
    for column, state in (("fence", "leased"), ("attempt", "sending")):
        counts = f"select count(*) from call_records where call_id = calls.id and state = '{state}'"
        for call, number, count in ask(f"select id, {column}, ({counts}) from calls"):
            if number != count:
                yield Violation("I10", f"Call {call} has the {column} {number} and was {count} times {state}.")
    counts = "select call_id, count(*) as times from call_records group by call_id"
    for call, version, count in ask(f"select id, version, times from calls join ({counts}) as told on call_id = id"):
        if count != version + 1:
            yield Violation("I9", f"Call {call} has the version {version} and {count} records.")


def _messages(ask: Ask, folder: Path) -> Iterator[Violation]:
    bodies: dict[str, set[str]] = defaultdict(set)
    arrived = set()
    for message in read_messages(folder):
        bodies[message.id].add(message.sha256)
        if message.status.startswith("200"):
            arrived.add(message.id)
    for message_id, different in bodies.items():
        if len(different) > 1:
            yield Violation("I12", f"{message_id} came with {len(different)} bodies.")
    told = ask(
        "select webhook_messages.id, state from webhook_messages"
        " join webhook_deliveries on webhook_deliveries.message_number = webhook_messages.number"
    )
    for message_id, state in told:
        if state == "delivered" and message_id not in arrived:
            yield Violation("I12", f"{message_id} counts as delivered and never came.")
    silent = ask(f"select id from calls where state in {TERMINAL} and id not in (select call_id from webhook_messages)")
    for (number,) in silent:
        yield Violation("I12", f"Nobody is told of the end of call {number}.")


def _audited(database: str) -> Iterator[Violation]:
    found = auditing.audit(outdial.Settings(database=database), on_progress=lambda _progress: None).finding
    if found is not None:
        yield Violation("audit", f"{found.table}, {found.key}: {found.problem}")


def _secrets(evidence: Evidence) -> Iterator[Violation]:
    shown = {path.name: path.read_text(errors="replace") for path in evidence.folder.glob("*.log")}
    shown |= {name: (evidence.folder / name).read_text() for name in ("orders", "messages")}
    shown["answers"] = "\n".join(answer.body for answer in evidence.answers.all)
    for name, text in shown.items():
        for secret in (*CANARIES, *evidence.secrets):
            if secret in text:
                yield Violation("I13", f"A secret is in {name}.")


def _bounds(database: str) -> Iterator[Violation]:
    log = Path(database.removeprefix("sqlite:///") + "-wal")
    if log.exists() and log.stat().st_size > WAL_BYTES_MAX:
        yield Violation("I14", f"The write-ahead log has {log.stat().st_size} bytes.")
