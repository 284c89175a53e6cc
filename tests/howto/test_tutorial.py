"""The tutorial is done as it is, from an empty folder to a first workflow that is healed."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.sandbox.ledger import read_ledger
from tests.howto.reader import ROOT, Reader, steps

PAGE = ROOT / "docs" / "tutorial" / "first-workflow.md"
PEOPLE = {"Ada Lovelace", "Bo Ek", "Cy Young", "Di Moss"}


@pytest.mark.processes
def test_the_tutorial_leads_from_an_empty_folder_to_a_workflow_that_was_healed(
    tmp_path: Path,
) -> None:
    port = str(free_port())
    with Supervisor(tmp_path / "terminals") as supervisor:
        reader = Reader(_checkout(tmp_path), supervisor, port=("8790", port))
        for step in steps(PAGE):
            reader.do(step)
        ledger = read_ledger(f"http://127.0.0.1:{port}", "sandbox-token-1")

    assert _of("crm/contacts", ledger, "name") == sorted(PEOPLE)
    tickets = {one["id"]: one["fields"]["title"].removeprefix("Question of ")
               for one in ledger if one["collection"] == "helpdesk/tickets"}  # fmt: skip
    assert sorted(tickets.values()) == sorted(PEOPLE)
    link = f"http://127.0.0.1:{port}/helpdesk/tickets"
    told = sorted(f"New question of {name}: {link}/{number}" for number, name in tickets.items())
    assert _of("records/messages", ledger, "text") == told
    assert reader.folder == tmp_path / "contact-us"


def _checkout(folder: Path) -> Path:
    """A checkout in which everything is installed, as `make install` leaves it."""
    checkout = folder / "checkout"
    binaries = checkout / ".venv" / "bin"
    binaries.mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock", "sdk"):
        (checkout / name).symlink_to(ROOT / name)
    (binaries / "python").symlink_to(sys.executable)
    (binaries / "activate").touch()  # the reader's PATH has what a real one puts there
    (checkout / ".venv" / ".runtime").touch()
    return checkout


def _of(collection: str, ledger: list[Mapping[str, Any]], field: str) -> list[str]:
    """What the tool's own records have in a field."""
    return sorted(one["fields"][field] for one in ledger if one["collection"] == collection)
