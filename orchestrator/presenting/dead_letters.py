"""One wording of what to do with a dead letter, and of its return, for command line and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.domain.incidents.advice import Step, advise
from orchestrator.domain.reasons import Reason
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.store.views.quarantine.dead_letters import LetterView, Returned


def steps_for(letter: LetterView) -> list[Step]:
    """What to do with this one; of one that was cut there is too little to put back."""
    _, *steps = advise(Reason.POISON_MESSAGE, client="", workflow="")
    commands = [(one.do, (one.command or "").replace(" ID", f" {letter.id}")) for one in steps]
    return [
        Step(do=do, command=command)
        for do, command in commands
        if not (letter.cut_from and " requeue " in command)
    ]


def told_return(returned: Returned | None) -> list[str]:
    """That a letter came back after a requeue, in one line; nothing if it did not."""
    if not returned:
        return []
    times = "once" if returned.times == 1 else f"{returned.times} times"
    at, back = moment(returned.requeued_at), moment(returned.at)
    return [f"requeued by {returned.requeued_by} at {at}, came back at {back} ({times})"]
