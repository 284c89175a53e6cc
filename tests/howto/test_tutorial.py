"""The tutorial is done as it stands, from `make up` to an own workflow that broke and is healed."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.embedded.processes import Supervisor
from tests.howto.reader import ROOT, Reader, steps

PAGE = ROOT / "docs" / "tutorial" / "first-workflow.md"


@pytest.mark.processes
def test_the_tutorial_leads_from_nothing_to_a_workflow_that_was_healed(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    (checkout / "workflows").symlink_to(ROOT / "workflows")
    activate = checkout / ".venv" / "bin" / "activate"
    activate.parent.mkdir(parents=True)
    activate.touch()  # the reader's PATH has what a real one puts there
    with Supervisor(tmp_path / "terminal") as supervisor:
        reader = Reader(checkout, supervisor)
        for step in steps(PAGE):
            reader.do(step)
