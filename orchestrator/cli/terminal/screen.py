"""What goes to the screen: JSON for programs, tables and sentences for people.

A text out of the store may have come in from anywhere: nothing of it may command the
terminal, so what cannot be printed is written out. On a terminal lines are folded at spaces; a
pipe is given one record a line, so that `grep` and `awk` see it whole.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TextIO

import typer

from orchestrator.cli.terminal.folding import fold
from orchestrator.cli.terminal.layout import records, table
from orchestrator.domain.text.visible import visible, visible_json, visible_lines

_WIDTH = 80  # of a terminal that does not say how wide it is
_NARROWEST = 20
_BOLD, _RED, _GREEN, _YELLOW = "1", "31", "32", "33"


class ReaderGone(Exception):
    """Raised when whoever read the output went away, as `head` does when it has seen enough."""


def put_json(document: object) -> None:
    """One JSON document on stdout, in UTF-8 whatever the terminal speaks."""
    from orchestrator.presenting.documents import to_json

    text = visible_json(to_json(document, indented=True))
    with _read_by_somebody():
        sys.stdout.flush()
        while text:  # under PYTHONUNBUFFERED a write may take only a part
            text = text[sys.stdout.buffer.write(text) :]


def put(text: str = "", *, indent: int = 2) -> None:
    """Text on stdout; on a terminal folded at spaces, `indent` before all lines but the first."""
    _say(text, sys.stdout, indent=indent)


def put_line(text: str) -> None:
    """One line on stdout: a line break in a value of it is written out, so that it forges none."""
    put(visible(text))


def put_field(name: str, value: object) -> None:
    """A named value on a page."""
    text = visible(str(value))
    if on_terminal():
        text = f"\n{' ' * 15}".join(fold(text, _width(sys.stdout) - 15))
    put_source(f"{name:14} {text}")


def put_source(text: str) -> None:
    """Text that is copied as a whole, such as a program's: never folded."""
    with _read_by_somebody():
        typer.echo(visible_lines(text))


def note(text: str) -> None:
    """Text on stderr: what a person wants to know and a program must not read."""
    _say(text, sys.stderr)


def complain(text: str) -> None:
    """What is wrong, on stderr; more than one line only where a log's end comes with it."""
    first, *rest = text.splitlines() or [""]
    note(f"error: {first}")
    for line in rest:
        note(line)


def put_table(
    columns: Sequence[str], rows: Iterable[Sequence[object]], *, below: Sequence[str] = ()
) -> None:
    """A table: on a terminal in columns that fit, for a pipe one record a line with tabs.

    `below` names columns that a terminal shows below the row, each on a line of its own; so is
    what comes after a line break in a value, and whatever has no room.
    """
    shown = [[_cell(value) for value in row] for row in rows]
    if on_terminal():
        lines = table(columns, shown, below=below, width=_width(sys.stdout))
    else:
        lines = records(columns, shown)
    coloured = _is_coloured()
    with _read_by_somebody():
        for number, line in enumerate(lines):
            for part in line:
                style = (_style(part.text) if number else _BOLD) if coloured else ""
                sys.stdout.write(f"{_painted(part.text, style)}{part.space}")
            sys.stdout.write("\n")


def on_terminal() -> bool:
    """Whether a person reads stdout, and not a pipe or a file."""
    return sys.stdout.isatty()


def _say(text: str, stream: TextIO, *, indent: int = 2) -> None:
    lines = visible_lines(text).split("\n")
    if stream.isatty():
        width = _width(stream)
        lines = [each for line in lines for each in fold(line, width, indent=indent)]
    with _read_by_somebody():
        typer.echo("\n".join(lines), file=stream)


@contextmanager
def _read_by_somebody() -> Iterator[None]:
    """Raises ReaderGone where nobody reads the pipe; of its own error typer would make an exit."""
    try:
        yield
    except BrokenPipeError:
        raise ReaderGone from None


def _width(stream: TextIO) -> int:
    """The columns of the terminal behind a stream; COLUMNS overrules it."""
    asked = os.environ.get("COLUMNS", "")
    columns = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0
    try:
        columns = columns or os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return max(columns or _WIDTH, _NARROWEST)


def _cell(value: object) -> str:
    return "-" if value is None or value == "" else visible_lines(str(value))


def _style(text: str) -> str:
    if text in {"quarantined", "failed", "broken", "breaker open"} or "overdue" in text:
        return _RED
    if text in {"delivered", "confirmed", "receipted", "ok"}:
        return _GREEN
    return _YELLOW if text in {"discarded", "sending", "held", "attention"} else ""


def _painted(text: str, style: str) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if style else text


def _is_coloured() -> bool:
    """Whether tables have colours: on a terminal that can, or where FORCE_COLOR asks for them."""
    if os.environ.get("NO_COLOR"):
        return False
    able = on_terminal() and os.environ.get("TERM") not in {"dumb", "unknown"}
    return able or bool(os.environ.get("FORCE_COLOR"))
