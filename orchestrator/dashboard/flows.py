"""The matrix of a backtest as a drawing: bands from what is decided today to what would be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.changes.backtest_result import Cell
from orchestrator.domain.text.abbreviate import shorten

WIDTH = 720
_LEFT, _RIGHT = 250.0, 470.0  # where bands begin and end; words stand beside them
_SPACE = 160.0  # of the heights of all bands together
_LEAST = 2.0  # a band of one event among a million is seen
_ROW = 20.0  # the least height that a name needs
_GAP = 8.0
_MOST = 12  # bands; the rest are in the table
_LONGEST = 34  # characters of a name


@dataclass(frozen=True, kw_only=True, slots=True)
class Band:
    """Events with one decision today and one with the change."""

    path: str  # in SVG's words
    same: bool  # both are alike


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """A decision, beside its bands."""

    text: str
    y: float  # its middle


@dataclass(frozen=True, kw_only=True, slots=True)
class Flows:
    """A drawing, in its own units."""

    width: int
    height: float
    bands: tuple[Band, ...]
    before: tuple[Name, ...]
    after: tuple[Name, ...]


def draw_flows(cells: Sequence[Cell]) -> Flows | None:
    """The drawing of a matrix's largest cells; None where there is none.

    >>> cell = Cell(before="crm", after="desk", events=3, examples=())
    >>> draw_flows([cell]).bands[0].path
    'M250 4 C360 4 360 4 470 4 V164 C360 164 360 164 250 164 Z'
    """
    shown = [one for one in cells if one.events][:_MOST]
    if not shown:
        return None
    total = sum(one.events for one in shown)
    heights = [max(_SPACE * one.events / total, _LEAST) for one in shown]
    left, names_left = _column([one.before for one in shown], heights)
    right, names_right = _column([one.after for one in shown], heights)
    bands = tuple(
        Band(path=_path(a, b, height), same=one.before == one.after)
        for one, a, b, height in zip(shown, left, right, heights, strict=True)
    )
    height = max(one.y for one in (*names_left, *names_right)) + _SPACE / 2 + _ROW
    ends = [y + tall for y, tall in zip((*left, *right), (*heights, *heights), strict=True)]
    return Flows(
        width=WIDTH,
        height=round(min(height, max(ends) + _ROW), 1),
        bands=bands,
        before=names_left,
        after=names_right,
    )


def _column(names: Sequence[str], heights: Sequence[float]) -> tuple[list[float], tuple[Name, ...]]:
    """Where each band begins in a column of nodes, and the names of these."""
    tall: dict[str, float] = {}
    for name, height in zip(names, heights, strict=True):
        tall[name] = tall.get(name, 0.0) + height
    at, y, told = {}, 4.0, []
    for name, height in tall.items():
        at[name] = y
        told.append(Name(text=shorten(name, _LONGEST), y=round(y + height / 2 + 4, 1)))
        y += max(height, _ROW) + _GAP
    begins = []
    for name, height in zip(names, heights, strict=True):
        begins.append(at[name])
        at[name] += height
    return begins, tuple(told)


def _path(left: float, right: float, height: float) -> str:
    middle = (_LEFT + _RIGHT) / 2
    a, b, low, deep = (f"{value:g}" for value in map(_round, _four(left, right, height)))
    return (
        f"M{_LEFT:g} {a} C{middle:g} {a} {middle:g} {b} {_RIGHT:g} {b}"
        f" V{deep} C{middle:g} {deep} {middle:g} {low} {_LEFT:g} {low} Z"
    )


def _four(left: float, right: float, height: float) -> tuple[float, float, float, float]:
    return left, right, left + height, right + height


def _round(value: float) -> float:
    return round(value, 1)
