"""
Rows of a relational database to values, whichever database they come from.

Each row has the column order that the statements read.
"""

from collections.abc import Iterable
from typing import Any

from outdial.adapters.relational.columns import (
    read_json,
    read_number,
    read_problems,
    read_time,
    read_time_or_none,
    read_variables,
)
from outdial.domain.model.agent import Agent, RuntimeKind
from outdial.domain.model.call import Call, Script
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.contact import Contact, ContactNumber, Person, PhoneType
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.do_not_call import DncEntry, DncList
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.incident import Incident, IncidentKind, Objection
from outdial.domain.model.lifecycle import State
from outdial.domain.model.open_calls import OpenCalls
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.principal import Account, ApiKey, Permission
from outdial.domain.model.rate import Rate
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet

Row = tuple[Any, ...]


def read_account(row: Row) -> Account:
    """
    Read an account.
    """
    number, name, currency, created_at, default_region, allowed_regions, price_caps_micros = row
    return Account(
        id=number,
        name=name,
        currency=currency,
        created_at=read_time(created_at),
        default_region=default_region,
        allowed_regions=read_json(allowed_regions, frozenset[str]),
        price_caps_micros=read_json(price_caps_micros, dict[NumberKind, int]),
    )


def read_key(row: Row) -> ApiKey:
    """
    Read a key.
    """
    number, account_id, permissions, secret_hash, created_at, expires_at, revoked_at, calls_per_day, per_minute = row
    return ApiKey(
        id=number,
        account_id=account_id,
        permissions=read_json(permissions, frozenset[Permission]),
        secret_hash=secret_hash,
        created_at=read_time(created_at),
        expires_at=read_time_or_none(expires_at),
        revoked_at=read_time_or_none(revoked_at),
        calls_per_day=calls_per_day,
        requests_per_minute=per_minute,
    )


def read_agent(row: Row) -> Agent:
    """
    Read an agent.
    """
    number, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri = row[:9]
    model, voice_id, team_id = row[9:]
    return Agent(
        id=number,
        account_id=account_id,
        assistant_id=assistant_id,
        name=name,
        phone_number=read_number(phone_number),
        greeting=greeting,
        instructions=instructions,
        runtime=RuntimeKind(runtime),
        sip_uri=sip_uri,
        model=model,
        voice_id=voice_id,
        team_id=team_id,
    )


def read_person(row: Row) -> Person:
    """
    Read a contact without its numbers.
    """
    number, account_id, first_name, last_name, email, company, timezone, custom_context = row
    return Person(
        id=number,
        account_id=account_id,
        first_name=first_name,
        last_name=last_name,
        email=email,
        company=company,
        timezone=timezone,
        custom_context=read_variables(custom_context),
    )


def read_contacts(people: Iterable[Row], numbers: Iterable[Row]) -> tuple[Contact, ...]:
    """
    Read contacts in the order of their rows, each with those of the numbers that are its own.
    """
    numbers_of: dict[int, list[ContactNumber]] = {}
    for contact_id, *number in sorted(numbers, key=lambda row: int(row[1])):
        numbers_of.setdefault(contact_id, []).append(_read_contact_number(*number))
    found = (read_person(row) for row in people)
    return tuple(Contact(person=person, phone_numbers=tuple(numbers_of.get(person.id, ()))) for person in found)


def read_dnc_list(row: Row) -> DncList:
    """
    Read a Do-Not-Call list.
    """
    number, account_id, name, source, created_at = row
    return DncList(id=number, account_id=account_id, name=name, source=source, created_at=read_time(created_at))


def read_dnc_entry(row: Row) -> DncEntry:
    """
    Read a Do-Not-Call entry.
    """
    list_id, e164, reason, listed_at, expires_at = row
    return DncEntry(
        list_id=list_id,
        phone_number=PhoneNumber(e164),
        reason=reason,
        listed_at=read_time(listed_at),
        expires_at=read_time_or_none(expires_at),
    )


def read_dnc_entries(rows: Iterable[Row]) -> dict[tuple[int, str], list[DncEntry]]:
    """
    Read the entries that bind accounts, by account and number; each row begins with the account.
    """
    found: dict[tuple[int, str], list[DncEntry]] = {}
    for account_id, *entry in rows:
        read = read_dnc_entry(tuple(entry))
        found.setdefault((account_id, read.phone_number.e164), []).append(read)
    return found


def read_rate(row: Row) -> Rate:
    """
    Read a rate.
    """
    currency, prefix, per_minute_micros, increment_s, minimum_s = row
    return Rate(
        currency=currency,
        prefix=prefix,
        per_minute_micros=per_minute_micros,
        increment_s=increment_s,
        minimum_s=minimum_s,
    )


