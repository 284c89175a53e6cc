"""What is said of a set of real changes: where its two sides are, and what a person read off."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path as File

from orchestrator.domain.drift.finding import Path
from orchestrator.domain.drift.rejected import steps_of

_KNOWN = File(__file__).parent / "known"
_NAME = "drift.json"


@dataclass(frozen=True, kw_only=True)
class Described:
    """A set: a folder with the versions of a document, or with payloads of two versions."""

    folder: File
    before: File | None = None  # payloads of each side; None where they lie in documents
    after: File | None = None
    contracts: File | None = None
    truth: tuple[Mapping[str, str], ...] = ()

    def said(self, case: str, pair: str = "") -> dict[Path, Path]:
        """Old and new places of the fields of a case that were renamed or moved."""
        return {
            _steps(one["path"]): _steps(one["to"])
            for one in self.truth
            if one["case"] == case and one.get("pair", pair) == pair
        }


def described(folder: File) -> Described:
    """A set by its own `drift.json`, by what is kept here under its name, or by its files."""
    found: Mapping[str, object] = {}
    for file in (folder / _NAME, _KNOWN / f"{folder.name}.json"):
        if file.is_file():
            found = json.loads(file.read_text("utf-8"))
            break
    places = {side: _place(folder, found, side) for side in ("before", "after", "contracts")}
    truth = found.get("truth", ())
    assert isinstance(truth, list | tuple)
    return Described(folder=folder, truth=tuple(truth), **places)


def _place(folder: File, found: Mapping[str, object], side: str) -> File | None:
    names = [str(found[side])] if side in found else [side, f"{side}.json"]
    return next((folder / one for one in names if (folder / one).exists()), None)


def _steps(place: str) -> Path:
    return steps_of(place) if place.startswith("/") else tuple(place.split("."))
