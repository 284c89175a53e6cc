"""What an approval covers: one digest over all that may not change after it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """What somebody decides about."""

    client: str
    workflow: str
    kind: str  # a ChangeKind
    definition: str  # its digest; of a retirement, of the live version
    base: int | None  # the version that is live; None: there is none
    round: int  # each edit begins a new one
    go_live_at: int | None  # in milliseconds since 1970; None: as soon as it is approved
    # By connector, the digest of its definition; nothing where whoever proposed it knew of none.
    connectors: Mapping[str, str] = field(default_factory=dict)
    # By kind, the digest of what was found out about it; nothing where none was recorded.
    evidence: Mapping[str, str] = field(default_factory=dict)
    rollout: str | None = None  # its steps, as `Rollout.text` has them; None: live for all at once

    def digest(self) -> str:
        """64 hex digits: sha256 over the canonical JSON of the fields."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def text(self) -> str:
        """The canonical JSON."""
        said: dict[str, object] = {
            "client": self.client,
            "workflow": self.workflow,
            "kind": self.kind,
            "definition": self.definition,
            "base": self.base,
            "round": self.round,
            "go_live_at": self.go_live_at,
        }
        if self.connectors:  # an approval from before they were known stays one
            said["connectors"] = self.connectors
        if self.evidence:
            said["evidence"] = self.evidence
        if self.rollout is not None:
            said["rollout"] = self.rollout
        return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()


def definition_digest(document: Mapping[str, object]) -> str:
    """64 hex digits: sha256 over the canonical JSON of a document.

    >>> definition_digest({"b": 1, "a": 2}) == definition_digest({"a": 2, "b": 1})
    True
    """
    return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()
