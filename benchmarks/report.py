"""From figures to medians, ratios, tables, and the block of results in benchmarks/README.md."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table as ScreenTable

from benchmarks.rows import Row, yardsticks
from benchmarks.works import Figures

Results = Mapping[Row, Sequence[Figures]]
Record = dict[str, Any]

_COMPARED = ("events_per_s", "p50_ms")
_HEADINGS = {
    "events_per_s": "events/s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "cpu_s_per_1000": "CPU s/1,000",
    "messages_per_1000": "messages/1,000",
    "commits_per_1000": "commits/1,000",
}
_README = Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- results: written by `--readme` -->", "<!-- end of results -->"


@dataclass(frozen=True, kw_only=True)
class Table:
    """One work's rows, ready to be shown."""

    title: str
    heads: list[str]
    lines: list[list[str]]


def summary(results: Results) -> list[Record]:
    """A record for each row: medians, the spread of the rounds, and ratios; by work."""
    works = list(dict.fromkeys(row.work for row in results))
    rows = sorted(results, key=lambda row: works.index(row.work))
    return [_record(row, results) for row in rows]


def _record(row: Row, results: Results) -> Record:
    figures = {name: _spread([one[name] for one in results[row]]) for name in results[row][0]}
    return {
        "work": row.work,
        "system": row.system,
        "store": row.store,
        "group": row.group,
        "figures": figures,
        "ratios": _ratios(row, results),
    }


def _ratios(row: Row, results: Results) -> Record:
    """To each yardstick in the same round, by its name; of rates or of latencies."""
    name = next((name for name in _COMPARED if name in results[row][0]), None)
    if name is None:
        return {}
    ratios = {}
    for called, other in yardsticks(row).items():
        if theirs := results.get(other):
            pairs = zip(results[row], theirs, strict=True)
            ratios[called] = _spread([one[name] / its[name] for one, its in pairs])
    return ratios


def _spread(values: Sequence[float]) -> dict[str, float]:
    found = {"median": statistics.median(values), "min": min(values), "max": max(values)}
    return {name: float(f"{value:.4g}") for name, value in found.items()}


def tables(records: Sequence[Record]) -> Iterator[Table]:
    """One table a work, with the columns that it has figures for."""
    for work in dict.fromkeys(record["work"] for record in records):
        rows = [record for record in records if record["work"] == work]
        figures, ratios = _names(rows, "figures"), _names(rows, "ratios")
        heads = [*map(_heading, figures), *(f"to {name}" for name in ratios)]
        yield Table(
            title=work,
            heads=["system", "store", "group", *heads],
            lines=[_line(record, figures, ratios) for record in rows],
        )


def _names(records: Sequence[Record], part: str) -> list[str]:
    return list(dict.fromkeys(name for record in records for name in record[part]))


def _heading(name: str) -> str:
    return _HEADINGS.get(name, name.removesuffix("_mb") + " MB")


def _line(record: Record, figures: Sequence[str], ratios: Sequence[str]) -> list[str]:
    return [
        record["system"],
        record["store"],
        str(record["group"] or ""),
        *(_shown(record["figures"].get(name)) for name in figures),
        *(_shown(record["ratios"].get(name)) for name in ratios),
    ]


def _shown(figure: Record | None) -> str:
    if figure is None:
        return ""
    middle, least, most = (_number(figure[name]) for name in ("median", "min", "max"))
    return middle if least == most else f"{middle} [{least}..{most}]"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def on_screen(table: Table) -> ScreenTable:
    """The table for a terminal."""
    shown = ScreenTable(title=table.title, title_justify="left")
    for head in table.heads:
        shown.add_column(head, justify="left" if head in ("system", "store") else "right")
    for line in table.lines:
        shown.add_row(*line)
    return shown


def write_readme(runs: Sequence[Record]) -> None:
    """Put the tables of some runs into the README, between its two marks."""
    before, _, rest = _README.read_text().partition(_BEGIN)
    _, _, after = rest.partition(_END)
    block = "\n\n".join("\n\n".join(_told(run)) for run in runs)
    _README.write_text(f"{before}{_BEGIN}\n\n{block}\n\n{_END}{after}")


def _told(run: Record) -> Iterator[str]:
    yield f"`{run['command']}`, {run['date']}, {run['machine']}; {run['versions']}."
    for table in tables(run["rows"]):
        yield f"**{table.title}**"
        rule = ["---" if head in ("system", "store") else "--:" for head in table.heads]
        yield "\n".join(f"| {' | '.join(line)} |" for line in (table.heads, rule, *table.lines))
