"""
Deciding and recording a batch of requests inside one transaction.
"""

from collections.abc import Mapping, Sequence

from outdial.adapters.postgres.call_rows import (
    calls_by_agent,
    calls_by_day,
    entry_columns,
    progress_columns,
    promise_columns,
    script_columns,
    wallet_columns,
)
from outdial.adapters.postgres.decisions import grounds_columns, refusal_columns
from outdial.adapters.postgres.rows import Columns
from outdial.adapters.postgres.snapshot import SQL, snapshot_of
from outdial.adapters.postgres.statements import Statements, Step
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted, Decision
from outdial.domain.model.policy import Policy
from outdial.domain.model.wallet import Wallet, wallets_after
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import DecideAll


def accept(sql: Statements, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
    """
    Decide a batch on one snapshot and record what was accepted, and what is kept of refusals.
    """
    snapshot = snapshot_of(batch, sql, policy=policy)
    decided = decide_all(batch, snapshot.facts)
    accepted = [one.decision for one in decided if isinstance(one.decision, Accepted)]
    steps = _steps_of(accepted, snapshot.wallets) if accepted else []
    refusals = [refusal_columns(one.refusal) for one in decided if one.refusal is not None]
    if refusals:
        steps.append(_all("add_refusals", refusals))
    if steps:
        sql.together(steps)
    return [one.decision for one in decided]


def _steps_of(accepted: Sequence[Accepted], wallets: Mapping[int, Wallet]) -> list[Step]:
    if any(decision.hold.account_id not in wallets for decision in accepted):
        raise StorageConflictError("An account has no wallet; nothing was written.")
    after = wallets_after((decision.hold for decision in accepted), wallets)
    calls = [{**promise_columns(decision.call), **progress_columns(decision.call)} for decision in accepted]
    days = calls_by_day(decision.call for decision in accepted)
    return [
        _all("add_calls", calls),
        _all("add_scripts", [script_columns(decision.call) for decision in accepted]),
        _all(
            "add_entries",
            [
                {**wallet_columns(wallet), **entry_columns(decision.hold)}
                for decision, wallet in zip(accepted, after, strict=True)
            ],
        ),
        _all("add_records", calls),
        _all("add_call_decisions", [grounds_columns(decision) for decision in accepted]),
        *([_all("count_calls", days)] if days else []),
        _all("count_agents", calls_by_agent(decision.call for decision in accepted)),
        _all(
            "update_wallets",
            [wallet_columns(wallet) for wallet in {wallet.account_id: wallet for wallet in after}.values()],
        ),
        (SQL["notify"], {}),
    ]


def _all(name: str, rows: Sequence[Columns]) -> Step:
    """
    Return a statement that writes many rows at once, each column as a list.
    """
    return SQL[name], {column: [row[column] for row in rows] for column in rows[0]}
