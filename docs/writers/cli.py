"""docs/cli.md: the help of every command, as it answers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from orchestrator.cli.main import app

_WIDTH = 100

_HEAD = """\
# The command line

`meshline` stands in `.venv/bin` after any `make` target. Every listing takes `--json`: one JSON
document on stdout and nothing else. Notes and errors go to stderr, an error as one line.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | refused or failed; one line on stderr says why and what to do |
| 2 | wrong usage |
| 130 | ended by Ctrl-C; `quarantine run` says where it is, and goes on from there |
| 141 | the reader of a pipe went away, as `head` does; nothing is said |

On a terminal lines are folded at spaces, and what has no room goes below its row. A pipe is given
one record a line, with tabs between columns.

An event's id is shown by its last 8 digits on a terminal, and whole in pipes and `--json`. Commands
take whole ids, or the last 6 digits or more: they are looked up among all events that were ever in
quarantine and the newest 1,000,000. Digits that several events end with are refused. `erase` takes
whole ids only.

The audit names a person at the command line by the login that runs it: `cli:root`.

"""


def write() -> str:
    """The page without its first line."""
    parts = [f"## {name}\n\n```text\n{text}\n```\n" for name, text in commands()]
    return _HEAD + "\n".join(parts)


def commands() -> Iterator[tuple[str, str]]:
    """Every command with its help."""
    return _walk(typer.main.get_command(app), None, "meshline")


def _walk(command: Any, parent: typer.Context | None, name: str) -> Iterator[tuple[str, str]]:
    context = typer.Context(
        command,
        parent=parent,
        info_name=name,
        terminal_width=_WIDTH,
        max_content_width=_WIDTH,
        **command.context_settings,
    )
    below = getattr(command, "commands", None)
    if below is None:
        yield context.command_path, command.get_help(context).strip()
        return
    for one, inner in below.items():
        yield from _walk(inner, context, one)
