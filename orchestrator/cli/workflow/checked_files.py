"""What a command says of files that it checks: those that are right, and every fault."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from orchestrator.cli.terminal.screen import note, put, put_json
from orchestrator.cli.workflow.file_faults import FileFault
from orchestrator.domain.errors import InvalidFile


@dataclass(frozen=True, kw_only=True)
class RightFile:
    """A file without a fault."""

    says: str  # in the line for people
    document: Mapping[str, str]  # in `--json`, beside the file and its notes
    notes: Sequence[str]


def check_files(
    files: Sequence[Path], check: Callable[[Path], RightFile], *, listing: str, as_json: bool
) -> None:
    """Check each file and say what came of it; `listing` names the right ones in `--json`.

    `check` raises InvalidFile. Raises Exit with 1 where there is a fault.
    """
    faults: list[FileFault] = []
    right: list[tuple[Path, RightFile]] = []
    for path in files:
        try:
            right.append((path, check(path)))
        except InvalidFile as error:
            faults += [FileFault(file=str(path), fault=one) for one in error.faults]
    if as_json:
        _put_document(right, faults, listing)
    else:
        _put_lines(right, faults)
    if faults:
        raise typer.Exit(1)


def _put_document(
    right: Sequence[tuple[Path, RightFile]], faults: Sequence[FileFault], listing: str
) -> None:
    found = [{"file": str(path), **one.document, "notes": [*one.notes]} for path, one in right]
    told = [one.as_json() for one in faults]
    put_json({"ok": not faults, "faults": told, listing: found})


def _put_lines(right: Sequence[tuple[Path, RightFile]], faults: Sequence[FileFault]) -> None:
    for path, one in right:
        put(f"{path}: ok: {one.says}")
        for said in one.notes:
            put(f"  note: {said}")
    for fault in faults:
        note(str(fault))
