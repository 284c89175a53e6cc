"""The digest of an incident as somebody saw it: what an act on it is compared with."""

from __future__ import annotations

import hashlib
import json
from typing import Protocol


class Decided(Protocol):
    """What people, or clocks, decided about an incident."""

    @property
    def state(self) -> str:
        """As `IncidentState`."""

    @property
    def owner(self) -> str:
        """A mail address, or `-`."""

    @property
    def acknowledged_by(self) -> str | None:
        """An actor."""

    @property
    def reopened(self) -> int:
        """How often it was opened again."""


def digest_of_seen(incident: Decided) -> str:
    """The digest of what was decided about an incident, as its page and its row both have it.

    How many events it has is left out: while they arrive, nobody could ever act on it. An act that
    depends on its events looks at them itself.
    """
    decided = (incident.state, incident.owner, incident.acknowledged_by, incident.reopened)
    return hashlib.sha256(json.dumps(decided).encode()).hexdigest()[:32]
