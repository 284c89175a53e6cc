"""Workflow files against the connectors of this machine: the workflows, or every fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.cli.terminal.screen import note
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.text.visible import visible

if TYPE_CHECKING:
    from orchestrator.domain.workflows.workflow import Workflow


@dataclass(frozen=True, kw_only=True)
class FileFault:
    """A fault and the file it is in."""

    file: str
    fault: Fault

    def __str__(self) -> str:
        place = f"{self.file}:{self.fault.line}" if self.fault.line else self.file
        path = f"{self.fault.path}: " if self.fault.path else ""
        # On one line, whatever an operator's file has for a name.
        return visible(f"{place}: {path}{self.fault.problem}; {self.fault.fix}")

    def as_json(self) -> dict[str, object]:
        """The fault as `--json` shows it."""
        return {"file": self.file, **asdict(self.fault)}


@dataclass(kw_only=True)
class Checked:
    """What a look at some files found."""

    workflows: list[tuple[Path, Workflow]] = field(default_factory=list)
    faults: list[FileFault] = field(default_factory=list)


def check_files(files: Sequence[Path]) -> Checked:
    """Read every file. A connector's definition that is wrong is a fault, too."""
    from connectors.registry import catalog, load_connectors
    from orchestrator.domain.workflows.file import read_workflow
    from orchestrator.settings import settings

    folder = settings().connectors
    checked = Checked()
    try:
        actions = catalog(load_connectors(folder))
    except InvalidFile as error:
        checked.faults += [FileFault(file=error.name, fault=one) for one in error.faults]
        return checked
    for path in files:
        try:
            checked.workflows.append((path, read_workflow(path, actions)))
        except InvalidFile as error:
            checked.faults += [FileFault(file=str(path), fault=one) for one in error.faults]
    return checked


def tell_faults(checked: Checked) -> None:
    """Every fault on a line of its own on stderr, as editors and compilers have it."""
    for one in checked.faults:
        note(str(one))
