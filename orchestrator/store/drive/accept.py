"""Accepting triggers: event, payload and audit row in one commit, before anybody is answered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson
from sqlalchemy import Connection

from orchestrator.domain.changes.canary import canary_from
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import IdempotencyConflict, MeshlineError
from orchestrator.domain.event import Accepted, Trigger
from orchestrator.domain.lifecycle import State
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import row_values
from orchestrator.store.database.store_key import key_of_store
from orchestrator.store.drive import accept_statements as sql
from orchestrator.store.drive.erased_keys import erased_key
from orchestrator.store.ordering.lines import comer, enter
from orchestrator.store.quarantine.actions import Verdict, quarantine_rejected
from orchestrator.store.quarantine.hook_requests import keep_requests
from orchestrator.store.quarantine.workflows import LiveWorkflow, definition_of
from orchestrator.store.rollout.taking import note_taken


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """A trigger, the live workflow that takes it, and who sent it."""

    id: str  # of the event that it becomes, where its key is new
    trigger: Trigger
    workflow: LiveWorkflow
    actor: str
    stopped: Rejected | None = None  # why it goes into quarantine as it comes; None: it goes on


@dataclass(frozen=True, kw_only=True)
class KeyConflict:
    """The arrival at `index` repeats a key with another payload."""

    index: int
    key: str
    event_id: str  # of the event that has the key
    earlier: int | None  # the arrival that the event is of, where it came in the same call

    def refusal(self) -> IdempotencyConflict:
        """The conflict as the sender hears of it."""
        return IdempotencyConflict(
            f"the key {self.key!r} was used for another payload, by event {self.event_id}",
            field="idempotency_key",
            fix="send a new key for new content, and the same key only for the same content",
        )


class InConflict(MeshlineError):
    """Raised when arrivals conflict; nothing of the transaction may be committed."""

    def __init__(self, conflicts: Sequence[KeyConflict]) -> None:
        super().__init__(f"{len(conflicts)} in conflict")
        self.conflicts = conflicts


class _New(NamedTuple):
    """What is written of an arrival, in the order that the statements take it."""

    id: str
    client: str
    workflow: str
    workflow_id: int
    idempotency_key: str
    digest: str
    body: str
    actor: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What makes a trigger the same again."""
        return self.client, self.workflow, self.idempotency_key


def live_for(
    tx: Connection, triggers: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], LiveWorkflow]:
    """The live workflows that take these (client, trigger type), by the same."""
    rows = sorted(set(triggers))
    found = sql.SELECT_LIVE.run(tx, **row_values(tx, list(sql.TRIGGER), rows))
    return {(row.client, row.trigger_type): LiveWorkflow(**row._mapping) for row in found}


def accept(tx: Connection, arrivals: Sequence[Arrival]) -> list[Accepted]:
    """Write all arrivals; those whose key is known already answer with that event's id.

    Raises InConflict, upon which the transaction must not be committed.
    """
    rows = [_new(one, _version_for(tx, one)) for one in arrivals]
    # In one order everywhere: two doors that write the same keys must not wait for each other.
    written = _write(tx, sorted(_without_erased(tx, rows), key=lambda row: row.key))
    new = [one for one in arrivals if one.id in written]
    # What is stopped as it comes takes its place in a line when it is replayed.
    _line_up(tx, [one for one in new if one.workflow.ordering_text and not one.stopped])
    if any(one.workflow.canary_text for one in new):
        _note_canaries(tx, [one for one in new if one.workflow.canary_text])
    if any(one.trigger.hook for one in new):
        _keep_origins(tx, new)
    if any(one.trigger.trace for one in new):
        _keep_traces(tx, new)
    if len(written) == len(rows):
        return [Accepted(id=row.id, duplicate=False) for row in rows]
    missing = [row.key for row in rows if row.id not in written]
    known = _known(tx, missing)
    known |= _erased(tx, [key for key in missing if key not in known])
    conflicts = _conflicts(rows, written, known)
    if conflicts:
        raise InConflict(conflicts)
    return [
        Accepted(id=row.id, duplicate=False)
        if row.id in written
        else Accepted(id=known[row.key].id, duplicate=True)
        for row in rows
    ]


def _keep_traces(tx: Connection, new: Sequence[Arrival]) -> None:
    """Keep the trace of each that belongs to one; the others have no row."""
    rows = [
        {"event_id": one.id, "traceparent": trace.parent, "tracestate": trace.state}
        for one in new
        if (trace := one.trigger.trace)
    ]
    tx.execute(sql.INSERT_TRACES, rows)


def _keep_origins(tx: Connection, new: Sequence[Arrival]) -> None:
    """Keep the requests of sources, and stop what cannot go on as it came."""
    keep_requests(tx, {one.id: one.trigger.hook for one in new if one.trigger.hook})
    by_version: dict[int, dict[Verdict, list[str]]] = {}
    actors: dict[int, str] = {}
    for one in new:
        if one.stopped is not None:
            stopped = by_version.setdefault(one.workflow.id, {})
            stopped.setdefault((one.stopped, None), []).append(one.id)
            actors[one.workflow.id] = one.actor
    for version in sorted(by_version):
        definition = orjson.loads(definition_of(tx, version))
        quarantine_rejected(
            tx,
            by_version[version],
            source=State.ACCEPTED,
            workflow=Workflow.from_published(definition),
            actor=actors[version],
        )


