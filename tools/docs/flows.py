"""ARCHITECTURE.md: a good and a bad event on their way, drawn from the tables of moves.

Who speaks to whom is written here. What changes on the way is looked up: a move that is not in the
tables any more, or that leads elsewhere, cannot be drawn.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.domain.incidents.incident import INCIDENT_TRANSITIONS, IncidentMove, IncidentState
from orchestrator.domain.lifecycle import (
    AT_END,
    DELIVERY_TRANSITIONS,
    STAGE_OF,
    TRANSITIONS,
    DeliveryState,
    Move,
    Stage,
    State,
    Transition,
)
from workers.chain import LINKS


def good_event() -> str:
    """A trigger whose every delivery is confirmed."""
    parts = ("sender", "door", "store", "relay", "broker", "worker", "tool")
    return _diagram(parts, [*_arrival(), *_all_links()])


def bad_event() -> str:
    """A trigger that breaks its contract, and is healed by a person."""
    parts = ("sender", "door", "store", "relay", "broker", "worker", "keeper", "person")
    chain = "the chain, as for a good event"
    return _diagram(
        parts,
        [
            *_arrival(),
            _link(STAGE_OF[State.ACCEPTED]),
            _move("worker", Move.QUARANTINE, State.ACCEPTED),
            _incident("worker", IncidentMove.OPEN, None),
            _arrow("keeper", "store", "finds an incident that nobody was notified of"),
            _arrow("keeper", "person", "alert: opened"),
            _incident("person", IncidentMove.ACKNOWLEDGE, IncidentState.OPEN),
            _move("person", Move.AMEND, State.QUARANTINED),
            _move("person", Move.REPLAY, State.QUARANTINED),
            _arrow("store", "relay", "bell", answer=True),
            f"note over relay,worker: {chain}",
            _move("worker", Move.DELIVER, State.ROUTED),
            _incident("keeper", IncidentMove.RESOLVE, IncidentState.ACKNOWLEDGED),
            _arrow("keeper", "person", "alert: resolved"),
        ],
    )


def on_the_way() -> list[Transition]:
    """The moves of an event that never fails, in order."""
    (start,) = (one for one in TRANSITIONS if one.source is None)
    moves = [start]
    while moves[-1].target not in AT_END:
        (following,) = (one for one in TRANSITIONS if _leads_on(one, moves[-1].target))
        moves.append(following)
    return moves


def _leads_on(move: Transition, source: State) -> bool:
    return (
        move.source is source
        and move.move is not Move.REPIN  # back to the beginning, and only by a person
        and move.target is not source
        and (move.target in STAGE_OF or move.target in AT_END)
    )


def _arrival() -> Iterator[str]:
    first = on_the_way()[0]
    yield _arrow("sender", "door", "trigger")
    yield _arrow("door", "store", _said(first.move, first.source, first.target, first.when))
    yield _arrow("door", "sender", "202", answer=True)
    yield _arrow("store", "relay", "bell", answer=True)
    yield _arrow("relay", "store", "claim: epoch and lease")
    yield _arrow("relay", "broker", f"one chain: {' | '.join(LINKS)}")


def _all_links() -> Iterator[str]:
    for move in on_the_way()[1:]:
        if move.source:
            stage = STAGE_OF[move.source]
            yield _link(stage)
            if stage is Stage.DISPATCH:
                yield from _handoff()
            yield _move("worker", move.move, move.source)


def _link(stage: Stage) -> str:
    (name,) = (one for one in LINKS if one is stage)
    return _arrow("broker", "worker", f"link {name}")


def _handoff() -> Iterator[str]:
    yield _delivery(DeliveryState.PENDING, DeliveryState.SENDING)
    yield _arrow("worker", "tool", "create, under the delivery's key")
    yield _arrow("tool", "worker", "the record's id", answer=True)
    yield _arrow("worker", "tool", "read")
    yield _arrow("tool", "worker", "the record", answer=True)
    yield _delivery(DeliveryState.SENDING, DeliveryState.CONFIRMED)


def _move(who: str, move: Move, source: State) -> str:
    (found,) = (one for one in TRANSITIONS if (one.move, one.source) == (move, source))
    return _arrow(who, "store", _said(move, source, found.target, found.when))


def _delivery(source: DeliveryState, target: DeliveryState) -> str:
    ((_, _, when),) = (one for one in DELIVERY_TRANSITIONS if one[:2] == (source, target))
    return _arrow("worker", "store", f"delivery {source} → {target}: {when}")


def _incident(who: str, move: IncidentMove, source: IncidentState | None) -> str:
    ((_, _, target, when),) = (one for one in INCIDENT_TRANSITIONS if one[:2] == (move, source))
    return _arrow(who, "store", f"incident {_said(move, source, target, when)}")


def _said(move: str, source: str | None, target: str, when: str) -> str:
    states = f"{source} → {target}" if source and source != target else target
    return f"{move}, {states}: {when}"


def _arrow(one: str, other: str, text: str, *, answer: bool = False) -> str:
    return f"{one}{'-->>' if answer else '->>'}{other}: {text}"


def _diagram(parts: Iterable[str], steps: Iterable[str]) -> str:
    lines = [*(f"participant {one}" for one in parts), *steps]
    # A semicolon would end a line of Mermaid.
    body = "".join(f"    {line.replace(';', ',')}\n" for line in lines)
    return f"```mermaid\nsequenceDiagram\n{body}```\n"
