"""`meshline dead-letters`: broker messages that no worker could read."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.dead_letter_page import put_letter
from orchestrator.cli.terminal.asking import Yes, ask, asks
from orchestrator.cli.terminal.left_alone import fail_where_left
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, DryRun, Limit, OptionalWhy, Why
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.errors import NotFound
from orchestrator.presenting.dead_letters import told_return
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.operations.quarantine.close_dead_letters import Closed
    from orchestrator.store.database.engine import Store
    from orchestrator.store.quarantine.dead_letters import DeadLetter

app = typer.Typer(
    help="Messages that no worker could read: list, show, requeue, drop.", no_args_is_help=True
)

_LARGEST = 2**63 - 1
_WOULD = {"requeued": "would requeue", "dropped": "would drop"}
_WHY = {"cut": "only its beginning is kept; `meshline dead-letters drop` it"}

Numbers = Annotated[
    list[int] | None,
    typer.Argument(metavar="ID", min=1, max=_LARGEST, help="Their ids in the list."),
]
All = Annotated[bool, typer.Option("--all", help="All that are open.")]


@app.command("list")
def list_(
    closed: Annotated[
        bool, typer.Option("--closed", help="Also those that were requeued or dropped.")
    ] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List dead letters, the newest first."""
    with opened_store() as store:
        from orchestrator.store.quarantine.dead_letters import LetterState
        from orchestrator.store.views.quarantine.dead_letters import list_dead_letters

        state = None if closed else LetterState.STANDING
        sees_all = seen_clients(store) is None  # whose they are nobody knows
        with store.read() as tx:
            rows = list_dead_letters(tx, state=state, limit=limit) if sees_all else []
    if as_json:
        put_json({"dead_letters": rows})
        return
    if not rows:
        put("there are no dead letters" if closed else "there are no open dead letters")
        return
    put_table(
        ("ID", "WHEN", "STATE", "QUEUE", "TASK", "BYTES", "ERROR"),
        [
            (
                row.id,
                moment(row.at),
                row.state,
                row.queue,
                row.task,
                row.bytes,
                "\n".join([row.error, *told_return(row.returned)]),
            )
            for row in rows
        ],
        below=("ERROR",),
    )
    if len(rows) == limit:
        note(f"the newest {limit}; --limit shows more")


@app.command()
def show(
    number: Annotated[
        int, typer.Argument(metavar="ID", min=1, max=_LARGEST, help="Its id in the list.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show one dead letter whole."""
    with opened_store() as store:
        from orchestrator.store.views.quarantine.dead_letters import show_dead_letter
        from orchestrator.store.views.values import now_of

        sees_all = seen_clients(store) is None
        with store.read() as tx:
            now = now_of(tx)
            letter = show_dead_letter(tx, number) if sees_all else None
        letter = shown_here(store, letter)
    if letter is None:
        raise NotFound(f"there is no dead letter {number}", fix="see `meshline dead-letters list`")
    if as_json:
        put_json(letter)
        return
    put_letter(letter, now)


@app.command()
def requeue(
    numbers: Numbers = None,
    every: All = False,
    why: OptionalWhy = None,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put dead letters back on the queue that they came from, exactly as they were.

    What a worker still cannot read comes back under a new id; of what came back before it says so.
    One that was too large to keep whole is left alone.
    """
    with opened_store() as store:
        chosen = _chosen(store, numbers, every)
        from orchestrator.broker import open_broker
        from orchestrator.operations.quarantine.close_dead_letters import requeue_dead_letters

        with open_broker() if not dry_run else nullcontext(_post_nothing) as post:
            done = requeue_dead_letters(
                store, chosen, post, actor=actor(store), why=why, dry_run=dry_run
            )
    if not as_json:
        for number, returned in done.returned.items():
            note(f"{number}: {''.join(told_return(returned))}")
    _put_closed("requeued", done, as_json=as_json)


@app.command()
def drop(
    why: Why = "",
    numbers: Numbers = None,
    every: All = False,
    yes: Yes = False,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Give dead letters up for good; they stay in the store, with the reason.

    A drop cannot be undone. On a terminal it asks first; --yes is for scripts.
    """
    with opened_store() as store:
        chosen = _chosen(store, numbers, every)
        if chosen and not dry_run and asks(yes=yes):
            letters = "1 dead letter" if len(chosen) == 1 else f"{len(chosen)} dead letters"
            ask(f"drop {letters} for good?")
        from orchestrator.operations.quarantine.close_dead_letters import drop_dead_letters

        done = drop_dead_letters(store, chosen, why=why, actor=actor(store), dry_run=dry_run)
    _put_closed("dropped", done, as_json=as_json)


def _post_nothing(letter: DeadLetter) -> None:
    raise AssertionError(f"a preview put a message back on {letter.queue}")


def _chosen(store: Store, numbers: list[int] | None, every: bool) -> list[int]:
    from orchestrator.store.views.quarantine.dead_letters import standing_numbers

    if bool(numbers) == every:
        raise typer.BadParameter("say which dead letters: give their ids, or --all")
    if numbers:
        return list(dict.fromkeys(numbers))
    with store.read() as tx:
        return standing_numbers(tx)


def _put_closed(what: str, done: Closed, *, as_json: bool) -> None:
    if as_json:
        returned = {str(number): one for number, one in done.returned.items()}
        put_json(fields_of(done) | {"returned": returned})
    else:
        put(f"{_WOULD[what] if done.dry_run else what} {len(done.ids)}")
        for one in done.skipped:
            note(f"{one.id} left alone: {_WHY.get(one.state, f'it is {one.state}')}")
    fail_where_left([one for one in done.skipped if one.state != what])
