"""
Whether the invariants see anything: known mistakes must break them.
"""

import asyncio
from pathlib import Path

import pytest

from tests.crash.faults import callee
from tests.crash.plans import ASLEEP, Life, Plan
from tests.crash.rig import Nursery
from tests.crash.schedules import run


@pytest.mark.parametrize(
    ("mistake", "plan", "invariant"),
    [
        pytest.param(
            "naive re-queue",
            Plan(callees=(callee("honest"),), lives=(Life(failpoint="order:after:1"),), mistake="naive re-queue"),
            "I1",
            id="naive-re-queue",
        ),
        pytest.param(
            "retrying client",
            Plan(callees=(callee("accept+500"),), mistake="retrying client"),
            "I1",
            id="retrying-client",
        ),
        pytest.param(
            "retry after doubt",
            Plan(callees=(callee("accept+500"),), mistake="retry after doubt"),
            "I1",
            id="retry-after-doubt",
        ),
        pytest.param(
            "not found is no dial",
            Plan(callees=(callee("look-up finds nothing"),), mistake="not found is no dial"),
            "I1",
            id="not-found-is-no-dial",
        ),
        pytest.param(
            "answer gate off",
            Plan(callees=(callee("rings long"),), lives=(ASLEEP,), mistake="answer gate off"),
            "gate",
            id="answer-gate-off",
        ),
    ],
)
def test_known_mistakes_are_caught(home: Nursery, tmp_path: Path, mistake: str, plan: Plan, invariant: str) -> None:
    """
    A phone rings twice, or somebody on a Do-Not-Call list hears the agent: it is seen.
    """
    report = asyncio.run(run(plan, tmp_path, f"sqlite:///{tmp_path / 'outdial.db'}", home))

    assert invariant in {violation.invariant for violation in report.verdict.violations}, mistake
    assert (invariant == "I1") == (report.verdict.duplicates > 0)