def read_wallet(row: Row) -> Wallet:
    """
    Read a wallet.
    """
    account_id, currency, balance_micros, held_micros, entries, seal = row
    return Wallet(
        account_id=account_id,
        currency=currency,
        balance_micros=balance_micros,
        held_micros=held_micros,
        entries=entries,
        seal=bytes(seal),
    )


def read_entry(row: Row) -> LedgerEntry:
    """
    Read a ledger entry.
    """
    account_id, kind, micros, call_id, at = row
    return LedgerEntry(account_id=account_id, kind=EntryKind(kind), micros=micros, call_id=call_id, at=read_time(at))


def read_record(row: Row) -> CallRecord:
    """
    Read what happened to a call.
    """
    number, call_id, account_id, state, disposition, at = row
    return CallRecord(
        number=number,
        call_id=call_id,
        account_id=account_id,
        state=State(state),
        disposition=None if disposition is None else Disposition(disposition),
        at=read_time(at),
    )


def read_open_calls(row: Row) -> OpenCalls:
    """
    Read the sum of some open calls.
    """
    state, currency, count, oldest_at, held_micros = row
    return OpenCalls(
        state=State(state),
        currency=currency,
        count=count,
        oldest_at=read_time(oldest_at),
        held_micros=held_micros,
    )


def read_call(row: Row) -> Call:
    """
    Read a call: its promise, its progress, its script.
    """
    promise, progress, script = row[:24], row[24:41], row[41:]
    number, token, account_id, key_id, agent_id, assistant_id, agent_name, contact_id = promise[:8]
    phone_number, caller_id, runtime, sip_uri = promise[8:12]
    hold_micros, max_duration_s, created_at, expires_at, idempotency_key, request_digest, trace_parent = promise[17:]
    state, worker_id, fence, attempt, dialed_at, answered_at, ended_at, disposition = progress[:8]
    talk_s, charge_micros, not_before, deadline_at, version, hang_up_at = progress[11:]
    return Call(
        id=number,
        token=token,
        account_id=account_id,
        key_id=key_id,
        agent_id=agent_id,
        assistant_id=assistant_id,
        agent_name=agent_name,
        contact_id=contact_id,
        phone_number=PhoneNumber(phone_number),
        caller_id=PhoneNumber(caller_id),
        runtime=RuntimeKind(runtime),
        sip_uri=sip_uri,
        script=_read_script(script),
        rate=read_rate(promise[12:17]),
        hold_micros=hold_micros,
        max_duration_s=max_duration_s,
        created_at=read_time(created_at),
        expires_at=read_time(expires_at),
        idempotency_key=idempotency_key,
        request_digest=request_digest,
        trace_parent=trace_parent,
        state=State(state),
        worker_id=worker_id,
        fence=fence,
        attempt=attempt,
        dialed_at=read_time_or_none(dialed_at),
        answered_at=read_time_or_none(answered_at),
        ended_at=read_time_or_none(ended_at),
        disposition=None if disposition is None else Disposition(disposition),
        cause=_read_cause(progress[8:11]),
        talk_s=talk_s,
        charge_micros=charge_micros,
        not_before=read_time_or_none(not_before),
        deadline_at=read_time_or_none(deadline_at),
        version=version,
        hang_up_at=read_time_or_none(hang_up_at),
    )


def _read_contact_number(number: int, e164: str, phone_type: str, is_primary: int) -> ContactNumber:
    return ContactNumber(
        id=number, phone_number=PhoneNumber(e164), phone_type=PhoneType(phone_type), is_primary=is_primary == 1
    )


def _read_cause(row: Row) -> HangUpCause | None:
    code, words, provisional = row
    if code is None:
        return None
    return HangUpCause(code=code, words=words, provisional=read_json(provisional, tuple[int, ...]))


def _read_script(row: Row) -> Script:
    greeting, instructions, variables = row
    return Script(greeting=greeting, instructions=instructions, variables=read_variables(variables))


def read_grounds(row: Row) -> Grounds:
    """
    Read what a decision rested on.
    """
    policy_version, facts, facts_digest = row
    return Grounds(policy_version=policy_version, facts=facts, facts_digest=facts_digest)


def read_refusal(row: Row) -> Refusal:
    """
    Read a refusal.
    """
    number, account_id, key_id, at, reason, problems, phone_number, agent_id, *grounds = row
    return Refusal(
        number=number,
        account_id=account_id,
        key_id=key_id,
        at=read_time(at),
        reason=Reason(reason),
        problems=read_problems(problems),
        phone_number=read_number(phone_number),
        agent_id=agent_id,
        grounds=read_grounds(tuple(grounds)),
    )


def read_incident(row: Row) -> Incident:
    """
    Read an incident.
    """
    number, account_id, call_id, attempt, kind, objection, at = row
    return Incident(
        number=number,
        account_id=account_id,
        call_id=call_id,
        attempt=attempt,
        kind=IncidentKind(kind),
        objection=Objection(objection),
        at=read_time(at),
    )
