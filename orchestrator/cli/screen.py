"""What goes to the screen: JSON for programs, tables and sentences for people.

Whatever comes out of the store may have come in from anywhere: nothing of it may command the
terminal, so what cannot be printed is written out.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from orchestrator.domain.visible import visible_json, visible_lines

if TYPE_CHECKING:
    from rich.console import Console

_WIDTH = 100  # where stdout is no terminal and COLUMNS says nothing
_UNITS = (("d", 72 * 3_600, 86_400), ("h", 2 * 3_600, 3_600), ("m", 60, 60))


def put_json(document: object) -> None:
    """One JSON document on stdout, in UTF-8 whatever the terminal speaks."""
    import orjson

    text = visible_json(
        orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    )
    sys.stdout.flush()
    while text:  # under PYTHONUNBUFFERED a write may take only a part
        text = text[sys.stdout.buffer.write(text) :]


def put(text: str = "") -> None:
    """Text on stdout."""
    typer.echo(visible_lines(text))


def note(text: str) -> None:
    """Text on stderr: what a person wants to know and a program must not read."""
    typer.echo(visible_lines(text), err=True)


def complain(text: str) -> None:
    """What is wrong, on stderr; more than one line only where a log's end comes with it."""
    first, *rest = text.splitlines() or [""]
    note(f"error: {first}")
    for line in rest:
        note(line)


def put_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str | None = None
) -> None:
    """A table whose first column is never broken, so that ids can be copied."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, name in enumerate(columns):
        table.add_column(name, overflow="fold", no_wrap=index == 0)
    for row in rows:
        table.add_row(*(Text(_cell(value), style=_style(value)) for value in row))
    if title:
        put(title)
    console = _console()
    with console.capture() as captured:
        console.print(table)
    for line in captured.get().splitlines():
        sys.stdout.write(f"{line.rstrip()}\n")


def age(moment: str | None, now: int) -> str:
    """How long ago an ISO time was, such as `3m`; `now` in milliseconds."""
    return span(now / 1000 - _seconds(moment)) if moment else "-"


def left(moment: str | None, now: int) -> str:
    """How long there is until an ISO time, or for how long it is over."""
    if not moment:
        return "-"
    seconds = _seconds(moment) - now / 1000
    return f"in {span(seconds)}" if seconds >= 0 else f"overdue {span(-seconds)}"


def distance(moment: str, now: int) -> str:
    """An ISO time with how far it is away, such as `2026-11-29 05:40:00Z (in 2h)`."""
    away = _seconds(moment) - now / 1000
    return f"{short(moment)} ({f'in {span(away)}' if away >= 0 else f'{span(-away)} ago'})"


def span(seconds: float) -> str:
    """A duration in its largest unit, such as `71h`."""
    for unit, least, size in _UNITS:
        if seconds >= least:
            return f"{int(seconds // size)}{unit}"
    return f"{max(0, int(seconds))}s"


def short(moment: str | None) -> str:
    """An ISO time as tables show it: to the second, in UTC."""
    if not moment:
        return "-"
    return datetime.fromtimestamp(_seconds(moment), UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else visible_lines(str(value))


def _style(value: object) -> str:
    text = str(value)
    if text in {"quarantined", "failed", "broken"} or "overdue" in text:
        return "red"
    if text in {"delivered", "confirmed", "receipted", "ok"}:
        return "green"
    return "yellow" if text in {"discarded", "sending", "held", "attention"} else ""


def _console() -> Console:
    from rich.console import Console

    width = shutil.get_terminal_size((_WIDTH, 24)).columns
    return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
