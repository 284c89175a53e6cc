"""A finding while it is being told: places as steps, events by number, what speaks for it."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.drift.changes import ComparedPayloads
from orchestrator.domain.drift.finding import ChangeKind, Path, placed
from orchestrator.domain.drift.profile import Field, Profile
from orchestrator.domain.drift.shapes import masked

_EXAMPLES = 2


@dataclass(frozen=True, kw_only=True)
class Story:
    """One change in some of the broken payloads."""

    kind: ChangeKind
    path: Path
    to: Path | None = None
    events: frozenset[int]
    evidence: tuple[str, ...]


def presence(comparison: ComparedPayloads, path: Path) -> str:
    """In how many payloads a field was, as a sentence."""
    old = comparison.old
    if not old.size:
        return f"the contract wants `{placed(path)}`; no accepted event is there to compare"
    had = len(old.fields[path].seen) if path in old.fields else 0
    return f"`{placed(path)}` was in {had} of {old.size} accepted events"


def examples(profile: Profile, path: Path) -> str:
    """What values of a field look like, masked."""
    return shapes_of(profile.fields.get(path))


def shapes_of(field: Field | None) -> str:
    """What values of a field look like, masked; its types where it has no scalars."""
    if field is None:
        return "nothing"
    shapes = list(dict.fromkeys(masked(text) for text in field.values))[:_EXAMPLES]
    return " and ".join(shapes) or " or ".join(sorted(field.types))
