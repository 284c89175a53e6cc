"""The difference of what waits for a person's yes, in words: which events nobody looks at now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.domain.changes.words.wording import Direction, Part, Wording, listed, quoted
from orchestrator.domain.text.durations import seconds
from orchestrator.domain.workflows.approval import RouteApproval
from orchestrator.domain.workflows.workflow import Route


def approval_words(before: Sequence[Route], after: Sequence[Route]) -> Iterator[Wording]:
    """Which routes ask for a yes now, which no longer do, and what else they ask.

    A rule that is new or gone counts as a route that asked nobody before, or asks nobody now.
    """
    old, new = _by_rule(before), _by_rule(after)
    for rule in dict.fromkeys((*new, *old)):
        yield from _differing(rule, old.get(rule), new.get(rule))


def _by_rule(routes: Sequence[Route]) -> dict[str, RouteApproval]:
    """What each rule asks; of two with one rule the first: no event takes the other."""
    first: dict[str, RouteApproval | None] = {}
    for route in routes:
        first.setdefault(route.when, route.approve)
    return {rule: asked for rule, asked in first.items() if asked}


def _differing(
    rule: str, was: RouteApproval | None, now: RouteApproval | None
) -> Iterator[Wording]:
    where = f"where {quoted(rule)}"
    if now is None:
        yield _of(Direction.LOOSER, f"events {where} are sent without a person's yes")
        return
    if was is None:
        says = f"events {where} wait for the approver's yes, at most {now.within}"
        yield _of(Direction.STRICTER, says)
        return
    if seconds(was.within) != seconds(now.within):
        longer = seconds(now.within) > seconds(was.within)
        told = f"the approver has {now.within} {where}, before: {was.within}"
        yield _of(Direction.LOOSER if longer else Direction.STRICTER, told)
    if was.show != now.show:
        shown = listed(map(quoted, now.show)) if now.show else "no fact"
        yield _of(Direction.CHANGED, f"the approver is shown {shown} first {where}")


def _of(direction: Direction, says: str) -> Wording:
    return Wording(part=Part.ROUTES, direction=direction, says=says)
