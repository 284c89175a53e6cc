"""A check says where a step of `amend` writes what the contract does not declare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.workflows.file import read_workflow_file
from tests.unit.example import LEADS, changed

ITEMS = {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}}
CONTRACT = {
    **LEADS["contract"],
    "properties": {
        **LEADS["contract"]["properties"],
        "items": ITEMS,
        "extra": {"type": "object", "additionalProperties": {"type": "string"}},
        "any": {"type": "object"},
    },
}
OPEN = {**CONTRACT, "additionalProperties": True}


def said(folder: Path, *steps: dict[str, Any], contract: dict[str, Any] = CONTRACT) -> list[Fault]:
    """Faults and notes on `amend`."""
    file = folder / "leads.json"
    file.write_bytes(orjson.dumps(changed(amend=steps, contract=contract)))
    try:
        found = read_workflow_file(file).notes
    except InvalidFile as refused:
        found = (*refused.faults, *refused.notes)
    return [one for one in found if one.path.startswith("amend")]


@pytest.mark.parametrize(
    ("step", "fix"),
    [
        ({"rename": "customer_tier", "to": "teir"}, "write `tier`"),
        ({"move": "items.*.x", "to": "items.*.skus"}, "items.*.sku"),
        ({"set": "fax", "value": "", "reason": "x"}, "write one of email, tier"),
        ({"split": "name", "by": " ", "into": ["email", "last"]}, "write one of email"),
        ({"join": "name", "from": ["tier", "email"], "by": " "}, "write one of email"),
    ],
)
def test_a_target_that_no_valid_payload_has_is_a_fault(
    tmp_path: Path, step: dict[str, Any], fix: str
) -> None:
    (found,) = said(tmp_path, step)

    assert found.path == "amend.0"
    assert "does not declare" in found.problem
    assert fix in found.fix
    assert found.is_note == ("items.*" in fix)  # its items may have what is not declared


def test_in_an_open_object_it_is_a_note(tmp_path: Path) -> None:
    (found,) = said(tmp_path, {"rename": "customer_tier", "to": "teir"}, contract=OPEN)

    assert found.is_note


@pytest.mark.parametrize(
    "steps",
    [
        ({"rename": "customer_tier", "to": "tier"},),
        ({"move": "x", "to": "extra.anything"}, {"move": "y", "to": "any.at.all"}),
        ({"move": "tier", "to": "old"}, {"drop": "old"}),
        ({"rename": "n", "to": "x"}, {"move": "x", "to": "seats"}),
        ({"drop": "undeclared"}, {"trim": "undeclared"}, {"split": "undeclared", "by": ","}),
    ],
)
def test_what_the_contract_allows_or_a_later_step_takes_away_is_no_fault(
    tmp_path: Path, steps: tuple[dict[str, Any], ...]
) -> None:
    assert said(tmp_path, *steps) == []
