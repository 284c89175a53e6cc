"""Which steps of an escalation are due, and whom each tells."""

from __future__ import annotations

from orchestrator.domain.incidents.escalation import due_steps, recipient_of

WAITS = (0.0, 1_800.0, 7_200.0)  # seconds after the breach
BREACHED = 1_000_000  # milliseconds


def due(taken: int, seconds_later: int) -> list[int]:
    return due_steps(taken, breached_at=BREACHED, now=BREACHED + seconds_later * 1000, waits=WAITS)


def test_each_step_is_due_when_its_time_after_the_breach_is_over() -> None:
    assert due(0, -1) == []
    assert due(0, 0) == [1]
    assert due(1, 1_799) == []
    assert due(1, 1_800) == [2]


def test_what_fell_due_while_nobody_looked_is_due_at_once_and_none_twice() -> None:
    assert due(0, 9_000) == [1, 2, 3]
    assert due(2, 9_000) == [3]
    assert due(3, 9_000) == []


def test_the_first_step_tells_whoever_owns_the_incident_now() -> None:
    people = {"lead": "now@x.example", "owner": "owner@x.example", "backstop": "last@x.example"}

    assert [recipient_of(step, **people) for step in (1, 2, 3)] == list(people.values())
