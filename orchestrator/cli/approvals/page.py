"""What waits for a yes, as text: a list, a group, and one event with what it would send."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.screen import note, put, put_field, put_table
from orchestrator.cli.terminal.short_ids import shown_ids
from orchestrator.domain.approvals.requests import RequestState
from orchestrator.domain.text.abbreviate import abbreviate
from orchestrator.presenting.moments import left, moment, moment_and_distance

if TYPE_CHECKING:
    from orchestrator.store.approvals.list import ApprovalRow, GroupRow
    from orchestrator.store.approvals.views import ApprovalView, AskedDelivery, GroupView

_LONGEST = 200  # characters of one value; `--json` has all of it


def put_rows(rows: Sequence[ApprovalRow], now: int) -> None:
    """Requests, a line each; `now` is the store's time in milliseconds."""
    shown = shown_ids(row.event for row in rows)
    put_table(
        ("EVENT", "WORKFLOW", "ROUTE", "STATE", "DECIDE BY", "APPROVER"),
        [
            (
                shown[row.event],
                f"{row.client}/{row.workflow} v{row.version}",
                f"{row.route}: {row.when}",
                _state(row),
                moment_and_distance(row.decide_by, now)
                if row.state == RequestState.WAITING
                else moment(row.decide_by),
                row.approver,
            )
            for row in rows
        ],
        below=("ROUTE",),
    )


def put_groups(rows: Sequence[GroupRow], now: int) -> None:
    """What waits by workflow and route, a line each."""
    put_table(
        ("GROUP", "EVENTS", "ROUTE", "DECIDE BY", "APPROVER"),
        [
            (
                row.group,
                row.events,
                f"{row.route}: {row.when}",
                moment_and_distance(row.decide_by, now),
                row.approver,
            )
            for row in rows
        ],
        below=("ROUTE",),
    )
    if not rows:
        note("nothing waits for a yes")


def put_approval(found: ApprovalView, now: int) -> None:
    """The page of one event."""
    put_field("event", found.event)
    put_field("workflow", f"{found.workflow} version {found.version} of client {found.client}")
    put_field("route", f"{found.route}: {found.when}")
    put_field("state", _state(found))
    put_field("asked", moment(found.asked_at))
    if found.state == RequestState.WAITING:
        put_field("decide by", f"{moment(found.decide_by)} ({left(found.decide_by, now)})")
        put_field("approver", found.approver)
    else:
        put_field("decided", f"{moment(found.decided_at or '')} by {found.decided_by}")
    if found.why:
        put_field("why", found.why)
    if found.amended_by:
        put_field("amended by", ", ".join(_names(found.amended_by)))
    put_field("digest", found.digest)
    _put_contents(found)
    if found.state == RequestState.WAITING:
        note(f"say yes: meshline approvals approve {found.event} --digest {found.digest}")


def put_group(found: GroupView, now: int) -> None:
    """The page of a group: each of its events with what it would send."""
    put_field("group", found.group)
    put_field("workflow", f"{found.workflow} of client {found.client}")
    put_field("route", f"{found.route}: {found.when}")
    put_field("events", found.events)
    put_field("decide by", f"{moment(found.decide_by)} ({left(found.decide_by, now)})")
    put_field("approver", found.approver)
    put_field("digest", found.digest)
    for one in found.requests:
        put()
        put_field("event", one.event)
        _put_contents(one)
    note(f"say yes: meshline approvals approve {found.group} --digest {found.digest}")


def _put_contents(found: ApprovalView) -> None:
    for name, value in found.facts.items():
        put_field(name, abbreviate(value, _LONGEST))
    for one in found.deliveries:
        item = "" if one.item is None else f", item {one.item}"
        put(f"{one.destination}{item}: {one.connector}.{one.action}{_made(one)}")
        put_table(("FIELD", "VALUE"), list(_fields(one)), below=())


def _made(one: AskedDelivery) -> str:
    if one.state in ("confirmed", "receipted"):
        return ", made already and not sent again"
    return f", after {', '.join(one.after)}" if one.after else ""


def _fields(one: AskedDelivery) -> Iterable[tuple[str, str]]:
    for name, value in one.send.items():
        yield name, abbreviate(value, _LONGEST)
    for name in one.pending:
        if name not in one.send:
            yield name, f"pending: comes from the record of {', '.join(one.after)}"


def _state(found: ApprovalRow) -> str:
    return f"{found.state}, void" if found.void else found.state


def _names(actors: Sequence[str]) -> list[str]:
    return [one.removeprefix("person:") for one in actors]
