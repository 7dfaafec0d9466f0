"""
The facts for a whole batch of requests, in two round trips however many there are.

The first finds out who pays. The second reads what may change under a decision without harm, then locks what may not
and reads it: the wallets, in the order of accounts, and the numbers that must not be listed meanwhile.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import attrs

from outdial.adapters.postgres.do_not_call import SQL as DNC
from outdial.adapters.postgres.guards import guards_of
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.rulebook import prefixes_of
from outdial.adapters.postgres.statements import Statements, Step, is_storable
from outdial.adapters.relational.values import (
    read_account,
    read_agent,
    read_call,
    read_dnc_entries,
    read_key,
    read_person,
    read_rate,
    read_wallet,
)
from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.contact import Person
from outdial.domain.model.do_not_call import DncEntry, binding_entry
from outdial.domain.model.facts import Facts, LookUps, account_id_of, look_ups, proof_of
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Account, ApiKey, Operator
from outdial.domain.model.rate import Rate
from outdial.domain.model.wallet import Wallet

SQL: Final = load("acceptance.sql")


@attrs.frozen(kw_only=True)
class Snapshot:
    """
    What is true for a batch.

    Attributes:
        facts: Of each request, in order.

        wallets: Those of all accounts that may pay, locked.
    """

    facts: Sequence[Facts]
    wallets: Mapping[int, Wallet]


@attrs.frozen(kw_only=True)
class _Claim:
    """
    Who asks and who pays, of one request.
    """

    key: ApiKey | None
    account: Account | None


@attrs.frozen(kw_only=True)
class _Repeats:
    """
    Which earlier calls matter: those of the same idempotency keys, and how many each API key had on its day.
    """

    names: Sequence[tuple[int, str]]
    days: Sequence[tuple[int, int]]
    call_count: int


@attrs.frozen(kw_only=True)
class _Findings:
    """
    What the look-ups of all requests found.
    """

    numbers: Sequence[int]
    wallets: Mapping[int, Wallet]
    agents: Mapping[tuple[int, AgentReference], Agent]
    contacts: Mapping[tuple[int, int], Person]
    dnc_entries: Mapping[tuple[int, str], Sequence[DncEntry]]
    rates: Mapping[tuple[str, str], Rate]
    priors: Mapping[tuple[int, str], Call]
    calls_of_days: Mapping[tuple[int, int], int]


def snapshot_of(batch: Sequence[CallRequest], sql: Statements, *, policy: Policy) -> Snapshot:
    """
    Return the facts of each request in order; their calls would get rows that were never given before.
    """
    claims = _claims_of(batch, sql)
    wanted = [
        None if claim.account is None else look_ups(request, claim.account, policy)
        for request, claim in zip(batch, claims, strict=True)
    ]
    findings = _find(sql, [one for one in wanted if one is not None], _repeats_of(batch, claims))
    facts: list[Facts] = []
    for request, claim, one, number in zip(batch, claims, wanted, findings.numbers, strict=True):
        known = Facts(
            now=request.received_at,
            policy=policy,
            call_number=number,
            key=claim.key,
            account=claim.account,
        )
        known = known if one is None else _with_findings(known, one, findings)
        facts.append(_with_repeats(known, request, findings))
    return Snapshot(facts=facts, wallets=findings.wallets)


def _claims_of(batch: Sequence[CallRequest], sql: Statements) -> list[_Claim]:
    proofs = [proof_of(request.credential) for request in batch]
    key_ids = sorted({proof.key_id for proof in proofs if proof is not None})
    operators = {request.credential.account_id for request in batch if isinstance(request.credential, Operator)}
    account_ids = sorted(filter(is_storable, operators))
    key_rows, account_rows = sql.together(
        [
            (SQL["keys"], {"key_ids": key_ids}),
            (SQL["accounts"], {"account_ids": account_ids, "key_ids": key_ids}),
        ]
    )
    keys = {key.id: key for key in map(read_key, key_rows)}
    accounts = {account.id: account for account in map(read_account, account_rows)}
    claims: list[_Claim] = []
    for request, proof in zip(batch, proofs, strict=True):
        key = None if proof is None else keys.get(proof.key_id)
        account_id = account_id_of(request.credential, key)
        claims.append(_Claim(key=key, account=None if account_id is None else accounts.get(account_id)))
    return claims


def _repeats_of(batch: Sequence[CallRequest], claims: Sequence[_Claim]) -> _Repeats:
    """
    Return what has to be known of earlier calls.
    """
    names, days = set(), set()
    for request, claim in zip(batch, claims, strict=True):
        if claim.account is not None and request.idempotency_key is not None:
            names.add((claim.account.id, request.idempotency_key))
        if claim.account is not None and claim.key is not None:
            days.add((claim.key.id, request.received_at.date().toordinal()))
    return _Repeats(names=sorted(names), days=sorted(days), call_count=len(batch))


def _with_repeats(facts: Facts, request: CallRequest, findings: _Findings) -> Facts:
    if facts.account is None:
        return facts
    name, day = request.idempotency_key, request.received_at.date().toordinal()
    return attrs.evolve(
        facts,
        prior=None if name is None else findings.priors.get((facts.account.id, name)),
        calls_today=0 if facts.key is None else findings.calls_of_days.get((facts.key.id, day), 0),
    )


def _find(sql: Statements, wanted: Sequence[LookUps], repeats: _Repeats) -> _Findings:
    callees = {(one.account_id, one.callee) for one in wanted if one.callee is not None}
    prefixes = {(one.currency, prefix) for one in wanted if one.callee for prefix in prefixes_of(one.callee)}
    agents = {(one.account_id, one.agent_id) for one in wanted if one.agent_id is not None}
    contacts = {(one.account_id, one.contact_id) for one in wanted if one.contact_id is not None}
    numbers, by_row, by_name, contact_rows, rate_rows, wallet_rows, prior_rows, day_rows, _guards, dnc_rows = (
        sql.together(
            [
                (SQL["numbers"], {"count": repeats.call_count}),
                _pairs("agents_by_row", "agent_ids", [pair for pair in agents if isinstance(pair[1], int)]),
                _pairs("agents_by_name", "agent_ids", [pair for pair in agents if isinstance(pair[1], str)]),
                _pairs("contacts", "contact_ids", contacts),
                (SQL["rates"], {"currencies": [one for one, _ in prefixes], "prefixes": [one for _, one in prefixes]}),
                (SQL["wallets"], {"account_ids": sorted({one.account_id for one in wanted})}),
                _pairs("priors", "names", repeats.names),
                (
                    SQL["calls_of_days"],
                    {"key_ids": [one for one, _ in repeats.days], "days": [one for _, one in repeats.days]},
                ),
                (DNC["share_guards"], {"guards": guards_of(callees)}),
                _pairs("dnc_entries", "numbers", [(account_id, callee.e164) for account_id, callee in callees]),
            ]
        )
    )
    return _Findings(
        numbers=[int(number) for (number,) in numbers],
        wallets={wallet.account_id: wallet for wallet in map(read_wallet, wallet_rows)},
        agents={
            **{(agent.account_id, agent.id): agent for agent in map(read_agent, by_row)},
            **{(agent.account_id, agent.assistant_id): agent for agent in map(read_agent, by_name)},
        },
        contacts={(contact.account_id, contact.id): contact for contact in map(read_person, contact_rows)},
        dnc_entries=read_dnc_entries(dnc_rows),
        rates={(rate.currency, rate.prefix): rate for rate in map(read_rate, rate_rows)},
        priors={(call.account_id, call.idempotency_key or ""): call for call in map(read_call, prior_rows)},
        calls_of_days={(key_id, day): calls for key_id, day, calls in day_rows},
    )


def _pairs(name: str, parameter: str, pairs: Iterable[tuple[int, int | str]]) -> Step:
    """
    Return a look-up by account and something else; what no row can have is not looked for.
    """
    possible = [pair for pair in pairs if is_storable(pair[1])]
    return SQL[name], {
        "account_ids": [account_id for account_id, _ in possible],
        parameter: [other for _, other in possible],
    }


def _with_findings(facts: Facts, wanted: LookUps, findings: _Findings) -> Facts:
    account_id, callee = wanted.account_id, wanted.callee
    found = attrs.evolve(
        facts,
        wallet=findings.wallets[account_id],
        agent=None if wanted.agent_id is None else findings.agents.get((account_id, wanted.agent_id)),
        contact=None if wanted.contact_id is None else findings.contacts.get((account_id, wanted.contact_id)),
    )
    return found if callee is None else _with_callee(found, callee, wanted, findings)


def _with_callee(facts: Facts, callee: PhoneNumber, wanted: LookUps, findings: _Findings) -> Facts:
    fitting = (findings.rates.get((wanted.currency, prefix)) for prefix in prefixes_of(callee))
    return attrs.evolve(
        facts,
        callee=callee,
        dnc_entry=binding_entry(findings.dnc_entries.get((wanted.account_id, callee.e164), ()), facts.now),
        rates=tuple(rate for rate in fitting if rate is not None),
    )
