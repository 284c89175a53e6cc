"""Close dead letters: back on the queue that they came from, as they were, or given up for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound
from orchestrator.domain.reasons import Reason
from orchestrator.domain.whys import needed_why, optional_why
from orchestrator.operations.access.allow import allow
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.dead_letters import DeadLetter, LetterState, close_dead_letter
from orchestrator.store.views.quarantine.dead_letters import (
    Returned,
    cut_letters,
    letters_that_returned,
    states_of_letters,
)

CUT = "cut"
"""Said of a dead letter that cannot be requeued, because only its beginning is kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SkippedLetter:
    """A dead letter that was left as it is."""

    id: int
    state: str  # as `LetterState`, closed before; or `CUT`


@dataclass(kw_only=True)
class Closed:
    """What became of dead letters."""

    ids: list[int] = field(default_factory=list)
    skipped: list[SkippedLetter] = field(default_factory=list)
    # by id: those that came back after a requeue
    returned: dict[int, Returned] = field(default_factory=dict)
    dry_run: bool = False


def requeue_dead_letters(
    store: Store,
    numbers: Sequence[int],
    publish: Callable[[DeadLetter], None],
    *,
    actor: Actor,
    why: str | None = None,
    dry_run: bool = False,
) -> Closed:
    """Requeue the open ones among them, each in a transaction of its own.

    `publish` puts one on the broker, and raises where the broker does not take it: then that one
    stays open. A worker that still cannot read it keeps it again, under a new number; `returned`
    says of which that happened before. With `dry_run` nothing is put back. Raises Refused for a
    blank `why`, NotFound for a number that does not exist, before anything is done.
    """
    why = optional_why(why)
    report = Closed(skipped=_closed_before(store, numbers, actor), dry_run=dry_run)
    with store.read() as tx:
        report.returned = letters_that_returned(tx, numbers)
        cut = cut_letters(tx, numbers) - {one.id for one in report.skipped}
    report.skipped += [SkippedLetter(id=number, state=CUT) for number in sorted(cut)]
    left_alone = {one.id for one in report.skipped}
    for number in (one for one in numbers if one not in left_alone):
        if dry_run:
            report.ids.append(number)
            continue
        with store.write() as tx:
            # First the row, then the broker: a worker that buries the message again waits for this
            # transaction. The other way round it could find the row still open, and drop it.
            letter = _close(tx, number, LetterState.REQUEUED, "requeue", why=why, actor=actor)
            if letter is None:
                continue
            publish(letter)
        report.ids.append(number)
    return report


def drop_dead_letters(
    store: Store, numbers: Sequence[int], *, why: str, actor: Actor, dry_run: bool = False
) -> Closed:
    """Drop the open ones among them, or with `dry_run` say which these are.

    Raises Refused without a `why`, unless it is a dry run; NotFound.
    """
    reason = "" if dry_run else needed_why(why, "a drop")
    report = Closed(skipped=_closed_before(store, numbers, actor), dry_run=dry_run)
    if dry_run:
        left_alone = {one.id for one in report.skipped}
        report.ids = [number for number in numbers if number not in left_alone]
        return report
    with store.write() as tx:
        for number in numbers:
            if _close(tx, number, LetterState.DROPPED, "drop", why=reason, actor=actor):
                report.ids.append(number)
    return report


def _close(
    tx: Tx, number: int, state: LetterState, action: str, *, why: str | None, actor: Actor
) -> DeadLetter | None:
    """Close it and tell the audit; None where somebody did meanwhile."""
    allow(tx, actor, Act.CLOSE_DEAD_LETTERS, ())
    letter = close_dead_letter(tx, number, state=state, why=why, actor=actor.name)
    if letter is not None:
        detail = {"dead_letter": number, "queue": letter.queue, "task": letter.task, "why": why}
        audit.record(
            tx, actor=actor.name, action=action, reason=Reason.POISON_MESSAGE, detail=detail
        )
    return letter


def _closed_before(store: Store, numbers: Sequence[int], actor: Actor) -> list[SkippedLetter]:
    """Those of the numbers that are no longer open. Raises NotFound for one that does not exist."""
    with store.read() as tx:
        allow(tx, actor, Act.CLOSE_DEAD_LETTERS, ())
        states = states_of_letters(tx, numbers)
    for number in numbers:
        if number not in states:
            raise NotFound(
                f"there is no dead letter {number}", fix="see `meshline dead-letters list`"
            )
    return [
        SkippedLetter(id=number, state=states[number])
        for number in numbers
        if states[number] != LetterState.STANDING
    ]
