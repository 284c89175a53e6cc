"""How a table is laid out: in columns for a terminal, one record a line for a pipe.

On a terminal no word is cut. A value that does not fit into its column goes below the
row, on a line of its own, and so does a long text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orchestrator.cli.terminal.folding import cells, fold, shorten

_GAP = "  "
_BELOW = "  "
_NOTHING = "-"
_ELSEWHERE = "…"  # in a column, where the value is below the row
_LONGEST = 600  # characters of one value on a screen; pipes and --json have all


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A part of a line: a value, which may be coloured, and the space after it."""

    text: str
    space: str = ""


def records(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[list[Shown]]:
    """The table for a pipe: tabs between columns, a line break in a value as a semicolon."""
    for row in (columns, *rows):
        *most, last = ("; ".join(filter(None, each.split("\n"))) for each in row)
        yield [*(Shown(text=each, space="\t") for each in most), Shown(text=last)]


def table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], *, below: Sequence[str], width: int
) -> Iterator[list[Shown]]:
    """The table for a terminal; `below` names the columns that are always told below the row."""
    sizes = _sizes(columns, rows, below, width)
    yield _line(sizes, dict(enumerate(columns)))
    for row in rows:
        yield from _row(columns, row, sizes, width)


def _sizes(
    columns: Sequence[str], rows: Sequence[Sequence[str]], below: Sequence[str], width: int
) -> dict[int, int]:
    """The columns beside each other and how wide each is: as many as a line has room for."""
    most = width // 2
    sizes = {}
    for at, name in enumerate(columns):
        wide = [cells(row[at].partition("\n")[0]) for row in rows]
        fitting = [each for each in wide if each <= most]
        if name not in below and (at == 0 or len(fitting) * 2 >= len(wide)):
            sizes[at] = max([cells(name), *fitting])
    while len(sizes) > 1 and (over := _total(sizes) - width) > 0:
        del sizes[_moved(sizes, over)]
    return sizes


def _moved(sizes: dict[int, int], over: int) -> int:
    """The column that goes below: the narrowest that makes room enough, else the widest."""
    rest = {at: size for at, size in sizes.items() if at != 0}
    enough = {at: size for at, size in rest.items() if size + len(_GAP) >= over}
    return min(enough, key=enough.__getitem__) if enough else max(rest, key=rest.__getitem__)


def _total(sizes: dict[int, int]) -> int:
    return sum(sizes.values()) + len(_GAP) * (len(sizes) - 1)


def _row(
    columns: Sequence[str], row: Sequence[str], sizes: dict[int, int], width: int
) -> Iterator[list[Shown]]:
    shown, after = {}, []
    for at, value in enumerate(row):
        head, _, rest = value.partition("\n")
        if at in sizes and cells(head) <= sizes[at]:
            shown[at] = head
            after += _below("", rest, width)
        elif at == 0:
            yield from ([Shown(text=line)] for line in fold(head, width, indent=2))
            shown[at] = ""
            after += _below("", rest, width)
        else:
            if at in sizes:
                shown[at] = _ELSEWHERE
            after += _below(columns[at], value, width)
    yield _line(sizes, shown)
    for line in after:
        yield [Shown(text=line)]


def _below(name: str, value: str, width: int) -> list[str]:
    """A value below its row, by the name of its column."""
    if value in ("", _NOTHING):
        return []
    head = f"{name.lower()}: " if name else ""
    first, *others = (shorten(each, _LONGEST) for each in value.split("\n") if each)
    lines = [f"{_BELOW}{head}{first}", *(f"{_BELOW}{_BELOW}{each}" for each in others)]
    if not name:
        lines = [f"{_BELOW}{each}" for each in (first, *others)]
    return [each for line in lines for each in fold(line, width, indent=2)]


def _line(sizes: dict[int, int], shown: dict[int, str]) -> list[Shown]:
    *most, last = sizes
    padded = [Shown(text=shown[at], space=_padding(shown[at], sizes[at])) for at in most]
    return [*padded, Shown(text=shown[last])]


def _padding(text: str, size: int) -> str:
    return " " * (size - cells(text)) + _GAP
