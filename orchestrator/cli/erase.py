"""`meshline erase`: empty what events carried, for the person whom it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.terminal.asking import ask, asks
from orchestrator.cli.terminal.left_alone import fail_where_left
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Why
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.stopping import looking, resuming
from orchestrator.cli.terminal.who import actor
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.errors import Refused

if TYPE_CHECKING:
    from orchestrator.operations.erase_events import Erased, Wanted
    from orchestrator.store.database.engine import Store

_MOST_SHOWN = 20  # ids on the screen; --json has them all


def erase(
    events: Annotated[
        list[str] | None, typer.Argument(metavar="[EVENT]...", help="Ids of events.")
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            metavar="FIELD=VALUE",
            help="Events whose payload has this value there, as it came or amended; `*` in the"
            " path is any entry.",
        ),
    ] = None,
    client: Annotated[
        str | None, typer.Option("--client", metavar="NAME", help="With --match: whose events.")
    ] = None,
    why: Why = "",
    discard: Annotated[
        bool,
        typer.Option("--discard", help="Give up events that are not at their end, and erase them."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which events would be erased.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Erase payloads, sent values, errors, violations and audit values of events, for good.

    The events' rows stay, and a key that comes again is still a duplicate. What cannot be reached
    from here is listed at the end.
    """
    from orchestrator.operations.erase_events import BEYOND

    wanted = _wanted(events or [], match, client)
    with opened_store() as store:
        _check_whole(store, wanted.ids)
        if not (dry_run or yes):
            _ask(store, wanted, discard=discard)
        done = _erase(store, wanted, why, discard=discard, dry_run=dry_run)
    if as_json:
        put_json(fields_of(done) | {"beyond": BEYOND})
    else:
        _put(done, BEYOND)
    fail_where_left(done.refused)


def _wanted(ids: list[str], match: str | None, client: str | None) -> Wanted:
    from orchestrator.operations.erase_events import Wanted

    if bool(ids) == bool(match):
        raise typer.BadParameter("name events, or give --match FIELD=VALUE and --client NAME")
    if not match:
        if client:
            raise typer.BadParameter("--client goes with --match; ids name their events alone")
        return Wanted(ids=tuple(ids))
    path, equals, value = match.partition("=")
    if not (path and equals and value.strip()):
        raise typer.BadParameter("write --match FIELD=VALUE, such as --match email=ada@example.com")
    if not client:
        raise typer.BadParameter("--match needs --client NAME")
    return Wanted(client=client, path=path, value=value)


def _check_whole(store: Store, ids: Sequence[str]) -> None:
    """Raise Refused for a short id: what cannot be undone is not made of a few digits."""
    from orchestrator.store.views.events.short_ids import whole_ids

    with store.read() as tx:
        known = whole_ids(tx, ids)
    short = [one for one in known if one not in ids]
    if short:
        raise Refused(
            "an erasure needs whole ids: it cannot be undone",
            field="id",
            fix=f"if this is the event, write {short[0]}",
        )


def _erase(store: Store, wanted: Wanted, why: str, *, discard: bool, dry_run: bool) -> Erased:
    from orchestrator.cli.terminal.progress import Progress
    from orchestrator.operations.erase_events import erase_events

    with looking() if dry_run else resuming():
        return erase_events(
            store,
            wanted,
            why=why,
            actor=actor(store),
            discard=discard,
            dry_run=dry_run,
            tell=Progress().tell,
        )


def _ask(store: Store, wanted: Wanted, *, discard: bool) -> None:
    """Ask a person who sits there; a script says --yes. Raises Exit."""
    if not asks(yes=False):
        raise typer.BadParameter("nobody is here to ask: give --yes, or look with --dry-run")
    found = _erase(store, wanted, "", discard=discard, dry_run=True)
    if found.ids:
        ask(f"erase {len(found.ids)} events for good?")


def _put(done: Erased, beyond: tuple[str, ...]) -> None:
    put(f"{'would be erased' if done.dry_run else 'erased'}: {len(done.ids)} events")
    for event_id in done.ids[:_MOST_SHOWN]:
        put(f"  {event_id}")
    if len(done.ids) > _MOST_SHOWN:
        put(f"  and {len(done.ids) - _MOST_SHOWN} more; --json has them all")
    for before in done.already[:_MOST_SHOWN]:
        put(f"already erased: {before.id}, at {before.erased_at}")
    if done.refused:
        rows = [(left.id, left.state, left.detail) for left in done.refused]
        put_table(("NOT ERASED", "STATE", "WHY"), rows, below=("WHY",))
    if done.dry_run:
        return
    if done.elsewhere:
        put(f"texts that belong to no event, from which values were struck: {done.elsewhere}")
    if not done.scrubbed:
        note("other processes read SQLite's log on: run this again to empty the file of it")
    put("not reached from here:")
    versions = [f"{one}, whose definition names a value" for one in done.versions]
    for one in (*beyond, *versions):
        put(f"  {one}")
