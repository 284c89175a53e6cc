"""Replay quarantined events: back to the start, under the live version of their workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.operations.access.allow import allow_for_events
from orchestrator.operations.quarantine.select import (
    LeftAlone,
    left_alone,
    missing,
    selected_chunks,
)
from orchestrator.operations.replay.foresee import ForeseenHold, Foresight
from orchestrator.operations.replay.homes import find_homes
from orchestrator.operations.replay.plan import LeftOut
from orchestrator.store.database.audit import DeliveryNote, record_deliveries
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_events
from orchestrator.store.drive.deliveries import allow_resend
from orchestrator.store.quarantine.actions import replay
from orchestrator.store.quarantine.workflows import LiveWorkflow, require_live
from orchestrator.store.views.quarantine.selection import Selection, by_workflow, reasons_among


@dataclass(frozen=True, kw_only=True, slots=True)
class ReplayedEvent:
    """An event that is on its way again."""

    id: str
    workflow: str  # its name
    version: int  # the live one, which it now runs under


@dataclass(kw_only=True)
class Replayed:
    """What a replay did, or with `dry_run` would do."""

    dry_run: bool
    events: list[ReplayedEvent] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)  # would be refused again
    held: list[ForeseenHold] = field(default_factory=list)  # what will hold some of the events
    skipped: list[LeftAlone] = field(default_factory=list)  # not in quarantine


def replay_events(
    store: Store,
    selection: Selection,
    *,
    actor: Actor,
    dry_run: bool = False,
    send_again: bool = False,
    anyway: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Replayed:
    """Send quarantined events on their way again; those in another state are left alone.

    What would be refused again by contract, facts or routes of the live version is left out without
    `anyway`. An event that no workflow took when it came goes to the one that takes its type now;
    where none does, it is left out too. An event that a pause or an open circuit breaker will hold
    is sent on its way, and reported. `send_again` allows deliveries whose outcome is unknown and
    cannot be looked up to be sent a second time. Done again, the same call changes nothing.

    Raises NotFound for an id that does not exist, Refused for a selection without a condition.
    """
    found, skipped = selected_chunks(store, selection, actor=actor, act=Act.REPLAY)
    report = Replayed(dry_run=dry_run, skipped=skipped)
    with store.read() as tx:
        foresight = Foresight(tx, anyway=anyway)
    done = 0
    unclaimed: list[LeftOut] = []
    for chunk in found:
        with store.write(ring=not dry_run) as tx:
            allow_for_events(tx, actor, Act.REPLAY, chunk)
            hold_events(tx, chunk)  # before their payloads are read: another may be amending them
            reasons = reasons_among(tx, chunk)
            report.skipped += left_alone(tx, missing(chunk, reasons))
            homes = find_homes(tx, reasons)
            unclaimed += homes.left_out
            for live, ids in (*homes.found, *_at_home(tx, homes.others)):
                going = foresight.choose(tx, {one: reasons[one] for one in ids}, live)
                moved = going
                if not dry_run:
                    moved = _replay(tx, going, live, actor, send_again=send_again)
                report.events += [
                    ReplayedEvent(id=one, workflow=live.name, version=live.version) for one in moved
                ]
        done += len(chunk)
        progress(done)
    report.left_out, report.held = [*unclaimed, *foresight.left_out], foresight.held
    return report


def _at_home(tx: Tx, ids: Sequence[str]) -> Iterator[tuple[LiveWorkflow, Sequence[str]]]:
    """These events by the live version of the workflow that they belong to. Raises NotFound."""
    for (client, name), some in by_workflow(tx, ids).items():
        yield require_live(tx, client, name), some


def _replay(
    tx: Tx, ids: Sequence[str], live: LiveWorkflow, actor: Actor, *, send_again: bool
) -> list[str]:
    moved = replay(tx, ids, live=live, actor=actor.name)
    if send_again:
        allowed = allow_resend(tx, moved)
        told = {"detail": "may be sent a second time"}
        notes = [
            DeliveryNote(event_id=one, name=where, action="send_again", detail=told)
            for one, where in allowed
        ]
        record_deliveries(tx, notes, actor=actor.name)
    return moved
