"""Which facts, and which fields that are sent, are personal: those that mention what is personal.

An expression that is nothing but a path has the place that it leads to. Any other that mentions a
personal place, or one that holds some, is personal as a whole; only a fact that compares is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from cel_expr_python.cel import Type

from orchestrator.domain.personal.marks import ANY_KIND
from orchestrator.domain.personal.places import NOT_PERSONAL, PersonalPlaces, Spot
from orchestrator.domain.workflows.cel.text import Token, rooted_paths, tokens
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.facts import CompiledFact
from orchestrator.domain.workflows.items import item_variable
from orchestrator.domain.workflows.workflow import Destination

Spots = Mapping[str, Spot]
"""Where values come from, by their names; what comes from no one place has a place of its own."""

_COMPARING = frozenset({"<", ">", "in", "startsWith", "endsWith", "contains", "matches", "has"})


@dataclass(frozen=True, kw_only=True)
class SentSpots:
    """Where from one destination has what it is sent."""

    fields: Spots  # by the tool's field
    key: Spot = NOT_PERSONAL  # of the items' key


@dataclass(frozen=True)
class PersonalWorkflow:
    """What is personal in one version of a workflow."""

    workflow: CompiledWorkflow
    places: PersonalPlaces = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "places", PersonalPlaces(self.workflow.contract.schema))

    @property
    def has_marks(self) -> bool:
        """Whether anything is personal at all."""
        return self.places.has_marks

    @cached_property
    def facts(self) -> Spots:
        """Each fact."""
        found: dict[str, Spot] = {}
        for fact in self.workflow.facts.facts:  # each after those that it uses
            found[fact.name] = self._fact(fact, found)
        return found

    @cached_property
    def has_facts_of_its_own(self) -> bool:
        """Whether a fact may have a personal text that is not in the payload as it is.

        A text that a path leads to is; a number may be written in another way.
        """
        return any(
            self.places.holds_personal(spot := self.facts[fact.name])
            and not (spot.schemas and fact.type == Type.STRING)
            for fact in self.workflow.facts.facts
        )

    def _fact(self, fact: CompiledFact, before: Spots) -> Spot:
        words = tokens(fact.text)
        spot = self._of(words, {"data": self.places.whole, **before})
        if fact.type == Type.BOOL and not spot.schemas and _compares(words):
            return NOT_PERSONAL
        return spot

    @cached_property
    def destinations(self) -> Mapping[str, SentSpots]:
        """Each destination that the file names."""
        named = self.workflow.workflow.destinations
        return {name: self._destination(one) for name, one in named.items()}

    def _destination(self, destination: Destination) -> SentSpots:
        known, key = dict(self.facts), NOT_PERSONAL
        if destination.each is not None:
            listed = self._of(tokens(destination.each), {"data": self.places.whole, **known})
            known[item_variable(destination)] = self.places.any_item(listed)
            key = self._of(tokens(destination.key or ""), known)
        fields = {}
        for name, sent in destination.send.items():
            spot = self._of(tokens(sent.value), known)
            by_default = self._of(tokens(sent.default or ""), known)
            fields[name] = by_default if spot == NOT_PERSONAL else spot
        return SentSpots(fields=fields, key=key)

    def _of(self, words: Sequence[Token], known: Spots) -> Spot:
        """Where an expression's value comes from."""
        if not self.has_marks:
            return NOT_PERSONAL
        kinds = []
        for path in rooted_paths(words, known.keys()):
            spot = known[path.root]
            for step in path.steps:
                spot = self.places.into(spot, step)
            if path.is_all:
                return spot
            if self.places.holds_personal(spot):
                kinds.append(spot.kind or ANY_KIND)
        if not kinds:
            return NOT_PERSONAL
        return Spot(schemas=(), kind=next(filter(None, kinds), ANY_KIND))


def _compares(words: Sequence[Token]) -> bool:
    pairs = pairwise(words)
    equals = any(one.text in "=!" and other.text == "=" for one, other in pairs)
    return equals or any(word.kind != "string" and word.text in _COMPARING for word in words)
