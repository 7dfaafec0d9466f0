"""
What always holds of calls, money and messages, however they came about (I1 to I12 of docs/safety.md).
"""

from collections import Counter
from itertools import pairwise

from outdial.domain.model.agent import AgentTotals
from outdial.domain.model.call import BROKEN_OFF, Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.delivery import DeliveryState
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import TERMINAL, TRANSITIONS, State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.model.webhook import EventType
from outdial.domain.service.auditing import Audit
from tests.life.books import ACCOUNT_IDS, Books, price_micros
from tests.life.snapshot import WEBHOOKS, Snapshot, agent_of

NOT_DIALLED = frozenset({State.CANCELED, State.BLOCKED})
Step = tuple[State, State]


def check(now: Snapshot, books: Books) -> None:
    """
    Hold everything that is stored against what is known of it.
    """
    _check_money(now, books)
    for call in now.calls.values():
        _check_call(now, books, call)
        _check_end(books, call)
    _check_records(now)
    _check_mail(now)
    _check_incidents(now, books)
    _check_audit(now)


def _check_money(now: Snapshot, books: Books) -> None:
    """
    Deposits are what is available, held and captured; held is what open calls hold. The house's losses move none of it.
    """
    for account_id in ACCOUNT_IDS:
        wallet, sums = now.wallets[account_id], Counter[EntryKind]()
        for entry in now.ledgers[account_id]:
            sums[entry.kind] += entry.micros
        mine = [call for call in now.calls.values() if call.account_id == account_id]
        captured = sum(_charge_micros(call) for call in mine)
        assert (books.deposits[account_id], captured) == (sums[EntryKind.DEPOSIT], sums[EntryKind.CAPTURE])
        assert books.deposits[account_id] == wallet.available_micros + wallet.held_micros + captured
        assert wallet.available_micros >= 0
        assert wallet.held_micros == sum(call.hold_micros for call in mine if call.state not in TERMINAL)
        lost = sum(price_micros(call) for call in mine if call.state is State.REVEALED and _was_talk(call))
        assert lost == sums[EntryKind.HOUSE_LOSS]
        assert _totals(mine) == now.totals.get(agent_of(account_id), AgentTotals())


def _totals(calls: list[Call]) -> AgentTotals:
    return AgentTotals(calls=len(calls), talk_s=sum(call.talk_s for call in calls if call.is_terminal))


def _was_talk(call: Call) -> bool:
    return call.answered_at is not None and call.disposition is not Disposition.OUTCOME_UNKNOWN


def _charge_micros(call: Call) -> int:
    return price_micros(call) if call.state is State.SETTLED and _was_talk(call) else 0


def _check_call(now: Snapshot, books: Books, call: Call) -> None:
    """
    One hold, resolved once and only at the end; nothing was said of it but what somebody told.
    """
    money = now.entries_of(call)
    assert call.hold_micros == money[EntryKind.HOLD] > 0
    resolved = money.get(EntryKind.CAPTURE, 0) + money.get(EntryKind.RELEASE, 0)
    assert resolved == (call.hold_micros if call.is_terminal else 0)
    assert call.charge_micros == money.get(EntryKind.CAPTURE, 0) == _charge_micros(call)
    assert EntryKind.HOUSE_LOSS not in money or call.state is State.REVEALED
    assert call.answered_at is None or call.attempt_id in books.answers
    assert call.talk_s == 0 or call.talk_s in books.talks[call.id]
    attempts = books.passes[call.id]
    assert call.attempt == len(attempts) == len(set(attempts))
    assert books.refused.issuperset(attempts[:-1]), "It was dialled again that may have rung."
    assert (call.dialed_at is not None) is bool(attempts)
    assert call.fence == books.fences.get(call.id, 0)
    if call.state in NOT_DIALLED:
        assert books.refused.issuperset(attempts)
        assert call.id not in books.log


def _check_end(books: Books, call: Call) -> None:
    """
    What is over changes no more, but for an outcome that was not known.
    """
    before = books.over.get(call.id)
    if before is not None and before.disposition is Disposition.OUTCOME_UNKNOWN and call.state is State.REVEALED:
        books.over[call.id] = before = call
        assert call.disposition is not Disposition.OUTCOME_UNKNOWN
    if call.is_terminal:
        assert call == books.over.setdefault(call.id, call)
        assert call.ended_at is not None
        assert call.disposition is not None
    else:
        assert before is None
        assert call.id not in books.canceled | books.quarantined


def steps_of(records: tuple[CallRecord, ...]) -> list[Step]:
    """
    Return from where to where a call went, one after the other.
    """
    return list(pairwise(record.state for record in records))


def _check_records(now: Snapshot) -> None:
    """
    Records count upwards over all calls, and lead by steps that there are to where each call is.
    """
    numbers = [record.number for records in now.records.values() for record in records]
    assert len(set(numbers)) == len(numbers)
    for call_id, records in now.records.items():
        call, mine = now.calls[call_id], [record.number for record in records]
        assert sorted(mine) == mine
        assert (State.QUEUED, call.state) == (records[0].state, records[-1].state)
        assert call.version == len(records) - 1
        assert {call.account_id} == {record.account_id for record in records}
        assert all(after in TRANSITIONS[before].values() for before, after in steps_of(records))
        assert call.attempt == sum(record.state is State.SENDING for record in records)


def _check_mail(now: Snapshot) -> None:
    """
    Of each event every webhook that wants it has one delivery, its own account's alone, and they go in order.
    """
    for webhook in WEBHOOKS:
        mail = now.mail[webhook.id]
        mine = {call.id: call for call in now.calls.values() if call.account_id == webhook.account_id}
        assert mine.keys() >= {one.message.call_id for one in mail}
        for call in mine.values():
            line = [one for one in mail if one.message.call_id == call.id]
            expected = [kind for kind in _events_of(call, now.records[call.id]) if kind in webhook.events]
            assert expected == [one.message.event_type for one in line]
            waiting = [one for one in line if one.is_open]
            assert all(one.next_at is not None for one in waiting[:1])
            assert all(one.next_at is None for one in waiting[1:] if one.state is DeliveryState.PENDING)
    ids = {one.message.number: one.message.id for mail in now.mail.values() for one in mail}
    assert len(set(ids.values())) == len(ids)


def _events_of(call: Call, records: tuple[CallRecord, ...]) -> list[EventType]:
    """
    Return what was to be told of a call.
    """
    reached = {record.state for record in records}
    took_place = call.answered_at is not None and call.disposition not in BROKEN_OFF
    found = [EventType.CALL_STARTED] if State.IN_PROGRESS in reached else []
    if call.state is State.REVEALED:
        return [*found, EventType.CALL_FAILED, *([EventType.CALL_ENDED] if took_place else [])]
    if call.is_terminal:
        found.append(EventType.CALL_ENDED if took_place else EventType.CALL_FAILED)
    return found


def _check_incidents(now: Snapshot, books: Books) -> None:
    """
    Each answer that was stopped is an incident of its call's account, once.
    """
    found = [one for account_id in ACCOUNT_IDS for one in now.incidents[account_id]]
    assert books.incidents == {(one.call_id, one.attempt): one.objection for one in found}
    assert len(books.incidents) == len(found)
    assert all(now.calls[one.call_id].account_id == one.account_id for one in found)


def _check_audit(now: Snapshot) -> None:
    """
    Reckoning everything again from the rows finds nothing.
    """
    audit = Audit()
    for table, rows in now.rows():
        assert audit.take(table, rows) is None
    assert audit.finish() is None
