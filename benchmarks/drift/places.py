"""Places in a payload: reaching every object that holds one, and what a contract lists there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from orchestrator.domain.drift.finding import ITEM, Path


def holders(payload: Any, path: Path) -> Iterator[dict[str, Any]]:
    """The objects that have the last step of `path`."""
    todo = [payload]
    for step in path[:-1]:
        below: list[Any] = []
        for one in todo:
            if step == ITEM and isinstance(one, list):
                below += one
            elif isinstance(one, dict) and step in one:
                below.append(one[step])
        todo = below
    for one in todo:
        if isinstance(one, dict) and path[-1] in one:
            yield one


def values(payloads: Sequence[Any], path: Path) -> list[Any]:
    """Everything that is at a path."""
    return [holder[path[-1]] for one in payloads for holder in holders(one, path)]


def renamed(holder: dict[str, Any], name: str, to: str) -> None:
    """Give a field another name; it keeps its place among the others."""
    kept = list(holder.items())
    holder.clear()
    holder.update((to if one == name else one, value) for one, value in kept)


def apart(path: Path, others: Sequence[Path]) -> bool:
    """Whether a path is neither one of the others, nor above or under one."""
    return all(path[: len(one)] != one and one[: len(path)] != path for one in others)
