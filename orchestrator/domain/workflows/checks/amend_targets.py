"""Steps of a workflow's amendment that put something where the contract declares nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from orchestrator.domain.contracts.declared import Declared, Undeclared
from orchestrator.domain.contracts.paths import ContractPaths
from orchestrator.domain.errors import Fault
from orchestrator.domain.recipes.amendment import steps_of
from orchestrator.domain.recipes.steps import Step


def amend_targets(steps: Sequence[Step], contract: Mapping[str, object]) -> Iterator[Fault]:
    """A fault for a field that no valid payload has, a note for one that is only not declared.

    What a later step takes away again is in nobody's way.
    """
    root = Declared(ContractPaths(contract), contract)
    for index, step in enumerate(steps):
        later = [steps_of(one.path) for one in steps[index + 1 :] if one.action in _TAKING]
        for name in _targets(step):
            place = steps_of(name)
            if not any(place[: len(one)] == one for one in later):
                yield from _fault(root, place, f"amend.{index}")


_TAKING = ("rename", "move", "drop")


def _targets(step: Step) -> tuple[str, ...]:
    if step.action in ("rename", "move"):
        return (step.to or "",)
    if step.action == "set" or step.sources:
        return (step.path,)
    return step.into or ()


def _fault(root: Declared, place: Sequence[str], path: str) -> Iterator[Fault]:
    at = root
    for depth, name in enumerate(place):
        if at.is_said and "object" not in at.types and (name == "*" or name.isdigit()):
            at = at.item()
            continue
        found = at.member(name)
        if not isinstance(found, Undeclared):
            at = found.place
            continue
        if found.names:  # else the contract says nothing of what is in it
            said = ".".join(place[: depth + 1])
            near = f"write `{'.'.join([*place[:depth], found.nearest])}`" if found.nearest else None
            yield Fault(
                path=path,
                problem=f"the contract does not declare `{said}`, which this step writes",
                fix=near or f"write one of {', '.join(found.names[:_MOST_NAMES])}, or declare it",
                is_note=not at.is_closed(),
            )
        return


_MOST_NAMES = 10
