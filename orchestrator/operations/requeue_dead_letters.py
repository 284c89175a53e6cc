"""Put dead letters back on the queue that they came from, exactly as they were."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.errors import NotFound
from orchestrator.domain.reasons import Reason
from orchestrator.store import audit
from orchestrator.store.dead_letters import (
    DeadLetter,
    LetterState,
    close_dead_letter,
    states_of_letters,
)
from orchestrator.store.engine import Store


@dataclass(kw_only=True)
class Closed:
    """What became of dead letters."""

    ids: list[int] = field(default_factory=list)
    skipped: list[dict[str, object]] = field(default_factory=list)  # id, state: closed before


def requeue_dead_letters(
    store: Store,
    numbers: Sequence[int],
    publish: Callable[[DeadLetter], None],
    *,
    actor: str,
    why: str | None = None,
) -> Closed:
    """Requeue the standing ones among them, each in a transaction of its own.

    `publish` puts one on the broker, and raises where the broker does not take it: then that one
    stands on. A worker that still cannot read it keeps it again, under a new number. Raises
    NotFound for a number that does not exist, before anything is done.
    """
    report = Closed(skipped=closed_before(store, numbers))
    for number in numbers:
        with store.write() as tx:
            # First the row, then the broker: a worker that buries the message again waits for this
            # transaction. The other way round it could find the row still standing, and drop it.
            letter = close_dead_letter(tx, number, state=LetterState.REQUEUED, why=why, actor=actor)
            if letter is None:
                continue
            detail = {"dead_letter": number, "queue": letter.queue, "task": letter.task, "why": why}
            audit.record(
                tx, actor=actor, action="requeue", reason=Reason.POISON_MESSAGE, detail=detail
            )
            publish(letter)
        report.ids.append(number)
    return report


def closed_before(store: Store, numbers: Sequence[int]) -> list[dict[str, object]]:
    """Those of the numbers that stand no more. Raises NotFound for one that does not exist."""
    with store.read() as tx:
        states = states_of_letters(tx, numbers)
    for number in numbers:
        if number not in states:
            raise NotFound(
                f"there is no dead letter {number}", fix="see `meshline dead-letters list`"
            )
    return [
        {"id": number, "state": states[number]}
        for number in numbers
        if states[number] != LetterState.STANDING
    ]
