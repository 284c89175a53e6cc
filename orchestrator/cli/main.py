"""The `meshline` command: what there is, in the order in which people meet it."""

from __future__ import annotations

import gc
import os
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from orchestrator import __version__
from orchestrator.cli.terminal.coercing import coerce_without_pydantic
from orchestrator.cli.terminal.failures import run
from orchestrator.cli.terminal.screen import put
from orchestrator.cli.terminal.who import in_front, say_who

_PARTS = {
    **dict.fromkeys(("up", "demo", "api", "worker", "relay", "keeper", "flower"), "processes"),
    "workflow": "workflow.commands",
    "change": "change.commands",
    "approvals": "approvals.commands",
    "emit": "emit.command",
    "events": "events.commands",
    "incidents": "incidents.commands",
    "quarantine": "quarantine.commands",
    "jobs": "jobs",
    "dead-letters": "dead_letters",
    "destinations": "destinations",
    "connectors": "connectors.commands",
    "sources": "sources.commands",
    "sla": "sla",
    "alerts": "alerts",
    "retention": "retention",
    "erase": "erase",
    "audit": "events.audit",
    "people": "people.commands",
    "login": "people.login",
    "logout": "people.logout",
    "keys": "keys",
    "doctor": "doctor.command",
}
"""The first word of each command, and the module that has it."""


@cache
def command_line(word: str | None = None) -> typer.Typer:
    """The commands; with the first word of one, only what begins with it.

    To load the modules of all commands takes longer than a listing does.
    """
    coerce_without_pydantic()
    app = typer.Typer(
        name="meshline",
        rich_markup_mode=None,
        help="Holds the rules of your automations, proves each handoff, and keeps the record.",
        epilog="Exit codes: 0 done, also an empty listing; 1 refused or failed, all of it or a"
        " part; 2 wrong usage; 130 Ctrl-C; 141 the reader left. Errors are one line on stderr."
        " --why is needed for what goes against the normal course, and is never blank.",
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(meshline)
    wanted = {word: _PARTS[word]} if word in _PARTS else _PARTS
    for part, name in {part: name for name, part in wanted.items()}.items():
        _add(app, name, part)
    return app


def first_word(words: list[str]) -> str | None:
    """The word that says which command it is: the first one behind `--as MAIL`."""
    plain = words[2:] if words[:1] == ["--as"] else words
    return plain[0] if plain else None


def _add(app: typer.Typer, name: str, part: str) -> None:
    module = import_module(f"orchestrator.cli.{part}")
    if part == "processes":
        module.add_to(app)
    elif hasattr(module, "app"):
        app.add_typer(module.app, name=name)
    else:
        app.command(name)(getattr(module, name))


def __getattr__(name: str) -> typer.Typer:
    if name == "app":  # all commands, for those who want to see them
        return command_line()
    raise AttributeError(name)


def _version(asked: bool) -> None:
    if asked:
        put(f"meshline {__version__}")
        raise typer.Exit


def meshline(
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say the version.")
    ] = False,
    who: Annotated[
        str | None,
        typer.Option(
            "--as",
            metavar="MAIL",
            help="Who acts, where people exist; anywhere in a command. Also"
            " MESHLINE_ACTOR, or `meshline login`.",
        ),
    ] = None,
) -> None:
    """Holds the rules of your automations, proves each handoff, and keeps the record."""
    say_who(who)


def main() -> None:
    """The console script."""
    # What a command imports and builds stays to its end: looking through it for garbage every few
    # hundred objects takes a tenth of its time.
    gc.set_threshold(50_000, 20, 20)
    for name in ("stdout", "stderr"):  # a shell can close both, with `>&-`
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
    words = in_front(sys.argv[1:])
    word = first_word(words)
    if word in _PARTS and _PARTS[word] != "processes":
        # Else pydantic looks through every package that is installed for plugins of its own.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code = run(command_line(word), words)
    # Python's last look for garbage would go through all of it, which takes a quarter of a listing.
    gc.freeze()
    sys.exit(code)


if __name__ == "__main__":
    main()
