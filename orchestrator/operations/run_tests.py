"""Run the tests of a workflow's file: nothing is stored, and nothing is called."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.workflows.compiled import compile_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.pipeline.expectations import Unmet, run_test

MOST_SECONDS = 10.0
"""How long the tests of one file may take together; the one that is under way is finished."""


@dataclass(frozen=True, kw_only=True)
class Tested:
    """What came of one test."""

    place: int  # in the file's `tests`, from 0
    name: str
    unmet: tuple[Unmet, ...]  # none where it passed

    @property
    def passed(self) -> bool:
        """Whether all that it expects came."""
        return not self.unmet


def run_tests(workflow: Workflow, *, seconds: float = MOST_SECONDS) -> Sequence[Tested]:
    """Every test of a checked workflow, in order; after `seconds` the rest fails unrun."""
    if not workflow.tests:
        return ()
    compiled = compile_workflow(workflow)
    over = time.monotonic() + seconds
    runs = []
    for place, test in enumerate(workflow.tests):
        unmet = run_test(test, compiled) if time.monotonic() < over else (_unrun(seconds),)
        runs.append(Tested(place=place, name=test.name, unmet=unmet))
    return runs


def _unrun(seconds: float) -> Unmet:
    problem = f"it was not run: the tests before it took more than {seconds:g} s"
    return Unmet(path="", problem=problem)
