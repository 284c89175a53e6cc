"""What the drift diagnosis says, and how it says where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.documents.json_pointer import json_pointer
from orchestrator.domain.text.abbreviate import shorten

ITEM = "*"
"""The step from an array to any of its items."""

_LONGEST = 120  # characters of a place in a sentence

Path = tuple[str, ...]


class ChangeKind(StrEnum):
    """What happened to a field."""

    RENAMED = "renamed"  # it is beside its old place, under another name
    MOVED = "moved"  # it is elsewhere in the payload
    RETYPED = "retyped"  # its type, its format or its unit is another
    REMOVED = "removed"  # it is in none of the events
    PARTIAL = "partial"  # it is missing in some of the events, or in some items of an array
    NEW_VALUE = "new_value"  # it has a value that the contract does not list
    ADDED = "added"  # it was not there before, and takes nothing's place
    UNCLEAR = "unclear"  # something is wrong here, and more than one story would fit


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One change, and what speaks for it."""

    kind: ChangeKind
    path: str  # where the field was; for what is added, where it is
    to: str | None = None  # renamed, moved: where it is now
    events: int  # broken events that show it
    of: int  # broken events that were looked at
    since: int | None  # when the first of these was quarantined, in milliseconds
    evidence: tuple[str, ...]  # sentences; examples in them are masked

    def told(self) -> str:
        """The finding as one line."""
        to = f" → {shorten(self.to, _LONGEST)}" if self.to else ""
        kind = self.kind.replace("_", " ")
        events = "event" if self.of == 1 else "events"
        where = shorten(self.path, _LONGEST) or "the payload"
        return f"{kind}: {where}{to}, in {self.events} of {self.of} {events}"


def placed(path: Sequence[str]) -> str:
    """A place as a recipe takes it: dotted, or a JSON Pointer where a name has dots."""
    return json_pointer(path) if any("." in step for step in path) else ".".join(path)
