"""Send triggers to Meshline: durable before it answers, repeated without doubling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from meshline.errors import (
    MeshlineError,
    Misconfigured,
    Refused,
    SpoolFailed,
    SpoolFull,
    Unreachable,
)
from meshline.event import Emitted, Event
from meshline.observing import Observation
from meshline.producer import Producer
from meshline.version import __version__

if TYPE_CHECKING:
    from meshline.values import plain

__all__ = [
    "Emitted",
    "Event",
    "MeshlineError",
    "Misconfigured",
    "Observation",
    "Producer",
    "Refused",
    "SpoolFailed",
    "SpoolFull",
    "Unreachable",
    "__version__",
    "plain",
]


def __getattr__(name: str) -> object:
    """What is loaded when it is first asked for: it costs time that many never need."""
    if name == "plain":
        from meshline.values import plain

        globals()[name] = plain
        return plain
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
