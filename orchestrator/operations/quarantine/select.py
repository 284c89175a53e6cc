"""Turn a selection of quarantined events into ids, read once, and what else was named."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import ChangedSinceSeen, NotFound, Refused
from orchestrator.operations.access.allow import allow_for_events, scope_of
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.views.events import last_acts as acts_of_people
from orchestrator.store.views.quarantine.selection import CHUNK, Selection, selected, states_of


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftAlone:
    """An event that an act left as it is."""

    id: str
    state: str  # where it is now, as `State`
    act: (
        acts_of_people.Act | None
    )  # the last that a person did to it in quarantine; None: nobody did anything

    def as_json(self) -> dict[str, object]:
        """The event as a document: `done`, `by` and `at` are there where somebody did something."""
        return {"id": self.id, "state": self.state} | (self.act.as_json() if self.act else {})


def selected_chunks(
    store: Store, selection: Selection, *, actor: Actor, act: Act, discarded: bool = False
) -> tuple[list[list[str]], list[LeftAlone]]:
    """The same as `select_events`, the ids in chunks that one transaction can take."""
    ids, skipped = select_events(store, selection, actor=actor, act=act, discarded=discarded)
    return [ids[at : at + CHUNK] for at in range(0, len(ids), CHUNK)], skipped


def select_events(
    store: Store,
    selection: Selection,
    *,
    actor: Actor,
    act: Act,
    discarded: bool = False,
    accepted_first: bool = False,
) -> tuple[list[str], list[LeftAlone]]:
    """The selected ids that are in quarantine, and what was named but is elsewhere.

    With `discarded` the ids of those that were given up, and what was named but was not. With
    `accepted_first` they are in the order of their acceptance.

    Raises NotFound for an id that does not exist or that the actor may not see, Forbidden where one
    of them is of a client for which it may not do the act, Refused for a selection without a
    condition.
    """
    if selection.is_empty:
        raise Refused(
            "nothing was selected",
            field="selection",
            fix="give event ids, or a filter such as a workflow or a reason",
        )
    with store.read() as tx:
        scope = scope_of(tx, actor).names
        seen = replace(selection, clients=scope)
        ids = selected(tx, seen, discarded=discarded, accepted_first=accepted_first)
        states = states_of(tx, selection.ids, scope)
        for event_id in selection.ids:
            if event_id not in states:
                raise NotFound(f"there is no event {event_id!r}", field="id",
                               fix="see `meshline quarantine list`")  # fmt: skip
        allow_for_events(tx, actor, act, ids)
        standing = set(ids)
        skipped = left_alone(tx, [one for one in states if one not in standing])
    return ids, skipped


def left_alone(tx: Tx, ids: Sequence[str]) -> list[LeftAlone]:
    """What every act says of events that it leaves alone, in their order."""
    told: list[LeftAlone] = []
    for at in range(0, len(ids), CHUNK):
        chunk = ids[at : at + CHUNK]
        states, acts = states_of(tx, tuple(chunk)), acts_of_people.last_acts(tx, chunk)
        told += [
            LeftAlone(id=one, state=states[one], act=acts.get(one))
            for one in chunk
            if one in states
        ]
    return told


def changed_meanwhile(event_id: str, act: acts_of_people.Act | None) -> ChangedSinceSeen:
    """Said of an event that is not as somebody saw it; `act` is what was done to it last."""
    what = f"{act.by} {act.done} it at {act.at}" if act else "it is not where it was"
    return ChangedSinceSeen(f"event {event_id} changed: {what}", fix="look at it again")


def missing(ids: Sequence[str], moved: Collection[str]) -> list[str]:
    """Those of a chunk that did not move: somebody else was there first."""
    there = set(moved)
    return [one for one in ids if one not in there] if len(there) < len(ids) else []
