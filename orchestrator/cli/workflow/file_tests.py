"""The tests of a workflow's file, each with its line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.cli.workflow.file_faults import FileFault
from orchestrator.domain.errors import Fault

if TYPE_CHECKING:
    from orchestrator.domain.workflows.file import WorkflowFile

_FIX = "mend the workflow, or what the test expects"


@dataclass(frozen=True, kw_only=True)
class ShownDifference:
    """One expectation of a test that is not met."""

    path: str  # in the file, dotted
    problem: str
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownTest:
    """One test and what came of it."""

    file: str
    line: int | None
    name: str
    passed: bool
    differences: tuple[ShownDifference, ...]  # none where it passed

    def faults(self) -> Iterator[FileFault]:
        """Each difference as a fault of the file."""
        for one in self.differences:
            problem = f"the test {self.name!r} fails: {one.problem}"
            fault = Fault(path=one.path, problem=problem, fix=_FIX, line=one.line)
            yield FileFault(file=self.file, fault=fault)


def run_file(file: WorkflowFile) -> list[ShownTest]:
    """Run the file's tests; see `run_tests`."""
    from orchestrator.operations.run_tests import Tested, run_tests

    def shown(run: Tested) -> ShownTest:
        where = f"tests.{run.place}"
        paths = [(f"{where}.{one.path}".rstrip("."), one.problem) for one in run.unmet]
        return ShownTest(
            file=file.name,
            line=file.line(where),
            name=run.name,
            passed=run.passed,
            differences=tuple(
                ShownDifference(path=path, problem=problem, line=file.line(path))
                for path, problem in paths
            ),
        )

    return [shown(run) for run in run_tests(file.workflow)]
