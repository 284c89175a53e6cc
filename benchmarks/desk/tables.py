"""What was measured, as records for a file and as tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.desk.asking import START, Times
from benchmarks.desk.counting import Count
from benchmarks.desk.mending import Step

Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one run found out."""

    answers: Sequence[Record]
    steps: Sequence[Step]
    counts: Sequence[Count]


def answers(times: Mapping[str, Times]) -> list[Record]:
    """A record for each question, in milliseconds, and how many bare starts a command takes."""
    start = statistics.median(times[START].as_command)
    return [
        {
            "title": title,
            "in_store_ms": _spread(one.in_store),
            "as_command_ms": _spread(one.as_command),
            "to_start": round(statistics.median(one.as_command) / start, 2),
        }
        for title, one in times.items()
    ]


def told(found: Found) -> Iterator[str]:
    """The lines of three tables."""
    yield from _table(
        ("answer", "in the store, ms", "worst", "as a command, ms", "worst", "to the bare start"),
        (
            (
                f"`{one['title']}`",
                *_shown(one["in_store_ms"]),
                *_shown(one["as_command_ms"]),
                f"{one['to_start']:.2f}",
            )
            for one in found.answers
        ),
    )
    yield from _table(
        ("command", "events", "seconds", "events/s"),
        (
            (
                f"`{one.title}`",
                f"{one.events:,}",
                f"{one.seconds:.1f}",
                f"{one.events / one.seconds:,.0f}",
            )
            for one in found.steps
        ),
    )
    yield from _table(
        ("counted afterwards", "events", "should be"),
        ((one.title, f"{one.found:,}", f"{one.expected:,}") for one in found.counts),
    )


def _spread(seconds: Sequence[float]) -> dict[str, float] | None:
    if not seconds:
        return None
    found = {"median": statistics.median(seconds), "worst": max(seconds)}
    return {name: round(value * 1000, 1) for name, value in found.items()}


def _shown(spread: Mapping[str, float] | None) -> tuple[str, str]:
    if spread is None:
        return "", ""
    return f"{spread['median']:,.0f}", f"{spread['worst']:,.0f}"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    rule = ("---", *("--:" for _ in heads[1:]))
    for line in (heads, rule, *rows):
        yield f"| {' | '.join(line)} |"
    yield ""
