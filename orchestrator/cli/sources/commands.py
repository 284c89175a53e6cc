"""`meshline sources`: what there is, whether a file is right, and what a saved request becomes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from orchestrator.cli.sources.trying import chosen_source, tell_request, try_request
from orchestrator.cli.terminal.open_store import sources_folder
from orchestrator.cli.terminal.options import AsJson
from orchestrator.cli.terminal.screen import put_json, put_table
from orchestrator.cli.workflow.checked_files import RightFile, check_files
from orchestrator.domain.errors import Refused
from orchestrator.domain.text.given_times import EXAMPLES, given_time

if TYPE_CHECKING:
    from orchestrator.domain.sources.source import Source

app = typer.Typer(help="Sources of webhooks and forms: list, check, try.", no_args_is_help=True)

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Sources.")]


@app.command("list")
def list_(
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Those that a file can extend, in place of yours.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the sources of this machine, their addresses, and whether they are open."""
    found = _shipped() if shipped else _own()
    if as_json:
        put_json({"sources": found})
        return
    if shipped:
        put_table(("EXTENDS", "TITLE"), [(one["name"], one["title"]) for one in found])
        return
    put_table(
        ("NAME", "CLIENT", "OPEN", "ADDRESS", "TITLE"),
        [
            (
                one["name"],
                one["client"],
                "yes" if one["open"] else "no",
                one["path"],
                one["title"],
            )
            for one in found
        ],
    )


@app.command()
def check(files: Files, as_json: AsJson = False) -> None:
    """Say every fault of sources: where it is, what is wrong, and what to write instead."""
    from connectors.sources.file import read_source
    from connectors.sources.registry import secrets_of

    def right(path: Path) -> RightFile:
        source = read_source(path)
        notes = secrets_of(source).missing
        return RightFile(says=source.name, document={"source": source.name}, notes=notes)

    check_files(files, right, listing="sources", as_json=as_json)


@app.command("try")
def try_(
    source: Annotated[
        str, typer.Argument(metavar="FILE-OR-NAME", help="A source's file, or its name.")
    ],
    request: Annotated[
        Path,
        typer.Option(
            "--request", metavar="FILE", help="A saved request: its line, headers and body."
        ),
    ],
    at: Annotated[
        str | None,
        typer.Option(
            "--at", metavar="TIME", help="When it came, for its time has to be fresh; else now."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what the door would make of a saved request; nothing is stored.

    Whether it is verified, its type and key, and what the workflow would do with it.
    """
    from orchestrator.cli.sources.saved_request import read_request

    chosen = chosen_source(source)
    saved = read_request(request, public_url=chosen.public_url)
    tried = try_request(chosen, saved, now=_moment(at))
    if as_json:
        put_json(tried)
    else:
        tell_request(tried)
    if tried.refused is not None:
        raise typer.Exit(1)


def _moment(at: str | None) -> float | None:
    if at is None:
        return None
    found = given_time(at, int(time.time() * 1000))
    if found is None:
        raise Refused(f"{at!r} is not a time", field="--at", fix=f"write {EXAMPLES}")
    return found / 1000


def _shipped() -> list[dict[str, Any]]:
    from connectors.sources.file import shipped_sources

    return [
        {"name": name, "title": said.get("title", "")} for name, said in shipped_sources().items()
    ]


def _own() -> list[dict[str, Any]]:
    from connectors.sources.registry import load_sources, secrets_of

    found = []
    for name, one in load_sources(sources_folder()).items():
        secrets = secrets_of(one)
        found.append(
            {
                "name": name,
                "title": one.title,
                "client": one.client,
                "open": not secrets.closed,
                "path": _path(one),
                "owner": one.owners.owner,
                "recovery_lead": one.owners.recovery_lead,
                "missing": list(secrets.missing),
                "file": one.file,
            }
        )
    return found


def _path(source: Source) -> str:
    """The address at the door; the key of a form is for everybody, and part of it."""
    path = f"/v1/hooks/{source.name}"
    return path if source.rules.form is None else f"{path}/{source.secrets[0]}"
