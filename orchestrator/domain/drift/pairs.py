"""A missing field and a new one that may be the same, and how sure that is by their places."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.drift.changes import Missing, New
from orchestrator.domain.drift.likeness import Likeness

_OTHER_NAME = 0.12
"""How much surer one has to be of a field that is elsewhere under another name."""
_NEARLY = 0.8  # names from here on are one name, written or spelt otherwise
_STEP = 0.04
"""The same for each step of the way beyond the first."""
_GENERIC = 0.25
"""The same for each place where a field of this name was before and is now."""
_MOST_GENERIC = 2
_NOT_ASKED_FOR = 0.1
"""How much surer one has to be where the contract misses nothing, or lets the new field be."""
_TOGETHER = 0.2
"""What it counts that the other fields of the object went the same way."""
_SAME_WAY = 0.45
"""How sure it is then at least."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A missing field and a new one that may be the same."""

    missing: Missing
    new: New
    likeness: Likeness
    events: frozenset[int]  # broken payloads without the one and with the other
    elsewhere: int = 0  # places where a field of this name was before and is now
    together: float = 0.0  # share of the object's missing fields that are new in the other object

    @property
    def beside(self) -> bool:
        """Whether both are in the same object."""
        return self.missing.path[:-1] == self.new.path[:-1]

    @property
    def score(self) -> float:
        """How sure it is."""
        score = self.likeness.score
        firm = self.missing.certain and self.new.certain
        if not self.beside:
            score = self._moved(score)
        if firm:
            return score
        return score - (3 if self._is_one_of_many() else 1) * _NOT_ASKED_FOR

    def _is_one_of_many(self) -> bool:
        """Whether only the form of an object speaks for it, which others may have too."""
        alike = self.likeness
        return alike.holds and alike.telling < 0.3 and alike.name < 0.6

    def _moved(self, score: float) -> float:
        steps = _STEP * (self._distance() - 1)
        found = score - steps
        firm = self.missing.certain and self.new.certain
        if self.elsewhere and not firm and not self.likeness.holds:
            return (
                0.0  # a common name in an object that may be absent: a value may be there by chance
            )
        if self.likeness.telling >= 0.5:
            return found if self.likeness.name == 1 else found - _OTHER_NAME
        if not firm:
            return 0.0  # what may be absent is absent: only its values would say that it moved
        if self.likeness.name < 1:
            near = self._distance() == 1 and self.likeness.name >= _NEARLY
            return found - (1 if near else 2) * _OTHER_NAME
        if self.together and self.likeness.fits:
            return max(score, _SAME_WAY) - steps + _TOGETHER * self.together
        return (
            found if self.likeness.holds else found - _GENERIC * min(self.elsewhere, _MOST_GENERIC)
        )

    def _distance(self) -> int:
        """Steps from the one's object up to what holds both, and down to the other's."""
        above, other = self.missing.path[:-1], self.new.path[:-1]
        common = next(
            (at for at, both in enumerate(zip(above, other, strict=False)) if both[0] != both[1]),
            min(len(above), len(other)),
        )
        return len(above) + len(other) - 2 * common