def _version_for(tx: Connection, arrival: Arrival) -> int:
    """The version that decides about it for life: the live one, or the candidate beside it."""
    live = arrival.workflow
    if live.canary_text is None or arrival.stopped is not None:  # what is stopped tells nothing
        return live.id
    canary = canary_from(live.canary_text)
    return canary.version if canary.takes(_side_key(tx, arrival)) else live.id


def _side_key(tx: Connection, arrival: Arrival) -> str:
    """Its line, so that events with one ordering key are on one side; else its id."""
    ordering = arrival.workflow.ordering
    if ordering is None:
        return arrival.id
    place = comer(
        key_of_store(tx), arrival.id, arrival.trigger.payload, ordering,
        client=arrival.trigger.client, workflow=arrival.workflow.name,
    )  # fmt: skip
    return arrival.id if place is None else place.line


def _note_canaries(tx: Connection, arrivals: Sequence[Arrival]) -> None:
    """Keep which of these the candidate decides about, beside the events themselves."""
    taken = [
        (one.id, canary_from(one.workflow.canary_text or "").change)
        for one in arrivals
        if _version_for(tx, one) != one.workflow.id
    ]
    note_taken(tx, taken)


def _line_up(tx: Connection, arrivals: Sequence[Arrival]) -> None:
    """Give new events that have an ordering key their places, in the order in which they came."""
    if not arrivals:
        return
    secret = key_of_store(tx)
    comers = [
        comer(
            secret, one.id, one.trigger.payload, ordering,
            client=one.trigger.client, workflow=one.workflow.name,
        )
        for one in arrivals
        if (ordering := one.workflow.ordering)
    ]  # fmt: skip
    enter(tx, [one for one in comers if one])


def _known(tx: Connection, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, ...], AnyRow]:
    found = sql.SELECT_KNOWN.run(tx, **row_values(tx, list(sql.KEY), keys))
    return {(one[0], one[1], one[2]): one for one in found}


def _without_erased(tx: Connection, rows: Sequence[_New]) -> Sequence[_New]:
    """Those whose key is not the one of an erased event.

    On SQLite nobody else writes meanwhile; on PostgreSQL the statement that writes them asks.
    """
    if tx.dialect.name != "sqlite" or not sql.SELECT_ANY_ERASED.run(tx).scalar_one():
        return rows
    erased = _erased(tx, [row.key for row in rows])
    return [row for row in rows if row.key not in erased]


def _erased(tx: Connection, keys: Sequence[tuple[str, str, str]]) -> dict[tuple[str, ...], AnyRow]:
    """The erased events by their keys as they were."""
    if not keys:
        return {}
    secret = key_of_store(tx)
    given = {(*key[:2], erased_key(secret, *key)): key for key in keys}
    return {given[one]: row for one, row in _known(tx, list(given)).items()}  # type: ignore[index]


def _conflicts(
    rows: Sequence[_New], written: set[str], known: Mapping[tuple[str, ...], AnyRow]
) -> list[KeyConflict]:
    places = {row.id: index for index, row in enumerate(rows)}
    return [
        KeyConflict(
            index=index,
            key=row.idempotency_key,
            event_id=known[row.key].id,
            earlier=places.get(known[row.key].id),
        )
        for index, row in enumerate(rows)
        # An erased event has no digest: what it was sent with cannot be compared any more.
        if row.id not in written and known[row.key].digest not in ("", row.digest)
    ]


def _new(arrival: Arrival, workflow_id: int) -> _New:
    return _New(
        id=arrival.id,
        client=arrival.trigger.client,
        workflow=arrival.workflow.name,
        workflow_id=workflow_id,
        idempotency_key=arrival.trigger.idempotency_key or arrival.id,
        digest=arrival.trigger.digest,
        body=arrival.trigger.payload,
        actor=arrival.actor,
    )


def _write(tx: Connection, rows: Sequence[_New]) -> set[str]:
    """Write events, and the payloads and audit rows of those that are new; their ids."""
    if tx.dialect.name != "sqlite":
        secret = key_of_store(tx)
        whole = [(*row, erased_key(secret, *row.key)) for row in rows]
        written = sql.INSERT_EVERYTHING.run(tx, **row_values(tx, list(sql.WHOLE), whole))
        return set(written.scalars())
    given = [row[: len(sql.EVENT)] for row in rows]
    ids = set(sql.INSERT_EVENTS.run(tx, **row_values(tx, list(sql.EVENT), given)).scalars())
    if new := [row for row in rows if row.id in ids]:
        tx.execute(sql.INSERT_PAYLOADS, [{"event_id": row.id, "body": row.body} for row in new])
        noted = [(row.client, row.workflow, row.id, row.actor) for row in new]
        sql.INSERT_AUDIT.run(tx, **row_values(tx, list(sql.NEW), noted))
    return ids
