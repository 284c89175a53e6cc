"""The gates of a change as text: each with its evidence, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.terminal.screen import note, put, put_line, put_table
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.domain.changes.gates.gate import JudgedGate
    from orchestrator.operations.changes.gates.show import CheckedChange

_WIDEST = len("cannot tell")


def told_state(state: str) -> str:
    """A gate's state in words: `cannot tell`."""
    return state.replace("_", " ")


def put_gates(found: CheckedChange) -> None:
    """Every gate of a change."""
    put(_head(found))
    for one in found.gates:
        put_line(f"{told_state(one.state).ljust(_WIDEST)}  {_name(one)}: {one.asks}")
        put_line(f"{' ' * _WIDEST}  {one.evidence}")
        if one.waiver is not None:
            put_line(f"{' ' * _WIDEST}  {_waiver(one)}")
        if one.do is not None:
            put_line(f"{' ' * _WIDEST}  do: {one.do}")
    _tell_what_stops(found)


def put_checklist(found: CheckedChange) -> None:
    """The same as eight questions."""
    put(_head(found))
    rows = [
        (one.item, one.answer, told_state(one.state), ", ".join(one.gates))
        for one in found.checklist
    ]
    put_table(("QUESTION", "ANSWER", "STATE", "GATES"), rows)
    _tell_what_stops(found)


def _head(found: CheckedChange) -> str:
    state = told_state(found.state)
    return f"change {found.change} of {found.workflow} of client {found.client} is {state}"


def _name(one: JudgedGate) -> str:
    number = "" if one.number is None else f"{one.number} "
    return f"{number}{one.gate} ({one.force})"


def _waiver(one: JudgedGate) -> str:
    waiver = one.waiver
    if waiver is None:
        return ""
    verb = "was waived until" if waiver.expired else "waived until"
    return f"{verb} {moment(waiver.until)} by {waiver.by}: {waiver.why}"


def _tell_what_stops(found: CheckedChange) -> None:
    if not found.gates:
        note("a retirement and a rollback have no gates")
    stopping = [one.gate for one in found.gates if one.stops]
    if stopping:
        note(f"nobody can approve it: {', '.join(stopping)} fails, and blocks")
