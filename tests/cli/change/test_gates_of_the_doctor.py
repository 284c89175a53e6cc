"""The doctor says whether the house's file of gates can be used."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.doctor.change_checks import look_at_gates
from orchestrator.cli.doctor.findings import Health


def test_without_a_file_there_is_nothing_to_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MESHLINE_GATES", raising=False)

    assert list(look_at_gates()) == []


def test_a_file_that_cannot_be_used_is_broken_and_a_right_one_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gates.yaml"
    monkeypatch.setenv("MESHLINE_GATES", str(file))
    (missing,) = look_at_gates()
    file.write_text("gates: {contrct: warns}\n")
    (wrong,) = look_at_gates()
    file.write_text("gates: {drill: blocks}\nrules: [{id: a, when: 'true', say: it holds}]\n")
    (right,) = look_at_gates()

    assert (missing.health, wrong.health, right.health) == (Health.BROKEN, Health.BROKEN, Health.OK)
    assert "cannot be read" in missing.found
    assert "contrct" in wrong.found
    assert wrong.fix is not None
    assert right.found == f"{file}: 1 of the ten set otherwise, 1 rule of the house"
