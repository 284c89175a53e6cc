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
    from meshline.aio import AsyncProducer
    from meshline.values import plain

__all__ = [
    "AsyncProducer",
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


_LATER = {"AsyncProducer": "meshline.aio", "plain": "meshline.values"}
"""What is loaded when it is first asked for: asyncio and decimal cost time that many never need."""


def __getattr__(name: str) -> object:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found: object = getattr(import_module(_LATER[name]), name)
    globals()[name] = found
    return found
