"""What rounds beside a shadow and without one found, as a table in Markdown, and what it says."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from benchmarks.works import Figures

MOST = 0.10
"""What a shadow may cost of a drain."""


class Rounds(Protocol):
    """Three drains: without a rollout, beside a shadow, and without one again."""

    @property
    def before(self) -> Figures:
        """Without a rollout."""

    @property
    def shadow(self) -> Figures:
        """Beside a shadow."""

    @property
    def after(self) -> Figures:
        """Without one again."""


def lines_of(found: Mapping[str, Sequence[Rounds]], events: int) -> list[str]:
    """A table, and below it a sentence per store on what may be read out of it."""
    heads = (
        "store",
        "events/s: none",
        "shadow",
        "shadow to none",
        "none to none",
        "CPU s/1,000: none",
        "shadow",
        "shadow to none",
        "none to none",
        "more by the keeper",
        "looked at meanwhile",
        "keeper's CPU s/1,000 looked at, in quiet",
    )
    lines = [f"| {' | '.join(heads)} |", f"|---|{'--:|' * (len(heads) - 1)}"]
    says = []
    for store, rounds in found.items():
        wall, noise = _ratios(rounds, "events_per_s")
        work, work_noise = _ratios(rounds, "cpu_s_per_1000")
        cells = [
            store,
            f"{_middle(_without(one, 'events_per_s') for one in rounds):,.0f}",
            f"{_middle(one.shadow['events_per_s'] for one in rounds):,.0f}",
            _told(wall),
            _told(noise),
            f"{_middle(_without(one, 'cpu_s_per_1000') for one in rounds):.2f}",
            f"{_middle(one.shadow['cpu_s_per_1000'] for one in rounds):.2f}",
            _told(work),
            _told(work_noise),
            f"{_middle(_more(one) for one in rounds):.1%}",
            f"{_middle(one.shadow['looked_at'] for one in rounds):.0%}",
            _told_quiet(rounds),
        ]
        lines.append(f"| {' | '.join(cells)} |")
        says.append(
            f"- {store}: {_said('rate', wall, noise, -1)}; {_said('work', work, work_noise, 1)}."
        )
    rounds_of = len(next(iter(found.values()), ()))
    return [
        *lines,
        "",
        f"Medians of {rounds_of} rounds of {events:,} events; (lowest to highest).",
        *says,
    ]


def _without(one: Rounds, figure: str) -> float:
    return (one.before[figure] + one.after[figure]) / 2


def _more(one: Rounds) -> float:
    """What the keeper takes more beside a shadow, as a share of all processor time of a drain."""
    more = one.shadow["keeper_s_per_1000"] - _without(one, "keeper_s_per_1000")
    return more / _without(one, "cpu_s_per_1000")


def _ratios(rounds: Sequence[Rounds], figure: str) -> tuple[list[float], list[float]]:
    """The shadow to the drains around it, and the later one of these to the earlier one."""
    return (
        [one.shadow[figure] / _without(one, figure) for one in rounds],
        [one.after[figure] / one.before[figure] for one in rounds],
    )


def _told(ratios: Sequence[float]) -> str:
    return f"{_middle(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _told_quiet(rounds: Sequence[Rounds]) -> str:
    """What looking at 1,000 events takes beyond what the keeper takes anyway."""
    taken = sum(one.shadow["quiet_cpu_s"] - one.before["quiet_cpu_s"] for one in rounds)
    events = sum(one.shadow["quiet_looked_at"] for one in rounds)
    return f"{taken / events * 1000:.2f} (of {events:,.0f})" if events else "nothing was left"


def _said(what: str, ratios: Sequence[float], noise: Sequence[float], sign: int) -> str:
    """Whether the cost is below its bound, or lost in the noise."""
    cost, wide = sign * (_middle(ratios) - 1), max(abs(one - 1) for one in noise)
    if wide >= MOST:
        return f"of its {what} this run says nothing, for without a shadow it differs by {wide:.0%}"
    return f"its {what} costs {cost:+.0%}, {'at most' if cost <= MOST else 'more than'} {MOST:.0%}"


def _middle(values: Iterable[float]) -> float:
    return statistics.median(values)
