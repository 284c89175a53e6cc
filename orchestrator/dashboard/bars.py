"""A strip of bars, as numbers that a template draws: one series over equal spans of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HEIGHT = 40  # of the drawing; a bar of the largest number fills it
_GAP = 0.2  # of a bar's width, beside it
_LEAST = 1.5  # what is there at all is seen


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One bar, in the drawing's own units."""

    x: float
    y: float  # its upper edge
    width: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Strip:
    """One series."""

    title: str
    total: int
    most: int  # in one span
    width: int  # of the drawing: one unit per span
    bars: tuple[Bar, ...]  # those that are not empty


def draw_strip(title: str, numbers: Sequence[int]) -> Strip:
    """A strip of bars, the largest as high as the drawing.

    >>> draw_strip("Arrived", [0, 2, 4]).bars[0]
    Bar(x=1.1, y=20.0, width=0.8, height=20.0)
    """
    most = max(numbers, default=0)
    return Strip(
        title=title,
        total=sum(numbers),
        most=most,
        width=len(numbers),
        bars=tuple(_bar(at, number / most) for at, number in enumerate(numbers) if number),
    )


def _bar(at: int, share: float) -> Bar:
    height = max(round(HEIGHT * share, 2), _LEAST)
    return Bar(x=round(at + _GAP / 2, 2), y=HEIGHT - height, width=1 - _GAP, height=height)
