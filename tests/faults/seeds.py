"""Many runs, one seed after another: a line for each, and a line for all of them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.report import Report


@dataclass(kw_only=True)
class Seeds:
    """What came of the runs so far."""

    good: int = 0
    failed: int = 0
    broke_off: int = 0  # they prove nothing, in either way
    lost: int = 0
    doubled: int = 0
    longest_stall: float = 0.0  # seconds of one event with nothing down

    def add(self, report: Report) -> str:
        """Count a run that came to its end; its line."""
        self.good += report.good
        self.failed += not report.good
        self.lost += len(report.verdict.lost)
        self.doubled += len(report.verdict.doubled)
        self.longest_stall = max(self.longest_stall, report.longest_stall)
        told = "good" if report.good else f"FAILED: {'; '.join(report.faults())}"
        run = report.last_line().removeprefix("chaos: ")
        stall = f"longest stall {report.longest_stall:.1f} s"
        return f"seed {report.seed}: {run}, {stall}, {report.seconds:.0f} s: {told}"

    def add_broken_off(self, seed: int, error: Exception) -> str:
        """Count a run that did not come to its end; its line."""
        self.broke_off += 1
        return f"seed {seed}: broke off: {error}"

    def last_line(self) -> str:
        """What scripts read."""
        runs = self.good + self.failed + self.broke_off
        return (
            f"chaos: seeds {runs} good {self.good} failed {self.failed} broke off {self.broke_off}"
            f" lost {self.lost} doubled {self.doubled} longest stall {self.longest_stall:.1f} s"
        )
