"""Ask for approvals: of events that were routed just now, and anew where they would send else.

A workflow that asks for none never comes here: its events cost nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, bindparam, insert, select, update

from orchestrator.domain.approvals.requests import RequestState
from orchestrator.domain.incidents.causes import awaiting_cause
from orchestrator.domain.lifecycle import Move, State
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.store.approvals.contents import Contents, load_contents, subject_of
from orchestrator.store.database.clock import in_iso, in_ms, now_ms, recovery_ms, time_of
from orchestrator.store.database.engine import AnyRow
from orchestrator.store.database.prepared import Prepared, among
from orchestrator.store.database.schema import event_approvals, events
from orchestrator.store.drive.stages import Saving, workflow_id_of
from orchestrator.store.quarantine.incidents import note_events
from orchestrator.store.quarantine.moves import move_events
from orchestrator.store.quarantine.workflows import version_of

_T = event_approvals.c

Digests = Callable[[str], str | None]
"""The digest of a connector's definition, as this worker has it; None where it has none."""


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who asks, of which workflow, and what the worker knows of connectors."""

    workflow: CompiledWorkflow
    saving: Saving
    digests: Digests


def ask_for_approvals(
    tx: Connection, routes: Mapping[str, int], asking: Asking, *, again: Sequence[str]
) -> list[str]:
    """Let those of these events wait whose route (from 1) asks; the ids of these.

    They were routed in this transaction. `again` are those that were routed before: what was said
    of them then is void. An event of which nothing is to be sent waits for nobody.
    """
    if not asking.workflow.asks:
        return []
    if again:
        _VOID.run(tx, ids=list(again))
    asked = {
        event_id: route
        for event_id, route in routes.items()
        if asking.workflow.workflow.routes[route - 1].approve
    }
    if not asked:
        return []
    found = load_contents(tx, asked, asking.workflow)
    open_ = {event_id: one for event_id, one in found.items() if one.to_come}
    return _ask(tx, open_, asked, asking) if open_ else []


def ask_again(tx: Connection, ids: Sequence[str], asking: Asking) -> list[str]:
    """Stop those of these events that would send what nobody approved, and ask anew.

    It is asked before each of their calls goes out. Answers the ids that may not be sent now: those
    that wait again, and those with a call of another run out, which are looked at after it. The
    caller holds the events.
    """
    newest = _newest(tx, ids, asking.saving.epoch) if asking.workflow.asks else {}
    if not newest:
        return []
    routes = {event_id: row.route for event_id, row in newest.items()}
    found = load_contents(tx, routes, asking.workflow)
    version = version_of(tx, next(iter(newest.values())).workflow_id)
    differing = {
        event_id: one
        for event_id, one in found.items()
        if one.to_come and not _is_approved(event_id, one, newest[event_id], version, asking)
    }
    busy = [event_id for event_id, one in differing.items() if one.calling]
    free = {event_id: one for event_id, one in differing.items() if not one.calling}
    if free:
        _VOID.run(tx, ids=list(free))
        _ask(tx, free, routes, asking)
    return [*free, *busy]


def _newest(tx: Connection, ids: Sequence[str], epoch: int) -> dict[str, AnyRow]:
    """The request of each event that is this epoch's to send, where it has one that is not void.

    An event without one took a route that asks nobody.
    """
    return {row.event_id: row for row in _NEWEST.run(tx, ids=list(ids), epoch=epoch).all()}


def _is_approved(
    event_id: str, contents: Contents, row: AnyRow, version: int, asking: Asking
) -> bool:
    """Whether the last word about it is a yes, and to what would be sent now."""
    if row.state != RequestState.APPROVED:
        return False
    subject = subject_of(
        event_id,
        contents,
        _connectors(contents, asking),
        workflow=asking.workflow,
        version=version,
        route=row.route,
        salt=row.salt or "",
    )
    return bool(subject.digest() == row.subject)


def _connectors(contents: Contents, asking: Asking) -> dict[str, str | None]:
    return {name: asking.digests(name) for name in sorted(contents.connectors())}


def _ask(
    tx: Connection, found: Mapping[str, Contents], routes: Mapping[str, int], asking: Asking
) -> list[str]:
    """Move the events, write their requests, and count them on the incident of the approver."""
    workflow_id = workflow_id_of(tx, next(iter(found)))
    terms = _Terms(asking, version_of(tx, workflow_id), in_ms(time_of(tx)))
    rows = [
        row
        for event_id, contents in found.items()
        if (row := _request(tx, event_id, contents, routes[event_id], terms))
    ]
    if not rows:
        return []
    tx.execute(insert(event_approvals), [{**row, "workflow_id": workflow_id} for row in rows])
    said = asking.workflow.workflow
    note_events(
        tx,
        said.client,
        said.name,
        awaiting_cause(),
        len(rows),
        owner=said.owners.approver,
        recover_ms=min(row["decide_by"] for row in rows) - terms.now,
        actor=asking.saving.actor,
    )
    return [row["event_id"] for row in rows]


@dataclass(frozen=True)
class _Terms:
    """What the requests of one transaction have in common."""

    asking: Asking
    version: int  # of the workflow
    now: int  # in milliseconds since 1970


def _request(
    tx: Connection, event_id: str, contents: Contents, route: int, terms: _Terms
) -> dict[str, Any] | None:
    """Let the event wait; its request as a row. None where another group has it by now."""
    asking = terms.asking
    said, connectors = asking.workflow.workflow, _connectors(contents, asking)
    approve = said.routes[route - 1].approve
    if approve is None:
        return None
    salt = secrets.token_hex(16)
    subject = subject_of(
        event_id,
        contents,
        connectors,
        workflow=asking.workflow,
        version=terms.version,
        route=route,
        salt=salt,
    ).digest()
    decide_by = terms.now + recovery_ms(tx, approve.within_seconds, said.calendar)
    moved = move_events(
        tx,
        [event_id],
        move=Move.REQUEST_APPROVAL,
        source=State.ROUTED,
        actor=asking.saving.actor,
        epoch=asking.saving.epoch,
        detail={"subject": subject, "route": route, "until": in_iso(decide_by)},
    )
    if not moved:
        return None
    return {
        "event_id": event_id,
        "client": said.client,
        "workflow": said.name,
        "route": route,
        "state": RequestState.WAITING.value,
        "subject": subject,
        "salt": salt,
        "connectors": orjson.dumps(connectors).decode(),
        "asked_at": terms.now,
        "remind_at": terms.now + recovery_ms(tx, approve.within_seconds / 2, said.calendar),
        "decide_by": decide_by,
    }


def _void(dialect: str) -> Any:
    return (
        update(event_approvals)
        .where(among(dialect, _T.event_id), _T.void_at.is_(None))
        .values(void_at=now_ms())
    )


def _select_newest(dialect: str) -> Any:
    mine = and_(events.c.state == State.ROUTED.value, events.c.epoch == bindparam("epoch"))
    return (
        select(_T.event_id, _T.workflow_id, _T.route, _T.state, _T.subject, _T.salt)
        .join(events, events.c.id == _T.event_id)
        .where(among(dialect, _T.event_id), _T.void_at.is_(None), mine)
        .order_by(_T.event_id, _T.id)
    )


_VOID, _NEWEST = Prepared(_void), Prepared(_select_newest)
