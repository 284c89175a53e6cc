"""What a pause or a resumption of a destination would do, in sentences."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from orchestrator.domain.delivery.blockers import told_blocker

if TYPE_CHECKING:
    from orchestrator.operations.preview_switch import SwitchPreview


def told_pause(preview: SwitchPreview) -> list[str]:
    """What a pause would do."""
    if preview.paused:
        return [
            "It is paused already: the end and the reason are changed, and nothing else.",
            f"{_deliveries(preview.paused.held)} there for it.",
        ]
    return [
        (
            "From now on its deliveries are held, until the end of the pause or until somebody"
            " resumes it. Nothing is lost, and a call that is under way is not broken off."
        ),
        f"{_deliveries(preview.under_way)} for their turn there now, and would be held.",
    ]


def told_resume(preview: SwitchPreview, at: Callable[[str], str]) -> list[str]:
    """What a resumption would do; `at` says a time as people read it."""
    if not preview.ended:
        said = ["Nothing is paused or broken here, so a resumption changes nothing."]
    else:
        said = [f"It ends this: {told_blocker(one, at)}." for one in preview.ended]
        said.append(_told_released(preview.released))
    said += [f"This stays, and holds back what goes there: {told_blocker(one, at)}."
             for one in preview.kept]  # fmt: skip
    return said


def _told_released(count: int) -> str:
    if not count:
        return "No delivery waits for it, so nothing is sent at once."
    goes = "It is" if count == 1 else "All of them are"
    return (
        f"{_deliveries(count)} for it. {goes} sent at once, the oldest first, no faster than its"
        " rate allows. Should calls still fail, a circuit breaker"
        " opens and holds the rest."
    )


def _deliveries(count: int) -> str:
    return "1 delivery waits" if count == 1 else f"{count:,} deliveries wait"
