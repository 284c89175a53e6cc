"""`meshline connectors`: what there is, whether a definition is right, and one real call."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from orchestrator.cli.connectors.calls import chosen, run_call, tell_call
from orchestrator.cli.terminal.open_store import connectors_folder
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import put, put_json, put_table
from orchestrator.cli.terminal.usage import as_usage
from orchestrator.cli.workflow.checked_files import RightFile, check_files
from orchestrator.domain.errors import NotFound

app = typer.Typer(
    help="Connectors to other systems: list, show, check, try, schema.", no_args_is_help=True
)

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Connector definitions.")]


@app.command("list")
def list_(as_json: AsJson = False) -> None:
    """List every connector that this machine knows, and where it comes from."""
    found = _described()
    if as_json:
        put_json({"connectors": found})
        return
    put_table(
        ("NAME", "KIND", "FROM", "SET UP", "TITLE", "ACTIONS"),
        [
            (
                one["name"],
                one["kind"],
                one["from"],
                "yes" if all(ref["set"] for ref in one["references"]) else "no",
                one["title"],
                ", ".join(one["actions"]),
            )
            for one in found
        ],
        below=("ACTIONS",),
    )


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The connector's name.")],
    as_json: AsJson = False,
) -> None:
    """Show what one connector promises, and what it needs on this machine."""
    found = next((one for one in _described() if one["name"] == name), None)
    if found is None:
        raise NotFound(f"there is no connector {name}", fix="see `meshline connectors list`")
    if as_json:
        put_json(found)
        return
    put(f"{found['name']}: {found['title'] or found['kind']}, {found['from']}")
    for one in found["references"]:
        put(f"  {one['reference']}: {'set' if one['set'] else 'not set'} here")
    if found["proxy"]:
        put(f"  calls go out by the proxy {found['proxy']}")
    put_table(
        ("ACTION", "IDEMPOTENCY", "PROOF", "REQUIRED", "OPTIONAL", "UNDO", "URL"),
        [
            (
                action,
                said["idempotency"],
                said["proof"],
                ", ".join(said["required"]),
                ", ".join([*said["optional"], *(["any other"] if said["open_fields"] else [])]),
                "yes" if said["can_undo"] else "no",
                "yes" if said["gives_url"] else "no",
            )
            for action, said in found["actions"].items()
        ],
        below=("REQUIRED", "OPTIONAL"),
    )


@app.command()
def check(files: Files, as_json: AsJson = False) -> None:
    """Say every fault of definitions: where it is, what is wrong, and what to write instead."""
    from connectors.definition_file import read_definition
    from connectors.kinds import KINDS

    def right(path: Path) -> RightFile:
        found = read_definition(path)
        return RightFile(
            says=f"{found.connector}, of kind {found.kind}",
            document={"connector": found.connector, "kind": found.kind},
            notes=KINDS[found.kind].notes(found),
        )

    check_files(files, right, listing="connectors", as_json=as_json)


@app.command("try")
def try_(
    connector: Annotated[
        str, typer.Argument(metavar="FILE-OR-NAME", help="A definition, or a connector's name.")
    ],
    action: Annotated[str, typer.Option("--action", metavar="NAME", help="Which action.")],
    operation: Annotated[
        str,
        typer.Option(
            "--operation", metavar="WORD", help="handoff, or only write, lookup, read or undo."
        ),
    ] = "handoff",
    field: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="NAME=TEXT", help="A field to send; may be repeated."),
    ] = None,
    fields: Annotated[
        str | None, typer.Option("--fields", metavar="JSON", help="All fields, as one object.")
    ] = None,
    key: Annotated[
        str | None, typer.Option("--key", metavar="TEXT", help="The key; else a new one.")
    ] = None,
    record: Annotated[
        str | None, typer.Option("--record", metavar="ID", help="The record to read or undo.")
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Really write; else a write is shown and not sent.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make one real call and show what went over the line, secrets masked.

    Without --yes nothing is changed: look-ups and reads go out, a write is shown and not sent.
    """
    with as_usage():
        asked = chosen(connector, action, operation, field, fields, key=key, record=record)
    done = run_call(asked, dry_run=not yes)
    if as_json:
        put_json(done)
    else:
        tell_call(done)
    if not (done["result"]["ok"] or done["dry_run"]):
        raise typer.Exit(1)


@app.command()
def schema() -> None:
    """Print the JSON Schema of definitions, which editors complete and check by."""
    from connectors.describing import schema as definitions

    put_json(definitions())


def _described() -> list[dict[str, Any]]:
    from connectors.describing import described
    from connectors.registry import known_connectors

    return [described(one) for one in known_connectors(connectors_folder()).values()]
