"""
What many schedules came to, together.
"""

import attrs

from tests.crash.schedules import Report


@attrs.define
class Totals:
    """
    Sums over schedules.

    Attributes:
        broken: What was found, with the schedule that shows it.
    """

    schedules: int = 0
    kills: int = 0
    stops: int = 0
    troubles: int = 0
    faults: int = 0
    calls: int = 0
    dials: int = 0
    refusals: int = 0
    unanswered: int = 0
    answers_stopped: int = 0
    house_losses: int = 0
    duplicates: int = 0
    lost: int = 0
    money_difference_micros: int = 0
    broken: list[str] = attrs.field(factory=list)

    def add(self, name: str, report: Report) -> list[str]:
        """
        Take a schedule's report, and return what is broken in it.
        """
        verdict = report.verdict
        self.schedules += 1
        for field in ("kills", "stops", "troubles", "unanswered"):
            setattr(self, field, getattr(self, field) + getattr(report, field))
        for field in ("faults", "calls", "dials", "refusals", "answers_stopped", "house_losses", "duplicates", "lost"):
            setattr(self, field, getattr(self, field) + getattr(verdict, field))
        self.money_difference_micros += abs(verdict.money_difference_micros)
        broken = [f"{name}: {violation.invariant}: {violation.words}" for violation in verdict.violations]
        self.broken += broken
        return broken

    def __str__(self) -> str:
        return (
            f"{self.schedules} schedules, {self.kills} kills, {self.stops} stops, {self.faults} faults of the network,"
            f" {self.troubles} of machines, {self.calls} calls, {self.dials} dials, {self.refusals} refused orders,"
            f" {self.answers_stopped} answers stopped, {self.house_losses} house losses; {self.duplicates} duplicates,"
            f" {self.lost} lost, {self.money_difference_micros} micros of difference, {len(self.broken)} violations"
        )
