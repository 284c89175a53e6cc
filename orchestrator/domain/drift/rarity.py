"""How much a name or a value tells: `id` and `open` are everywhere, `iban` is in one place."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.domain.drift.finding import ITEM, Path
from orchestrator.domain.drift.profile import Profile
from orchestrator.domain.drift.shapes import tells

_SHORT_NUMBER = 3
"""Digits up to which a number is in many fields by chance."""
_BY_CHANCE = 0.5
_MOST_STEPS = 3
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Rarity:
    """Counts over the fields of the accepted and the broken payloads, taken before any matching."""

    lasting: Counter[str]  # places of each name that both have
    places: Counter[str]  # places of each name on the side that has more
    holders: Counter[str]  # fields of different names that had each value, in accepted payloads

    def of_value(self, text: str) -> float:
        """From 0, tells nothing, to 1: in the accepted payloads one field alone has it."""
        if not tells(text):
            return 0.0
        share = 1 / max(1, self.holders[text])
        return share * _BY_CHANCE if len(text) <= _SHORT_NUMBER and text.isdigit() else share

    def of_names(self, names: Iterable[str]) -> float:
        """How many names tell something, each counted by how few places have it."""
        return sum(1 / max(1, self.places[name]) for name in names)


def rarity_of(old: Profile, new: Profile) -> Rarity:
    """The counts of two profiles."""
    before, after = _names(old.fields), _names(new.fields)
    held: dict[str, set[Path]] = {}
    for path, field in old.fields.items():
        for text in field.values:
            held.setdefault(text, set()).add(path)
    return Rarity(
        lasting=_names(old.fields.keys() & new.fields.keys()),
        places=before | after,
        holders=Counter({text: len(names) for text, names in held.items()}),
    )


def named(path: Path) -> str:
    """The name of a field; an item of an array has the array's."""
    return next((step for step in reversed(path) if step != ITEM), "")


def words_on_the_way(path: Path) -> Iterator[tuple[str, ...]]:
    """The words of the last names: `ticket_state.label` has those of `ticket_state_label`."""
    steps = [step for step in path if step != ITEM]
    for depth in range(1, min(_MOST_STEPS, len(steps)) + 1):
        words = [one.lower() for step in steps[-depth:] for one in _WORD.findall(step)]
        if len(words) > 1:
            yield tuple(words)


def _names(paths: Iterable[Path]) -> Counter[str]:
    return Counter(path[-1] for path in paths if path and path[-1] != ITEM)
