"""The house's file of gates, as MESHLINE_GATES names it."""

from __future__ import annotations

from pathlib import Path

from orchestrator.domain.changes.gates.house import HouseGates, parse_house
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.errors import InvalidFile, Refused
from orchestrator.variables import GATES, gates_file

_KEPT: dict[str, HouseGates] = {}  # by the text: it is read often, and compiled once


def house_gates() -> HouseGates:
    """The house's gates; without a file the defaults.

    Raises Refused where there is a file that cannot be used: a gate is never left out by a mistake.
    """
    path = gates_file()
    if path is None:
        return HouseGates()
    try:
        text = read_bounded(path, strict_yaml.MOST_BYTES).decode()
    except (OSError, ValueError) as error:
        raise _unusable(path, f"it cannot be read: {error}") from None
    if text not in _KEPT:
        try:
            found = parse_house(text, name=str(path))
        except InvalidFile as error:
            fault = error.faults[0]
            raise _unusable(path, f"{fault.path}: {fault.problem}") from None
        _KEPT.clear()
        _KEPT[text] = found
    return _KEPT[text]


def _unusable(path: Path, why: str) -> Refused:
    return Refused(
        f"the gates of {path} are not known: {why}",
        field=GATES,
        fix="mend the file: nothing is approved or goes live without its gates",
    )
