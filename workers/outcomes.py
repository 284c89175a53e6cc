"""What came of a turn's calls: judged before the store is asked, saved in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.pipeline.settle_event import (
    Delivered,
    DeliveryStatus,
    Stuck,
    TakeBack,
    settle_event,
)
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.engine import Tx
from orchestrator.store.drive.deliveries import (
    DeliveryStanding,
    NotMade,
    Taken,
    load_deliveries,
    save_done,
    save_not_made,
)
from orchestrator.store.drive.stages import Saving, hand_back, save_delivered, save_retry
from orchestrator.store.drive.take_back import begin_undo
from orchestrator.store.quarantine.actions import quarantine_rejected
from orchestrator.store.quarantine.incidents import Where, note_held


class LastFailure(NamedTuple):
    """Why an event goes no further for now."""

    destination: str
    error: str  # for people, secrets masked


@dataclass(kw_only=True)
class Outcomes:
    """The settled deliveries of a turn, ready to be written, and those that had no turn yet."""

    done: list[tuple[str, str, str, str]] = field(default_factory=list)
    not_made: list[NotMade] = field(default_factory=list)
    notes: dict[Where, DeliveryNote] = field(default_factory=dict)
    failed: dict[str, LastFailure] = field(default_factory=dict)  # by event id
    open: dict[str, int] = field(default_factory=dict)  # event id: deliveries it had to be made
    not_begun: list[Taken] = field(default_factory=list)
    saved: set[Where] = field(default_factory=set)  # deliveries that `save` wrote

    def save(
        self,
        tx: Tx,
        ids: Sequence[str],
        *,
        workflow: CompiledWorkflow,
        run_id: str,
        saving: Saving,
        undoable: Collection[str] = (),
    ) -> set[str]:
        """Write the deliveries, and move the events `ids` accordingly, which the caller holds.

        `undoable` names the destinations that are taken back where another fails for good. Answers
        those of `ids` that are not this epoch's any more: they were not moved.
        """
        made = save_done(tx, run_id, self.done)
        mine = self.saved = made | save_not_made(tx, run_id, self.not_made)
        told = [note for where, note in self.notes.items() if where in mine]
        record_deliveries(tx, told, actor=saving.actor)
        # Where all that was to be made was made just now, nobody needs to look how it stands.
        taken_back = {where[:2] for where in self.done if where[2] == DeliveryState.UNDONE}
        counted = Counter(event_id for event_id, _ in made - taken_back)
        complete = [one for one in ids if counted[one] and counted[one] == self.open[one]]
        known = set(complete)
        gone = known.difference(save_delivered(tx, complete, workflow.workflow, saving))
        if len(complete) < len(ids):
            rest = [one for one in ids if one not in known]
            failed = {
                one: how for one, how in self.failed.items() if (one, how.destination) in mine
            }
            gone |= _move_events(tx, rest, failed, workflow, saving, undoable)
        # After the quarantine's incidents, as everywhere: two runs never wait for each other.
        held = [
            where
            for where, note in self.notes.items()
            if where in mine and note.target is DeliveryState.HELD
        ]
        note_held(tx, held, workflow.workflow, actor=saving.actor)
        return gone

    def counts(self) -> Counter[str]:
        """How many of the deliveries that `save` wrote are in which state now."""
        states = {where[:2]: where[2] for where in self.done}
        states |= {(one.event_id, one.destination): one.state.value for one in self.not_made}
        return Counter(states[where] for where in self.saved)

    def give_up(self, tx: Tx, *, run_id: str) -> None:
        """Give back what had no turn: nothing was sent."""
        back = [
            NotMade(
                event_id=one.event_id,
                destination=one.destination,
                state=DeliveryState.PENDING,
                after_ms=0,
                unknown=one.unknown,
                record_id=one.record_id,
                began=False,
            )
            for one in self.not_begun
        ]
        save_not_made(tx, run_id, back)


def _move_events(
    tx: Tx,
    ids: Sequence[str],
    failed: Mapping[str, LastFailure],
    workflow: CompiledWorkflow,
    saving: Saving,
    undoable: Collection[str],
) -> set[str]:
    """Look how all deliveries of these events stand, and move the events accordingly.

    Answers those that are not this epoch's any more.
    """
    delivered: list[str] = []
    idle: list[str] = []
    stuck: dict[Stuck, list[str]] = {}
    unwound: dict[TakeBack, list[str]] = {}
    retried: dict[LastFailure, list[str]] = {}
    found = load_deliveries(tx, ids, saving.epoch)
    for event_id, rows in found.items():
        standing = [_status(row) for row in rows]
        match settle_event(standing, undoable=undoable):
            case Delivered():
                delivered.append(event_id)
            case Stuck() as verdict:
                stuck.setdefault(verdict, []).append(event_id)
            case TakeBack() as verdict:
                unwound.setdefault(verdict, []).append(event_id)
            case _ if event_id in failed:
                retried.setdefault(failed[event_id], []).append(event_id)
            case _:
                idle.append(event_id)
    save_delivered(tx, delivered, workflow.workflow, saving)
    _quarantine(tx, stuck, workflow, saving)
    for verdict, events in unwound.items():
        begin_undo(
            tx,
            events,
            verdict.destinations,
            because=verdict.because,
            epoch=saving.epoch,
            actor=saving.actor,
        )
        idle += events
    for (destination, error), events in retried.items():
        save_retry(tx, events, saving, detail={"destination": destination, "detail": error})
    hand_back(tx, idle, saving.epoch)
    return set(ids) - found.keys()


def _quarantine(
    tx: Tx, stuck: Mapping[Stuck, Sequence[str]], workflow: CompiledWorkflow, saving: Saving
) -> None:
    quarantine_rejected(
        tx,
        {
            (Rejected(reason=one.reason, detail=one.detail), one.destination): ids
            for one, ids in stuck.items()
        },
        source=State.ROUTED,
        workflow=workflow.workflow,
        actor=saving.actor,
        epoch=saving.epoch,
    )


def _status(row: DeliveryStanding) -> DeliveryStatus:
    return DeliveryStatus(
        destination=row.destination,
        state=DeliveryState(row.state),
        reason=Reason(row.reason) if row.reason else None,
        error=row.error,
        undo=bool(row.undo),
        unknown=bool(row.unknown),
    )
