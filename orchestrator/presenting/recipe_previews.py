"""The preview of a recipe as a table: an event per row, those first that do not simply pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.operations.repair.preview_recipe import Preview
from orchestrator.operations.repair.try_on_payload import Tried
from orchestrator.presenting.recipes import before_and_after, told_of_step


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewedEvent:
    """One event under a recipe, in words."""

    id: str
    verdict: str  # would pass, would not pass, is left alone, is so already
    changes: tuple[tuple[str, str], ...]  # before and after, each with its place
    told: str  # where it would go, or why it would not


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewedStep:
    """One step of a recipe, and in how many events it does something."""

    told: str
    events: int
    beyond: int  # of these, where it changes what did not break the contract


@dataclass(frozen=True, kw_only=True, slots=True)
class PreviewTable:
    """One page of a preview, with the counts of all of it."""

    steps: tuple[PreviewedStep, ...]
    total: int
    passing: int
    refused: int
    left_alone: int  # somebody else amended them, or they are so already
    rows: tuple[PreviewedEvent, ...]
    after: int  # how many rows are before these
    following: int | None  # the `after` of the next page; None: this is the last


PASSES, REFUSED, ALONE = "would pass", "would not pass", "is left alone"


def page_of_preview(preview: Preview, *, after: int, limit: int) -> PreviewTable:
    """At most `limit` rows behind the first `after` of them."""
    rows = list(_rows(preview))
    shown = rows[after : after + limit]
    following = after + limit
    return PreviewTable(
        steps=tuple(
            PreviewedStep(told=told_of_step(step), events=events, beyond=beyond)
            for step, events, beyond in zip(
                preview.steps, preview.places, preview.beyond, strict=True
            )
        ),
        total=len(rows),
        passing=preview.passing,
        refused=preview.refused,
        left_alone=preview.already + len(preview.passed_over),
        rows=tuple(shown),
        after=after,
        following=following if following < len(rows) else None,
    )


def _rows(preview: Preview) -> Iterator[PreviewedEvent]:
    """Those that would not pass, those that are left alone, and those that would."""
    yield from _tried([one for one in preview.events if not (one.passes or one.already)], REFUSED)
    for left in preview.passed_over:
        by = f" it: {left.act.by} at {left.act.at}" if left.act else " it"
        yield PreviewedEvent(
            id=left.id, verdict=ALONE, changes=(), told=f"somebody else amended{by}"
        )
    yield from _tried([one for one in preview.events if one.already], ALONE)
    yield from _tried([one for one in preview.events if one.passes], PASSES)


def _tried(events: Sequence[Tried], verdict: str) -> Iterator[PreviewedEvent]:
    for one in events:
        where = f"to {', '.join(one.to)}" if one.to else ""
        yield PreviewedEvent(
            id=one.id,
            verdict=verdict,
            changes=tuple(map(before_and_after, one.changes)),
            told="; ".join(filter(None, (where, one.detail))),
        )
