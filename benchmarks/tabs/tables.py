"""What was measured, as a table in Markdown, and what is over what is wanted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.tabs.asking import Row

MOST_RATIO = 3.0
"""A page takes at most so many times what its queries take bare."""

JUDGED_MS = 10.0
"""A page whose queries take less is not judged by the ratio to them, only by the aims.

The way in, the roles, the masks of 50 rows and the template take some 10 ms on an idle machine and
30 on a busy one, however many events there are: beside a query of a millisecond the ratio tells of
these alone.
"""

LEAST_RATE = 5_000
"""Rows in a second of an export, which is judged by that alone: each row is masked and written."""

WANTED_MS, WANTED_P95_MS = 150.0, 400.0
"""What is aimed at beside a million events; a figure over it makes nothing fail."""


def told(rows: Sequence[Row]) -> Iterator[str]:
    """The lines of a table; what is over is marked."""
    yield (
        "| page | statements | page, ms | 95th percentile | its queries bare, ms"
        " | page to queries | rows/s | over |"
    )
    yield "| --- | --: | --: | --: | --: | --: | --: | --- |"
    for row in rows:
        yield (
            f"| {row.title} | {row.statements} | {row.page_ms:,.0f} | {row.page_p95_ms:,.0f}"
            f" | {row.queries_ms:,.1f} | {_ratio(row)} | {_rate(row)} | {', '.join(over(row))} |"
        )


def summary(rows: Mapping[str, Sequence[Row]], *, events: Mapping[str, int]) -> str:
    """One line of JSON; `rows` and `events` by the kind of database."""
    every = [(kind, row) for kind, each in rows.items() for row in each]
    return json.dumps(
        {
            "bench": "tabs",
            "events": dict(events),
            "pages": len(every),
            "over_ratio": [f"{kind}: {row.title}" for kind, row in every if is_too_slow(row)],
            "over_aim": [
                f"{kind}: {row.title}" for kind, row in every if set(over(row)) - {"ratio"}
            ],
            "worst_ratio": max((row.ratio for _, row in every if is_judged(row)), default=None),
            "slowest_ms": max((row.page_ms for _, row in every if row.rate is None), default=None),
            "least_rate": min((row.rate for _, row in every if row.rate is not None), default=None),
        }
    )


def over(row: Row) -> tuple[str, ...]:
    """What of a page is over: `ratio`, `median`, `p95`; of an export: `rate`."""
    if row.rate is not None:
        return ("rate",) if row.rate < LEAST_RATE else ()
    found = {
        "ratio": is_too_slow(row),
        "median": row.page_ms > WANTED_MS,
        "p95": row.page_p95_ms > WANTED_P95_MS,
    }
    return tuple(name for name, is_over in found.items() if is_over)


def is_judged(row: Row) -> bool:
    """Whether the ratio says anything."""
    return row.queries_ms >= JUDGED_MS and row.rate is None


def is_too_slow(row: Row) -> bool:
    """Whether a page takes too much beside its queries."""
    return is_judged(row) and row.ratio > MOST_RATIO


def _rate(row: Row) -> str:
    return "" if row.rate is None else f"{row.rate:,}"


def _ratio(row: Row) -> str:
    return f"{row.ratio:.1f}" if is_judged(row) else f"({row.ratio:.1f})"
