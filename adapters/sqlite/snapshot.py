"""
The facts for a whole batch of requests, in a handful of statements however many there are.

Each list of look-ups is one JSON parameter, so that every batch runs the same prepared statements.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import attrs

from outdial.adapters.relational.values import (
    Row,
    read_account,
    read_agent,
    read_dnc_entries,
    read_key,
    read_person,
    read_rate,
    read_wallet,
)
from outdial.adapters.sqlite.calls import SqliteCalls
from outdial.adapters.sqlite.rulebook import prefixes_of
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.contact import Person
from outdial.domain.model.do_not_call import DncEntry, binding_entry
from outdial.domain.model.facts import Facts, LookUps, account_id_of, look_ups, proof_of
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Account, ApiKey
from outdial.domain.model.rate import Rate
from outdial.domain.model.wallet import Wallet

KEYS: Final = (
    "select id, account_id, permissions, secret_hash, created_at, expires_at, revoked_at, calls_per_day,"
    " requests_per_minute"
    " from api_keys where id in (select value from json_each(?))"
)
ACCOUNTS: Final = (
    "select id, name, currency, created_at, default_region, allowed_regions, price_caps_micros,"
    " balance_micros, held_micros, entries, seal from accounts join wallets on wallets.account_id = accounts.id"
    " where id in (select value from json_each(?))"
)
AGENTS_BY_ROW: Final = (
    "select id, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri, model,"
    " voice_id, team_id from agents where id in (select value from json_each(?))"
)
AGENTS_BY_NAME: Final = (
    "select id, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri, model,"
    " voice_id, team_id from agents where assistant_id in (select value from json_each(?))"
)
CONTACTS: Final = (
    "select id, account_id, first_name, last_name, email, company, timezone, custom_context"
    " from contacts where id in (select value from json_each(?))"
)
# The lists of each account and the operator's, in which each number is looked for by its key.
DNC_ENTRIES: Final = (
    "select json_extract(value, '$[0]'), list_id, phone_number, reason, listed_at, expires_at from json_each(?)"
    " cross join dnc_lists on dnc_lists.id = 0 or account_id = json_extract(value, '$[0]')"
    " cross join dnc on list_id = dnc_lists.id and phone_number = json_extract(value, '$[1]')"
)
RATES: Final = (
    "select currency, prefix, per_minute_micros, increment_s, minimum_s from rates where (currency, prefix)"
    " in (select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(?))"
)


CALLS_OF_DAYS: Final = (
    "select key_id, day, calls from key_days where (key_id, day)"
    " in (select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(?))"
)


@attrs.frozen(kw_only=True)
class _Principals:
    """
    Who asks and who pays, of all requests.
    """

    keys: Mapping[int, ApiKey]
    accounts: Mapping[int, Account]
    wallets: Mapping[int, Wallet]
    calls_of_days: Mapping[tuple[int, int], int]


@attrs.frozen(kw_only=True)
class _Findings:
    """
    What the look-ups of all requests found.
    """

    agents: Mapping[tuple[int, AgentReference], Agent]
    contacts: Mapping[tuple[int, int], Person]
    dnc_entries: Mapping[tuple[int, str], Sequence[DncEntry]]
    rates: Mapping[tuple[str, str], Rate]


def facts_of_all(
    batch: Sequence[CallRequest], sql: Statements, *, policy: Policy, first_number: int
) -> tuple[Facts, ...]:
    """
    Return the facts of each request in order; their calls would get consecutive rows.
    """
    principals, accounts = _find_principals(batch, sql)
    wanted = [
        None if account is None else look_ups(request, account, policy)
        for request, account in zip(batch, accounts, strict=True)
    ]
    findings = _find(sql, [one for one in wanted if one is not None])
    snapshot: list[Facts] = []
    for request, account, one in zip(batch, accounts, wanted, strict=True):
        proof = proof_of(request.credential)
        facts = Facts(
            now=request.received_at,
            policy=policy,
            call_number=first_number + len(snapshot),
            key=None if proof is None else principals.keys.get(proof.key_id),
            account=account,
            wallet=None if account is None else principals.wallets[account.id],
            prior=_prior(sql, request, account),
            calls_today=0 if proof is None else principals.calls_of_days.get((proof.key_id, _day(request)), 0),
        )
        snapshot.append(facts if one is None else _with_findings(facts, one, findings))
    return tuple(snapshot)


def _prior(sql: Statements, request: CallRequest, account: Account | None) -> Call | None:
    """
    Return the call that was asked for with a request's idempotency key; few requests have one.
    """
    if request.idempotency_key is None or account is None:
        return None
    return SqliteCalls(sql).prior(account.id, request.idempotency_key)


def _day(request: CallRequest) -> int:
    return request.received_at.date().toordinal()


def _find_principals(batch: Sequence[CallRequest], sql: Statements) -> tuple[_Principals, list[Account | None]]:
    proofs = [proof_of(request.credential) for request in batch]
    key_ids = {proof.key_id for proof in proofs if proof is not None}
    keys = {key.id: key for key in map(read_key, _select(sql, KEYS, key_ids))}
    account_ids = [
        account_id_of(request.credential, None if proof is None else keys.get(proof.key_id))
        for request, proof in zip(batch, proofs, strict=True)
    ]
    accounts: dict[int, Account] = {}
    wallets: dict[int, Wallet] = {}
    for row in _select(sql, ACCOUNTS, {number for number in account_ids if number is not None}):
        account = accounts[row[0]] = read_account(row[:7])
        wallets[account.id] = read_wallet((account.id, account.currency, *row[7:]))
    days = {(proof.key_id, _day(request)) for request, proof in zip(batch, proofs, strict=True) if proof is not None}
    calls_of_days = {(key_id, day): calls for key_id, day, calls in _select(sql, CALLS_OF_DAYS, days)}
    principals = _Principals(keys=keys, accounts=accounts, wallets=wallets, calls_of_days=calls_of_days)
    return principals, [None if number is None else accounts.get(number) for number in account_ids]


def _find(sql: Statements, wanted: Iterable[LookUps]) -> _Findings:
    agent_ids: set[AgentReference] = set()
    contact_ids: set[int] = set()
    listed: set[tuple[int, str]] = set()
    prefixes: set[tuple[str, str]] = set()
    for one in wanted:
        if one.agent_id is not None:
            agent_ids.add(one.agent_id)
        if one.contact_id is not None:
            contact_ids.add(one.contact_id)
        if one.callee is not None:
            listed.add((one.account_id, one.callee.e164))
            prefixes.update((one.currency, prefix) for prefix in prefixes_of(one.callee))
    contacts = map(read_person, _select(sql, CONTACTS, contact_ids))
    rates = map(read_rate, _select(sql, RATES, prefixes))
    return _Findings(
        agents=_find_agents(sql, agent_ids),
        contacts={(contact.account_id, contact.id): contact for contact in contacts},
        dnc_entries=read_dnc_entries(_select(sql, DNC_ENTRIES, listed)),
        rates={(rate.currency, rate.prefix): rate for rate in rates},
    )


def _find_agents(sql: Statements, agent_ids: Iterable[AgentReference]) -> Mapping[tuple[int, AgentReference], Agent]:
    found: dict[tuple[int, AgentReference], Agent] = {}
    numbers = {agent_id for agent_id in agent_ids if isinstance(agent_id, int)}
    names = {agent_id for agent_id in agent_ids if isinstance(agent_id, str)}
    for agent in map(read_agent, _select(sql, AGENTS_BY_ROW, numbers)):
        found[agent.account_id, agent.id] = agent
    for agent in map(read_agent, _select(sql, AGENTS_BY_NAME, names)):
        found[agent.account_id, agent.assistant_id] = agent
    return found


def _with_findings(facts: Facts, wanted: LookUps, findings: _Findings) -> Facts:
    account_id, callee = wanted.account_id, wanted.callee
    agent = None if wanted.agent_id is None else findings.agents.get((account_id, wanted.agent_id))
    contact = None if wanted.contact_id is None else findings.contacts.get((account_id, wanted.contact_id))
    if callee is None:
        return attrs.evolve(facts, agent=agent, contact=contact)
    fitting = (findings.rates.get((wanted.currency, prefix)) for prefix in prefixes_of(callee))
    return attrs.evolve(
        facts,
        callee=callee,
        agent=agent,
        contact=contact,
        dnc_entry=binding_entry(findings.dnc_entries.get((account_id, callee.e164), ()), facts.now),
        rates=tuple(rate for rate in fitting if rate is not None),
    )


def _select(sql: Statements, statement: str, wanted: Collection[object]) -> list[Row]:
    """
    Run a statement for a list of look-ups; nothing wanted needs no statement.
    """
    # ASCII JSON carries any text and any integer: what no row can have is simply not found.
    return sql.all(statement, json.dumps(list(wanted))) if wanted else []
