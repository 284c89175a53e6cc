"""docs/reference/cli.md: the help of every command, as it answers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import typer

from orchestrator.cli.main import app

_WIDTH = 100

_HEAD = """\
# The command line

`meshline` is in `.venv/bin` after any `make` target. Every listing takes `--json`: one JSON
document on stdout and nothing else. Notes and errors go to stderr, an error as one line.

| exit code | meaning |
|---|---|
| 0 | done: what was asked is so, also where it was so before |
| 1 | refused or failed, all of it or a part; stderr says why and what to do |
| 2 | wrong usage: the words are wrong by themselves, whatever the store holds; one line |
| 130 | ended by Ctrl-C; what works in chunks says how far it came, and which command goes on |
| 141 | the reader of a pipe went away, as `head` does; nothing is said |

- **A part is refused**: the rest is done, each refusal has a line, the exit code is 1. Left alone
  counts as refused: what somebody else amended, what a replay leaves out. A `--dry-run`, a
  `--preview` and a `--plan` answer with the code that the act would.
- **Nothing is there**: an empty listing is 0, and so is an act whose filters find nothing. An id or
  a name that does not exist is 1.
- **A `no`** to a question is 1: nothing was changed.
- **The data of a trigger** is judged as the HTTP door judges it: what is wrong with it is 1.
- **`doctor`** and the `check` commands answer 1 where they find something broken.
- **`workflow try`** answers 1 where a payload would be quarantined or refused, and
  `workflow test` where a test fails.

`--why` is needed for what goes against the normal course: `destinations pause` and `resume`,
`quarantine discard` and `restore`, `incidents resolve` and `note`, `dead-letters drop`,
`change request-changes` and `reject`, `workflow retire`, `erase`. A `--dry-run`
needs none. `incidents ack` and `assign`, `dead-letters requeue` and `quarantine recipe` explain
themselves: there it may be given, and a recipe with `--set` needs it, as it makes a value up. A
blank one is wrong usage. The audit keeps it.

On a terminal lines are folded at spaces, and what has no room goes below its row. A pipe is given
one record a line, with tabs between columns.

An event's id is shown by its last 8 digits on a terminal, and whole in pipes and `--json`. Commands
take whole ids, or the last 6 digits or more: they are looked up among all events that were ever in
quarantine and the newest 1,000,000. Digits that several events end with are refused. `erase` takes
whole ids only.

Until there is a person, a command needs no actor: the audit names the login that runs it,
`cli:root`. From the first person on, a command needs one: the person that `--as MAIL` names,
anywhere in the command, or `MESHLINE_ACTOR`; else that of the session (`meshline login`). A name
proves nothing: `erase`, `keys` and `people` need a session, or a key of that person in
`MESHLINE_ACTOR`. Events and incidents of clients for which a person has no role do not exist for
that person. The audit has the person and the way: `person:ada@acme.example/cli:root` was named by
that login, `person:ada@acme.example/cli` was logged in, `…/page` came from Flower, `…/key:ID` had
a key.

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
