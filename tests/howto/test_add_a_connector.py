"""The page is done as it is: its files are written, its commands run, its outputs seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.embedded.processes import Supervisor
from tests.howto.kontor import Kontor
from tests.howto.reader import ROOT, Reader, steps

PAGE = ROOT / "docs" / "howto" / "add-a-connector.md"


@pytest.mark.processes
def test_the_page_leads_from_an_api_to_a_confirmed_handoff_without_code(tmp_path: Path) -> None:
    folder = tmp_path / "agency"
    folder.mkdir()
    with Kontor() as kontor, Supervisor(tmp_path / "terminal") as supervisor:
        reader = Reader(folder, supervisor, instead={"KONTOR_URL": kontor.url})
        for step in steps(PAGE):
            reader.do(step)

    (person,) = kontor.people.values()
    assert (person["name"], person["email"]) == ("Bo Ek", "bo@kontor.example")
    assert "DELETE /api/people/1" in kontor.asked
    written = {path.name for path in folder.rglob("*") if path.suffix in {".yaml", ".py"}}
    assert written == {"kontor.yaml", "people.yaml"}  # and no line of code
