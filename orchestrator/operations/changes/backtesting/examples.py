"""Some events that a backtest names, with what would be sent of each otherwise.

A backtest keeps no values: they are read from the events, while these have their payloads.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from orchestrator.domain.changes.backtest import Decided, Place
from orchestrator.domain.changes.backtest_result import BacktestResult
from orchestrator.domain.errors import InvalidFile
from orchestrator.pipeline.redecide import bench_of
from orchestrator.store.changes.past_events import bodies_of
from orchestrator.store.database.engine import Tx

MOST_EXAMPLES = 6
_OF_EACH = 2  # difference, by its place among the examples that the result names
MOST_FIELDS = 12
"""Of one example; the others are counted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExampleField:
    """A field of what would be sent that is another one. Values are JSON."""

    destination: str
    name: str
    what: str  # added, removed or changed
    old: object  # None also where it is not sent
    new: object


@dataclass(frozen=True, kw_only=True, slots=True)
class ExampleEvent:
    """One event, as both versions decide about it."""

    id: str
    was: str  # destinations, or the reason of a quarantine
    outcome: str  # the same with the change
    fields: tuple[ExampleField, ...]
    more: int  # fields that are left out


def examples_of(
    tx: Tx, result: BacktestResult, before: str, after: str
) -> tuple[ExampleEvent, ...]:
    """At most MOST_EXAMPLES events: one of each difference, then a second one of each.

    Both definitions are JSON. Empty where no payload is left, and where a version is not right by
    today's rules any more.
    """
    ids = list(dict.fromkeys(_named(result)))[:MOST_EXAMPLES]
    bodies = bodies_of(tx, ids)
    if not bodies:
        return ()
    try:
        bench = bench_of(before, after)
    except (InvalidFile, ValueError):
        return ()
    return tuple(_example(one, *bench.decide(bodies[one])) for one in ids if one in bodies)


def _named(result: BacktestResult) -> Iterator[str]:
    kinds: tuple[Iterable[tuple[str, ...]], ...] = (
        [one.examples for one in result.matrix if one.before != one.after],
        [one.examples for one in result.fields_changed],
    )
    for place in range(_OF_EACH):
        for kind in kinds:
            yield from (one[place] for one in kind if len(one) > place)


def _example(event_id: str, before: Decided, after: Decided) -> ExampleEvent:
    found = list(_differences(before.sends, after.sends))
    return ExampleEvent(
        id=event_id,
        was=before.outcome,
        outcome=after.outcome,
        fields=tuple(found[:MOST_FIELDS]),
        more=max(len(found) - MOST_FIELDS, 0),
    )


def _differences(
    before: Mapping[Place, Mapping[str, object]], after: Mapping[Place, Mapping[str, object]]
) -> Iterator[ExampleField]:
    nothing: Mapping[str, object] = {}
    for place in dict.fromkeys((*before, *after)):
        old, new = before.get(place, nothing), after.get(place, nothing)
        for name in dict.fromkeys((*old, *new)):
            what = "added" if name not in old else "removed" if name not in new else "changed"
            same = old.get(name) == new.get(name) and type(old.get(name)) is type(new.get(name))
            if what == "changed" and same:
                continue
            yield ExampleField(
                destination=place[0],
                name=name,
                what=what,
                old=old.get(name),
                new=new.get(name),
            )
