"""Asking a person before what cannot be undone, or is easily done to too many."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from orchestrator.cli.terminal.screen import note
from orchestrator.domain.text.visible import visible

Yes = Annotated[
    bool,
    typer.Option("--yes", help="Do not ask. Nobody is asked where stdin is not a terminal."),
]


def asks(*, yes: bool) -> bool:
    """Whether there is somebody to ask: stdin is a terminal, and nobody said --yes."""
    return not yes and sys.stdin.isatty()


def ask(question: str) -> None:
    """Ask the person at the terminal. Raises Exit where the answer is not yes."""
    sys.stderr.write(f"{visible(question)} [y/N] ")  # stdout may be a program's
    sys.stderr.flush()
    if sys.stdin.readline().strip().casefold() not in ("y", "yes"):
        note("nothing was changed")
        raise typer.Exit(1)
