"""`meshline workflow try`: what a workflow would do with payloads, and why; nothing is stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, OnlyClient
from orchestrator.cli.terminal.screen import note, put_json, put_line
from orchestrator.cli.workflow.files import read_files, tell_faults
from orchestrator.cli.workflow.payloads import Given, given_payloads, is_inline
from orchestrator.cli.workflow.trial_page import put_trial
from orchestrator.cli.workflow.versions import find_version
from orchestrator.domain.errors import Refused

if TYPE_CHECKING:
    from orchestrator.domain.workflows.compiled import CompiledWorkflow
    from orchestrator.domain.workflows.workflow import Workflow
    from orchestrator.presenting.trials import Lines, ShownTrial


ROUTED, QUARANTINED, REFUSED = "routed", "quarantined", "refused"
_WORDS = {
    ROUTED: "would be routed",
    QUARANTINED: "would be quarantined",
    REFUSED: "would be refused by the door",
}


@dataclass(frozen=True, kw_only=True)
class _Tried:
    """One payload, and what came of it."""

    number: int  # from 1
    line: int  # where it begins in what was given
    refused: str | None  # why the door would not take it
    trial: ShownTrial | None

    @property
    def outcome(self) -> str:
        """routed, quarantined or refused."""
        return self.trial.outcome if self.trial else REFUSED

    def as_json(self) -> dict[str, object]:
        """The payload as `--json` has it."""
        from orchestrator.domain.documents.fields_of import fields_of

        known = {"number": self.number, "line": self.line, "outcome": self.outcome}
        if self.trial is None:
            return known | {"refused": self.refused}
        return known | fields_of(self.trial)


def try_(
    source: Annotated[
        str, typer.Argument(metavar="FILE-OR-NAME", help="A workflow file, or a published name.")
    ],
    data: Annotated[
        str,
        typer.Option(
            "--data",
            metavar="FILE",
            help="The payload: a JSON file, - for stdin, or JSON itself. A list holds a payload in"
            " each entry, a file of JSON lines one in each line.",
        ),
    ],
    client: OnlyClient = None,
    version: Annotated[
        int | None,
        typer.Option("--version", metavar="N", min=1, help="Not the live one but this."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a workflow would do with payloads, and from which line of its file that comes.

    Contract, facts, route, what each destination would be sent; or why it would be quarantined,
    which makes the exit code 1. Nothing is stored, and nothing is called.

    Example: meshline workflow try leads.yaml --data '{"email": "ada@example.com"}'
    """
    tried = _Tally()
    workflow, line, told = _workflow(source, client, version)
    payloads = given_payloads(data)
    if not as_json:
        put_line(told)
    for one in _tries(workflow, line, payloads):
        tried.count[one.outcome] += 1
        if as_json:
            tried.kept.append(one)
        else:
            _put(one, data)
    if not tried.count:
        raise Refused("it holds no payload", field="--data", fix="give a JSON document")
    if as_json:
        put_json(_document(source, workflow.workflow, tried))
    elif tried.count.total() > 1:
        note(", ".join(f"{count} {_WORDS[name]}" for name, count in tried.count.items()))
    if set(tried.count) != {ROUTED}:
        raise typer.Exit(1)


@dataclass(kw_only=True)
class _Tally:
    count: Counter[str] = field(default_factory=Counter)  # payloads by outcome
    kept: list[_Tried] = field(default_factory=list)  # for a document, which has them all


def _tries(workflow: CompiledWorkflow, line: Lines, given: Iterator[Given]) -> Iterator[_Tried]:
    from orchestrator.pipeline.trial import try_payload
    from orchestrator.presenting.trials import shown_trial

    for number, one in enumerate(given, start=1):
        if one.refused is not None:
            yield _Tried(number=number, line=one.line, refused=str(one.refused), trial=None)
            continue
        trial = shown_trial(try_payload(one.payload, workflow), workflow, line)
        yield _Tried(number=number, line=one.line, refused=None, trial=trial)


def _put(one: _Tried, data: str) -> None:
    title = f"payload {one.number}{_origin(one.line, data)}"
    if one.trial is None:
        put_line(f"{title}: would be refused: {one.refused}")
    else:
        put_trial(title, one.trial)


def _origin(line: int, data: str) -> str:
    if is_inline(data):
        return ""
    return f", line {line} of {'stdin' if data == '-' else data}"


def _document(source: str, workflow: Workflow, tried: _Tally) -> dict[str, object]:
    return {
        "source": source,
        "client": workflow.client,
        "workflow": workflow.name,
        ROUTED: tried.count[ROUTED],
        QUARANTINED: tried.count[QUARANTINED],
        REFUSED: tried.count[REFUSED],
        "payloads": tried.kept,
    }


def _workflow(
    source: str, client: str | None, version: int | None
) -> tuple[CompiledWorkflow, Lines, str]:
    """The workflow, the lines of its file, and what to call it."""
    from orchestrator.domain.workflows.compiled import compile_workflow
    from orchestrator.domain.workflows.workflow import Workflow

    path = Path(source)
    if path.suffix in {".yaml", ".yml"} or path.is_file():
        checked = read_files([path])
        if checked.faults:
            tell_faults(checked)
            raise typer.Exit(1)
        (file,) = checked.files
        workflow = file.workflow
        told = f"{path}: {workflow.name} of client {workflow.client}; the lines are this file's"
        return compile_workflow(workflow), file.line, told
    with opened_store() as store:
        found = find_version(store, source, client=client, version=version)
    workflow = Workflow.from_published(found.definition)
    told = f"{found.workflow} of client {found.client}, version {found.version}"
    return compile_workflow(workflow), lambda _path: None, told
