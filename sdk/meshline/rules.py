"""What a door refuses of every event, whatever its settings: the same here as there.

A test holds these rules against a real door.
"""

from __future__ import annotations

import re

LONGEST = {"type": 255, "idempotency_key": 400, "client": 64}
"""Characters that a text may have."""

LARGEST_INTEGER = 2**64 - 1
SMALLEST_INTEGER = -(2**63)
"""What fits into 64 bits; a larger number would be rounded on its way."""

DEEPEST = 64
MOST_BYTES = 1024 * 1024
MOST_VALUES = 100_000
"""A door's own defaults, which its settings may change: only the door for tests refuses by them."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def fault_of_text(name: str, value: object) -> tuple[str, str] | None:
    """What is wrong with one of an event's texts, and the fix; None: nothing."""
    if not isinstance(value, str):
        problem = f"must be a text, it is {value!r}"
    elif not 1 <= len(value) <= LONGEST[name]:
        problem = f"it has {len(value)} characters"
    elif _CONTROL.search(value):
        problem = "it holds a control character"
    else:
        return None
    return problem, f"send a text of 1 to {LONGEST[name]} characters, on one line"
