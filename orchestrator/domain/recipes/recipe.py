"""A recipe: a fix as a small list that people read, try, apply to a group and keep."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import NothingToChange, Refused
from orchestrator.domain.recipes.acting import PayloadChange, Target, act, targets_of
from orchestrator.domain.recipes.amendment import EditedPayload
from orchestrator.domain.recipes.places import nests_deeper
from orchestrator.domain.recipes.steps import Step

MOST_WRITTEN = 1_048_576
"""Bytes of JSON that a recipe writes into one payload, in `map`, `set`, `split` and `join`."""

MOST_LEVELS = 100
"""Lists and objects in each other that a recipe leaves behind."""

_WRITING = frozenset({"map", "set", "split", "join"})

Breaks = Callable[[Sequence[str]], bool]
"""Whether a place of one payload, as steps from its top, breaks the contract."""

Judge = Callable[[object], Breaks]
"""The places of a payload that break the contract."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What to change, in this order."""

    steps: tuple[Step, ...]
    note: str | None = None  # one line: why
    author: str | None = None

    def describe(self) -> dict[str, object]:
        """The recipe as JSON, for the audit and for files."""
        words = {"note": self.note, "author": self.author}
        told = {name: value for name, value in words.items() if value}
        return {**told, "steps": [one.describe() for one in self.steps]}


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A payload after a recipe."""

    payload: object
    changes: tuple[PayloadChange, ...]


def apply_recipe(payload: object, recipe: Recipe, *, judge: Judge | None = None) -> Mended:
    """The payload with every step made that finds something to do; the one given stays as it is.

    A step that finds nothing is passed over: the contract decides on what comes out. With a `judge`
    each change says whether its place broke the contract. Raises Refused where a step does not fit
    (something is in the way, a value cannot be converted), and where none of them finds anything
    to do; what the judge raises.
    """
    return _apply(payload, recipe, judge, only_broken=False)


def mend_broken(payload: object, recipe: Recipe, judge: Judge) -> Mended:
    """The same, but each step acts only at those of its own places that break the contract then.

    What a step mends no longer breaks for the next one; so their order counts.
    """
    return _apply(payload, recipe, judge, only_broken=True)


def _apply(payload: object, recipe: Recipe, judge: Judge | None, *, only_broken: bool) -> Mended:
    document = EditedPayload(copy.deepcopy(payload))
    changes: list[PayloadChange] = []
    breaks: Breaks | None = None  # of the payload as it is now; None: it was not judged since
    written = 0
    for number, step in enumerate(recipe.steps):
        targets = targets_of(document.value, step)
        if targets and judge is not None and breaks is None:
            breaks = judge(document.value)
        before = len(changes)
        for target in targets:
            broke = _broke(target, breaks)
            if not broke and only_broken:
                continue
            made = act(document, step, target, number=number, broke=broke)
            written += _size(made)
            if written > MOST_WRITTEN:
                raise _refused(step, f"the recipe writes more than {MOST_WRITTEN:,} bytes")
            changes += made
        if len(changes) > before:
            breaks = None
            if nests_deeper(document.value, MOST_LEVELS):
                raise _refused(step, f"it would nest deeper than {MOST_LEVELS} levels")
    if not changes:
        raise NothingToChange(
            "no step finds anything to change", field="recipe", fix="look at its payload"
        )
    return Mended(payload=document.value, changes=tuple(changes))


def _broke(target: Target, breaks: Breaks | None) -> bool | None:
    return None if breaks is None else any(breaks(place) for place in target.places)


def _size(made: Sequence[PayloadChange]) -> int:
    """The bytes of what a step wrote; what it moved or took out was there."""
    return sum(len(strict_json.dumps(one.after)) for one in made if one.action in _WRITING)


def _refused(step: Step, detail: str) -> Refused:
    return Refused(detail, field=step.path, fix="change less, or take the event out")
