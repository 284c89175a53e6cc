"""What the contract said of the broken payloads, where comparing them says less."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.documents.json_pointer import pointer_steps
from orchestrator.domain.drift.changes import ComparedPayloads
from orchestrator.domain.drift.finding import ITEM, ChangeKind, Path
from orchestrator.domain.drift.report import Story, shapes_of

_UNFIT = frozenset(
    {"format", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
     "multipleOf", "minLength", "maxLength"}
)  # fmt: skip


def unfit(
    comparison: ComparedPayloads, violations: Sequence[Sequence[Violation]], known: Collection[Path]
) -> list[Story]:
    """Values of the right type whose format or size the contract refuses."""
    found: defaultdict[Path, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, each in enumerate(violations):
        for one in each:
            if one.kind in _UNFIT:
                found[steps_of(one.path)][one.kind].add(number)
    return [_unfit(comparison, path, kinds) for path, kinds in found.items() if path not in known]


def _unfit(comparison: ComparedPayloads, path: Path, kinds: Mapping[str, set[int]]) -> Story:
    was = comparison.former(path)
    before, after = comparison.old.fields.get(was), comparison.new.fields.get(was)
    return Story(
        kind=ChangeKind.RETYPED,
        path=path,
        events=frozenset().union(*kinds.values()),
        evidence=(
            f"it breaks the contract's {', '.join(sorted(kinds))}",
            f"before {shapes_of(before)}, now {shapes_of(after)}",
        ),
    )


def unexplained(
    violations: Sequence[Sequence[Violation]], explained: Collection[int]
) -> list[Story]:
    """What breaks in the payloads that no other finding has."""
    found: defaultdict[Path, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for number, each in enumerate(violations):
        if each and number not in explained:
            found[steps_of(each[0].path)][each[0].kind].add(number)
    return [
        Story(
            kind=ChangeKind.UNCLEAR,
            path=path,
            events=frozenset().union(*kinds.values()),
            evidence=(f"it breaks the contract's {', '.join(sorted(kinds))}",),
        )
        for path, kinds in found.items()
    ]


def steps_of(pointer: str) -> Path:
    """The steps of a JSON Pointer, indices as `*`."""
    return tuple(ITEM if step.isdigit() else step for step in pointer_steps(pointer))
