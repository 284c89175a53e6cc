"""What a command leaves as it is, in words: who did what to it, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.screen import note
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.operations.quarantine.select import LeftAlone
    from orchestrator.operations.repair.choose_amendable import Amended
    from orchestrator.operations.replay.plan import LeftOut
    from orchestrator.store.views.events.last_acts import Act

_MOST_REASONS = 5
_MOST_TOLD = 20  # events that are told one by one; --json has them all

Again = Annotated[bool, typer.Option("--again", help="Also amend what somebody else amended.")]


def fail_where_left(*left: Collection[object]) -> None:
    """End with 1 where a part of what was asked was refused or left alone: the rule of all acts.

    What was already as it was asked is not part of it. Raises Exit.
    """
    if any(left):
        raise typer.Exit(1)


def left_alone(event: LeftAlone) -> str:
    """One line about an event that an act left alone: who moved it, and where it is now."""
    if event.act is None:
        return f"{event.id} left alone: it is {event.state}"
    said = f"{event.id} left alone: {who_and_when(event.act)}"
    return said if event.state == event.act.done else f"{said}; it is {event.state}"


def who_and_when(act: Act | None) -> str:
    """What somebody did, such as `replayed by cli:ana at 2026-11-29 14:03:22Z`."""
    return f"{act.done} by {act.by} at {moment(act.at)}" if act else "changed meanwhile"


def tell_untouched(passed_over: Sequence[Amended], changed: Sequence[Amended]) -> None:
    """What somebody else amended: before, or while the command ran."""
    for by, times in _by_person(passed_over).items():
        last = moment(max(times))
        when = f"at {last}" if len(times) == 1 else f"last at {last}"
        note(f"passed over {len(times)}: amended by {by} {when}; --again amends them too")
    for one in changed[:_MOST_TOLD]:
        note(f"{one.id} not amended: {who_and_when(one.act)}, while this ran; look at it first")
    if len(changed) > _MOST_TOLD:
        note(f"and {len(changed) - _MOST_TOLD} more; --json has them all")


def _by_person(passed_over: Sequence[Amended]) -> dict[str, list[str]]:
    """The times at which each person amended some of them."""
    found: dict[str, list[str]] = {}
    for one in passed_over:
        if one.act:  # it is passed over because of it
            found.setdefault(one.act.by, []).append(one.act.at)
    return found


def tell_left_out(events: Sequence[LeftOut]) -> None:
    """What a replay leaves out, the most frequent reasons first."""
    counts = Counter((one.reason, one.detail) for one in events)
    for (reason, detail), count in counts.most_common(_MOST_REASONS):
        note(f"left out {count}: they would be refused again: {reason}, {detail}")
    rest = len(events) - sum(count for _, count in counts.most_common(_MOST_REASONS))
    if rest:
        note(f"left out {rest} more for other reasons; --json has them all")
    if events:
        note("fix them first, or --anyway sends them all the same")
