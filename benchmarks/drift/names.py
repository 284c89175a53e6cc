"""Names that a sender might give a field: most are the old one changed, a third other words."""

from __future__ import annotations

import random
from collections.abc import Collection

_WORDS = (
    "handle", "kind_of", "reference", "topic", "outcome", "bucket", "payload_v2", "origin",
    "marker", "slot", "entry", "subject", "element", "remark", "figure", "part", "aspect",
)  # fmt: skip
_VOWELS = "aeiou"


def new_name(name: str, taken: Collection[str], rng: random.Random) -> str:
    """Another name for a field than `name` and those that are taken."""
    ways = (
        lambda: f"{rng.choice(['customer', 'new', 'primary', 'github'])}_{name}",
        lambda: f"{name}_{rng.choice(['value', 'info', 'v2'])}",
        lambda: _other_case(name),
        lambda: _misspelt(name, rng),
        lambda: name[0] + "".join(one for one in name[1:] if one not in _VOWELS),
        lambda: f"{name}s" if not name.endswith("s") else name[:-1],
    )
    while True:
        found = rng.choice(ways)() if name and rng.random() < 0.67 else rng.choice(_WORDS)
        if found not in taken and found != name and len(found) > 1:
            return found
        taken = set(taken)
        name = name or rng.choice(_WORDS)


def _other_case(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.title, others)) if others else name.title()


def _misspelt(name: str, rng: random.Random) -> str:
    if len(name) < 4:
        return f"{name}_"
    at = rng.randrange(1, len(name) - 2)
    return name[:at] + name[at + 1] + name[at] + name[at + 2 :]
