"""Values for what a vendor gives no example of: by type and format, other ones for each object."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

_WORDS = (
    "amber", "basic", "closed", "draft", "eager", "final", "green", "home", "inner", "joint",
    "known", "large", "main", "north", "open", "plain", "quick", "ready", "small", "total",
)  # fmt: skip


def invented(kind: str | None, form: object, seed: str) -> Any:
    """A value of a type and format; the same seed is the same value."""
    rng = random.Random(seed)
    match kind:
        case "integer":
            return rng.randint(1, 9_000)
        case "number":
            return rng.randint(10, 9_000) / 8 + 0.01
        case "boolean":
            return rng.random() < 0.5
        case "string":
            return _TEXTS.get(str(form), _words)(rng)
    return {}


def _words(rng: random.Random) -> str:
    return " ".join(rng.sample(_WORDS, rng.randint(1, 2)))


def _day(rng: random.Random) -> str:
    return f"{rng.randint(2021, 2026)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"


_TEXTS: Mapping[str, Callable[[random.Random], str]] = {
    "date-time": lambda rng: f"{_day(rng)}T{rng.randint(10, 23)}:{rng.randint(10, 59)}:00Z",
    "date": _day,
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128))),
    "uri": lambda rng: f"https://{rng.choice(_WORDS)}.example/{rng.choice(_WORDS)}",
    "url": lambda rng: f"https://{rng.choice(_WORDS)}.example/{rng.choice(_WORDS)}",
    "email": lambda rng: f"{rng.choice(_WORDS)}@{rng.choice(_WORDS)}.example",
}
