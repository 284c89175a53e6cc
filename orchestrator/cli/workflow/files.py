"""Workflow files against the connectors of this machine: the workflows, or every fault."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from orchestrator.cli.terminal.screen import note
from orchestrator.cli.workflow.file_faults import FileFault
from orchestrator.cli.workflow.file_tests import run_file
from orchestrator.domain.errors import InvalidFile

if TYPE_CHECKING:
    from orchestrator.domain.workflows.file import WorkflowFile
    from orchestrator.domain.workflows.workflow import Workflow


@dataclass(kw_only=True)
class Checked:
    """What a look at some files found."""

    files: list[WorkflowFile] = field(default_factory=list)  # those without a fault
    faults: list[FileFault] = field(default_factory=list)
    notes: list[FileFault] = field(default_factory=list)  # they refuse nothing

    @property
    def workflows(self) -> list[tuple[Path, Workflow]]:
        """The workflows of these files."""
        return [(Path(one.name), one.workflow) for one in self.files]


def check_files(paths: Sequence[Path]) -> Checked:
    """Read every file and run its tests; a test that fails is a fault."""
    read = read_files(paths)
    checked = Checked(faults=read.faults, notes=read.notes)
    for file in read.files:
        faults = [fault for run in run_file(file) for fault in run.faults()]
        checked.faults += faults
        if not faults:
            checked.files.append(file)
    return checked


def read_files(paths: Sequence[Path]) -> Checked:
    """Read every file. A connector's definition that is wrong is a fault, too."""
    from connectors.registry import catalog, load_connectors
    from orchestrator.domain.workflows.file import read_workflow_file
    from orchestrator.settings import settings

    folder = settings().connectors
    checked = Checked()
    try:
        actions = catalog(load_connectors(folder))
    except InvalidFile as error:
        checked.faults += [FileFault(file=error.name, fault=one) for one in error.faults]
        return checked
    for path in paths:
        try:
            file = read_workflow_file(path, actions)
        except InvalidFile as error:
            checked.faults += [FileFault(file=str(path), fault=one) for one in error.faults]
            notes = error.notes
        else:
            checked.files.append(file)
            notes = file.notes
        checked.notes += [FileFault(file=str(path), fault=one) for one in notes]
    return checked


def tell_faults(checked: Checked) -> None:
    """Every fault and note on a line of its own on stderr, as editors and compilers have it."""
    for one in (*checked.faults, *checked.notes):
        note(str(one))


def one_workflow(path: Path) -> Workflow:
    """The workflow of a file without a fault; with one, the command ends."""
    checked = check_files([path])
    tell_faults(checked)
    if checked.faults:
        raise typer.Exit(1)
    return checked.workflows[0][1]
