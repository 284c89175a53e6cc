"""What to do, on the screen: steps with commands that can be copied as a whole."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.cli.terminal.screen import put, put_source
from orchestrator.domain.incidents.advice import Step


def put_advice(steps: Sequence[Step]) -> None:
    """The steps in order; nothing where there are none."""
    if steps:
        put()
        put("what to do")
    for number, step in enumerate(steps, start=1):
        put(f"{number}. {step.do}" + (":" if step.command else ""), indent=3)
        if step.command:
            put_source(f"   {step.command}")
