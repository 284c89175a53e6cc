"""Give dead letters up for good; they stay in the store, with the reason."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.reasons import Reason
from orchestrator.domain.whys import needed_why
from orchestrator.operations.requeue_dead_letters import Closed, closed_before
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.dead_letters import LetterState, close_dead_letter


def drop_dead_letters(
    store: Store, numbers: Sequence[int], *, why: str, actor: str, dry_run: bool = False
) -> Closed:
    """Drop the standing ones among them, or with `dry_run` say which these are.

    Raises Refused without a `why`, unless it is a dry run; NotFound.
    """
    reason = "" if dry_run else needed_why(why, "a drop")
    report = Closed(skipped=closed_before(store, numbers), dry_run=dry_run)
    if dry_run:
        left_alone = {one.id for one in report.skipped}
        report.ids = [number for number in numbers if number not in left_alone]
        return report
    with store.write() as tx:
        for number in numbers:
            letter = close_dead_letter(
                tx, number, state=LetterState.DROPPED, why=reason, actor=actor
            )
            if letter is None:
                continue
            detail = {
                "dead_letter": number,
                "queue": letter.queue,
                "task": letter.task,
                "why": reason,
            }
            audit.record(
                tx, actor=actor, action="drop", reason=Reason.POISON_MESSAGE, detail=detail
            )
            report.ids.append(number)
    return report
