"""`meshline change diff`: how a workflow's file differs from what is live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.change.differences import put_places, put_trial, put_words
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import put, put_json
from orchestrator.cli.terminal.who import seen_clients

if TYPE_CHECKING:
    from orchestrator.operations.changes.compare_file import FileDifference


def diff(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A workflow file.")],
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 where they differ, as `git diff` does.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show how a workflow file differs from the live version. Nothing is proposed.

    A file with a fault makes the exit code 1.
    """
    from orchestrator.cli.workflow.files import one_workflow

    workflow = one_workflow(file)
    with opened_store() as store:
        from orchestrator.operations.changes.compare_file import compare_with_live

        clients = seen_clients(store)
        with store.read() as tx:
            found = compare_with_live(tx, workflow, clients)
    if as_json:
        put_json(found)
    else:
        _put(found)
    if exit_code and not found.same:
        raise typer.Exit(1)


def _put(found: FileDifference) -> None:
    live = "no version" if found.live_version is None else f"version {found.live_version}"
    name = f"{found.workflow} of client {found.client}"
    if found.same:
        put(f"{name}: {live} is live and says the same")
        return
    put(f"{name}: {live} is live, and the file differs")
    put_words(found.words)
    put_trial(found.contract)
    if found.live_version is not None:
        put_places(found.differences)
