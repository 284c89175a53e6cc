"""`extends`: a definition that takes another one's keys and overrides some."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.text.hints import did_you_mean

Raw = dict[str, Any]

SHIPPED = Path(__file__).parents[1] / "definitions"


def definition_files(folder: Path) -> list[Path]:
    """The files in a folder that may be definitions."""
    return sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")])


def extended(raw: Raw, *, name: str, path: Path | None) -> Raw:
    """A definition with the keys of those that it extends. Raises InvalidFile.

    A base lies in the same folder or is shipped; none extends itself, so a chain has an end.
    """
    passed = [path] if path else []
    while (base_name := raw.get("extends")) is not None:
        found = _base(base_name, passed)
        if found is None:
            known = sorted({str(one.get("connector")) for _, one in _bases(passed)})
            fix = did_you_mean(str(base_name), known)
            problem = f"there is no connector {base_name} to extend"
            raise InvalidFile(name, [Fault(path="extends", problem=problem, fix=fix)])
        base_path, base = found
        passed.append(base_path)
        raw = _merged(base, raw)
    return {key: value for key, value in raw.items() if key != "extends"}


def _base(name: object, passed: list[Path]) -> tuple[Path, Raw] | None:
    for path, raw in _bases(passed):
        if raw.get("connector") == name:
            return path, raw
    return None


def _bases(passed: list[Path]) -> Iterator[tuple[Path, Raw]]:
    """What may be extended: first what lies beside the definition, then what is shipped."""
    folders = [passed[0].parent] if passed else []
    for folder in dict.fromkeys([*folders, SHIPPED]):
        for path in definition_files(folder):
            if path not in passed and isinstance(raw := _read(path), dict):
                yield path, raw


def _read(path: Path) -> object:
    """What a file holds; what cannot be read is said where that file is loaded."""
    try:
        return strict_yaml.parse(read_bounded(path, strict_yaml.MOST_BYTES).decode()).value
    except (OSError, UnicodeDecodeError):
        return None


def _merged(base: Raw, raw: Raw) -> Raw:
    """Top-level keys replaced, actions by their names; an action that is null is left out."""
    merged = {**base, **raw}
    merged.pop("extends", None)
    if "extends" in base:
        merged["extends"] = base["extends"]
    own, theirs = raw.get("actions"), base.get("actions")
    if isinstance(own, dict) and isinstance(theirs, dict):
        together = {**theirs, **own}
        merged["actions"] = {name: said for name, said in together.items() if said is not None}
    return merged
