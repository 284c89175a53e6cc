"""What goes in and what comes back."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import uuid4


def _new_key() -> str:
    return str(uuid4())


@dataclass(frozen=True)
class Event:
    """One trigger. It keeps its idempotency key, so that sending it again doubles nothing."""

    type: str
    data: object  # JSON: dict, list, str, int, float, bool or None
    client: str | None = None  # None: the one that the key is for
    idempotency_key: str = field(default_factory=_new_key)


@dataclass(frozen=True)
class Emitted:
    """What Meshline committed."""

    id: str
    duplicate: bool  # it was there already, from an earlier attempt
