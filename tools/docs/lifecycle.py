"""docs/reference/lifecycle.md: the moves of events, deliveries, incidents, jobs and changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.domain.changes.states import CHANGE_TRANSITIONS, OPEN, ChangeState
from orchestrator.domain.incidents.incident import INCIDENT_TRANSITIONS, IncidentState
from orchestrator.domain.jobs import JOB_TRANSITIONS, JobState
from orchestrator.domain.lifecycle import (
    AT_END,
    DELIVERY_TRANSITIONS,
    STAGE_OF,
    TRANSITIONS,
    DeliveryState,
    State,
    moves_from,
)
from tools.docs.tables import table

_HEAD = """\
# The life of an event

A state is a word, and the moves between states are data: the table `TRANSITIONS` in
`orchestrator/domain/lifecycle.py`. One function moves events, `move_events` in
`orchestrator/store/quarantine/moves.py`. It refuses what is not in the table, and it writes the
audit row in the same transaction. This page is made from the table.

"""

_NOT_YET = """\
The moves `request_approval` and `approve` are in the table, and nothing makes them in this version:
no event comes to `awaiting_approval` yet.

"""

_DELIVERIES = """\
## The life of a delivery

A delivery is one event to one destination. Its key is the event's id, a dot and the destination's
name, and is the same for every attempt.

"""

_INCIDENTS = """\

## The life of an incident

An incident is the events of one workflow that are stopped for one cause. Its moves are
`INCIDENT_TRANSITIONS` in `orchestrator/domain/incidents/incident.py`.

"""

_JOBS = """\

## The life of a job

A job is a long act that a keeper carries out; how to use one:
[run it in the background](../howto/run-in-the-background.md). Its
moves are `JOB_TRANSITIONS` in `orchestrator/domain/jobs.py`.

"""


_CHANGES = """\

## The life of a change

A change is a proposed version of a workflow; how to use one:
[approve a change](../howto/approve-changes.md). Its moves are
`CHANGE_TRANSITIONS` in `orchestrator/domain/changes/states.py`.

"""


def write() -> str:
    """The page without its first line."""
    return "".join(
        [
            _HEAD,
            _diagram(_event_lines()),
            _NOT_YET,
            "## The moves of an event\n\n",
            table(("move", "from", "to", "when"), _event_rows()),
            "\n## What drives an event on\n\n",
            table(("state", "what comes next"), _next_rows()),
            "\n",
            _DELIVERIES,
            _diagram(_delivery_lines()),
            table(
                ("from", "to", "when"),
                [(f"`{one}`", f"`{other}`", when) for one, other, when in DELIVERY_TRANSITIONS],
            ),
            _unused(),
            _INCIDENTS,
            _diagram(_incident_lines()),
            table(
                ("move", "from", "to", "when"),
                [
                    (f"`{move}`", f"`{source}`" if source else "(no incident yet)", f"`{to}`", when)
                    for move, source, to, when in INCIDENT_TRANSITIONS
                ],
            ),
            _JOBS,
            _diagram(_job_lines()),
            table(("move", "from", "to", "when"), _job_rows()),
            _CHANGES,
            _diagram(_change_lines()),
            table(("move", "from", "to", "when"), _change_rows()),
        ]
    )


def _diagram(lines: Iterable[str]) -> str:
    body = "".join(f"    {line}\n" for line in lines)
    return f"```mermaid\nstateDiagram-v2\n{body}```\n\n"


def _event_lines() -> Iterator[str]:
    for one in TRANSITIONS:
        yield f"{one.source or '[*]'} --> {one.target}: {one.move.replace('_', ' ')}"
    for state in State:
        if state in AT_END:
            yield f"{state} --> [*]"


def _incident_lines() -> Iterator[str]:
    for move, source, to, _ in INCIDENT_TRANSITIONS:
        yield f"{source or '[*]'} --> {to}: {move}"
    yield f"{IncidentState.RESOLVED} --> [*]"


def _job_lines() -> Iterator[str]:
    for one in JOB_TRANSITIONS:
        yield f"{one.source or '[*]'} --> {one.target}: {one.move.replace('_', ' ')}"
    yield f"{JobState.DONE} --> [*]"


def _job_rows() -> Iterator[tuple[str, ...]]:
    for one in JOB_TRANSITIONS:
        source = f"`{one.source}`" if one.source else "(no job yet)"
        yield f"`{one.move}`", source, f"`{one.target}`", one.when


def _change_lines() -> Iterator[str]:
    for one in CHANGE_TRANSITIONS:
        yield f"{one.source or '[*]'} --> {one.target}: {one.move.replace('_', ' ')}"
    for state in ChangeState:
        if state not in OPEN:
            yield f"{state} --> [*]"


def _change_rows() -> Iterator[tuple[str, ...]]:
    for one in CHANGE_TRANSITIONS:
        source = f"`{one.source}`" if one.source else "(no change yet)"
        yield f"`{one.move}`", source, f"`{one.target}`", one.when


def _event_rows() -> Iterator[tuple[str, ...]]:
    for one in TRANSITIONS:
        source = f"`{one.source}`" if one.source else "(no event yet)"
        yield f"`{one.move}`", source, f"`{one.target}`", one.when


def _next_rows() -> Iterator[tuple[str, str]]:
    for state in State:
        if state in STAGE_OF:
            following = f"the stage `{STAGE_OF[state]}`"
        elif state in AT_END and moves_from(state):
            following = "nothing, unless a person takes it back"
        elif moves_from(state):
            following = "a person"
        else:
            following = "nothing: it is at its end"
        yield f"`{state}`", following


def _delivery_lines() -> Iterator[str]:
    yield f"[*] --> {DeliveryState.PENDING}: route plans it"
    yield f"[*] --> {DeliveryState.WAITING}: route plans it, after another"
    for source, target, _ in DELIVERY_TRANSITIONS:
        yield f"{source} --> {target}"


def _unused() -> str:
    used = {state for move in DELIVERY_TRANSITIONS for state in move[:2]}
    unused = ", ".join(f"`{state}`" for state in DeliveryState if state not in used)
    return f"\nNo move leads to these states in this version: {unused}.\n" if unused else ""
