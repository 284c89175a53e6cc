"""What a change changes, in words: every part of a workflow, the most important one first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.changes.words.approvals import approval_words
from orchestrator.domain.changes.words.contract import contract_words
from orchestrator.domain.changes.words.promises import (
    amendment_words,
    other_words,
    owner_words,
    retry_words,
    sla_words,
)
from orchestrator.domain.changes.words.routes import destination_words, fact_words, route_words
from orchestrator.domain.changes.words.wording import Affected, Direction, Part, Wording
from orchestrator.domain.workflows.workflow import Workflow


def difference_in_words(before: Workflow | None, after: Workflow | None) -> tuple[Wording, ...]:
    """The difference between the version that is live and the one that would be.

    Without `before` there is none; without `after` the workflow is retired.
    """
    if after is None:
        return () if before is None else (_RETIRED,)
    if before is None:
        return (_new(after),)
    return tuple(_all(before, after))


_RETIRED = Wording(
    part=Part.WORKFLOW,
    direction=Direction.REMOVED,
    says="no version is live any more, and nothing is accepted for it",
    breaks=Affected.SENDERS,
)


def _new(after: Workflow) -> Wording:
    says = f"the workflow is new: events of type `{after.trigger_type}` are accepted for it"
    return Wording(part=Part.WORKFLOW, direction=Direction.ADDED, says=says)


def _all(before: Workflow, after: Workflow) -> Iterator[Wording]:
    parts = {
        Part.WORKFLOW: tuple(other_words(before, after)),
        Part.CONTRACT: tuple(contract_words(before, after)),
        Part.FACTS: tuple(fact_words(before.facts, after.facts)),
        Part.ROUTES: (
            *route_words(before.routes, after.routes),
            *approval_words(before.routes, after.routes),
        ),
        Part.DESTINATIONS: tuple(destination_words(before.destinations, after.destinations)),
        Part.AMENDMENTS: tuple(amendment_words(before, after)),
        Part.SLA: tuple(sla_words(before, after)),
        Part.OWNERS: tuple(owner_words(before.owners, after.owners)),
        Part.RETRIES: tuple(retry_words(before.retries, after.retries)),
    }
    old, new = before.definition(), after.definition()
    for part, words in parts.items():
        yield from words
        if not words and _differs(part, old, new):
            # Nothing is left out: what has no words is in the list of places.
            says = "it differs in a way that has no words here: see the places that differ"
            yield Wording(part=part, direction=Direction.CHANGED, says=says)


_KEYS = {
    Part.CONTRACT: ("contract", "formats"),
    Part.FACTS: ("facts",),
    Part.ROUTES: ("routes",),
    Part.DESTINATIONS: ("destinations",),
    Part.AMENDMENTS: ("amend",),
    Part.SLA: ("sla",),
    Part.OWNERS: ("owners",),
    Part.RETRIES: ("retries",),
}


def _differs(part: Part, old: Mapping[str, object], new: Mapping[str, object]) -> bool:
    if part in _KEYS:
        return any(old.get(key) != new.get(key) for key in _KEYS[part])
    known = {key for keys in _KEYS.values() for key in keys}
    return any(old.get(key) != new.get(key) for key in {*old, *new} - known)
