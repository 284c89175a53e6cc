"""Giving events up, and taking that back: discard and restore, by ids or by filters."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from orchestrator.cli.jobs import Background, start_job
from orchestrator.cli.quarantine.actions import tell_skipped, tell_some
from orchestrator.cli.terminal.asking import Yes, ask, asks
from orchestrator.cli.terminal.left_alone import fail_where_left
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, DryRun, Why
from orchestrator.cli.terminal.progress import counting
from orchestrator.cli.terminal.screen import note, put, put_json
from orchestrator.cli.terminal.selecting import Filters, selects, selects_discarded
from orchestrator.cli.terminal.who import actor
from orchestrator.domain.documents.fields_of import fields_of

if TYPE_CHECKING:
    from orchestrator.operations.quarantine.discard import Discarded
    from orchestrator.store.database.engine import Store
    from orchestrator.store.views.quarantine.selection import Cause, Selection

_MOST_NAMED = 5  # events whose ids are written into a command


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group."""
    for command in (discard, restore):
        app.command()(command)


@selects
def discard(
    *,
    why: Why = "",
    filters: Filters,
    dry_run: DryRun = False,
    yes: Yes = False,
    background: Background = False,
    as_json: AsJson = False,
) -> None:
    """Give events up: they are never delivered, unless `quarantine restore` takes that back.

    On a terminal it asks first. Where stdin is not a terminal, as in a script, it does not ask.
    """
    with opened_store() as store:
        selection = filters.needed(store)
        seen = None
        if not dry_run and asks(yes=yes):
            seen = _agreed(_discard(store, selection, why, dry_run=True))
        if background and not dry_run:
            from orchestrator.operations.jobs.start_on_events import start_discard_job

            start_job(
                store,
                lambda: start_discard_job(store, selection, actor=actor(store), why=why, seen=seen),
                ids=bool(selection.ids),
                as_json=as_json,
            )
            return
        done = _discard(store, selection, why, dry_run=dry_run, seen=seen)
    take_back = None if dry_run or not done.ids else _take_back(done)
    if as_json:
        put_json(fields_of(done) | {"take_back": take_back})
    else:
        put(f"{'would discard' if dry_run else 'discarded'} {len(done.ids)}")
        _put_causes(done.causes)
        if take_back:
            note(f"take it back with: `{take_back}`")
        tell_skipped(done.skipped)
    fail_where_left([one for one in done.skipped if one.state != "discarded"])


@selects_discarded
def restore(
    *,
    why: Why = "",
    filters: Filters,
    dry_run: DryRun = False,
    background: Background = False,
    as_json: AsJson = False,
) -> None:
    """Take a discard back: the events are in quarantine again, as they were.

    They keep their reason, owner, incident and first deadline. The filters choose among discarded
    events. What retention or an erasure emptied cannot be restored.
    """
    with opened_store() as store:
        from orchestrator.operations.quarantine.restore import restore_events

        selection = filters.needed(store)
        if background and not dry_run:
            from orchestrator.operations.jobs.start_on_events import start_restore_job

            start_job(
                store,
                lambda: start_restore_job(store, selection, actor=actor(store), why=why),
                ids=bool(selection.ids),
                as_json=as_json,
            )
            return
        with counting(store, selection, "restoring", discarded=True, acts=not dry_run) as progress:
            done = restore_events(
                store,
                selection,
                why=why,
                actor=actor(store),
                dry_run=dry_run,
                progress=progress,
            )
    if as_json:
        put_json(done)
    else:
        put(f"{'would restore' if dry_run else 'restored'} {len(done.ids)}")
        _put_causes(done.causes)
        for incident in done.incidents:
            note(f"incident {incident} is open again, with its first deadline")
        tell_some(f"{one.id} not restored: {one.detail}" for one in done.refused)
        tell_skipped(done.skipped)
    fail_where_left(done.refused, [one for one in done.skipped if one.state != "quarantined"])


def _discard(
    store: Store,
    selection: Selection,
    why: str,
    *,
    dry_run: bool,
    seen: Collection[str] | None = None,
) -> Discarded:
    from orchestrator.operations.quarantine.discard import discard_events

    def discard_them(progress: Callable[[int], None]) -> Discarded:
        return discard_events(
            store,
            selection,
            why=why,
            actor=actor(store),
            dry_run=dry_run,
            seen=seen,
            progress=progress,
        )

    if dry_run:
        with counting(store, selection, "looking") as progress:
            return discard_them(progress)
    with (
        _told_how_to_take_back(store, selection) as count,
        counting(store, selection, "discarding", acts=True) as progress,
    ):

        def tell(done: int) -> None:
            count(done)
            progress(done)

        return discard_them(tell)


@contextmanager
def _told_how_to_take_back(store: Store, selection: Selection) -> Iterator[Callable[[int], None]]:
    """Say on Ctrl-C which command restores the chunks that were done: it may be why it was pressed.

    The block tells what it is given how many are done, after each chunk. Raises KeyboardInterrupt.
    """
    from orchestrator.store.views.values import iso, now_of

    with store.read() as tx:
        began = iso(now_of(tx))
    done = 0

    def tell(count: int) -> None:
        nonlocal done
        done = count

    try:
        yield tell
    except KeyboardInterrupt:
        if done:
            words = shlex.join(["--since", str(began), *_options(selection)])
            note(f"take it back with: `meshline quarantine restore {words} --why 'the reason'`")
        raise


def _options(selection: Selection) -> list[str]:
    """The options that choose the same events among discarded ones, except their times."""
    words = list(selection.ids)
    for option, value in (
        ("client", selection.client),
        ("workflow", selection.workflow),
        ("reason", selection.reason),
        ("incident", selection.incident),
        ("owner", selection.owner),
        ("text", " ".join(selection.words) or None),
    ):
        if value is not None:
            words += [f"--{option}", str(value)]
    return words


def _agreed(preview: Discarded) -> Collection[str]:
    """The events that a person agrees to give up. Raises Exit where they do not."""
    if preview.ids:
        events = "1 event" if len(preview.ids) == 1 else f"{len(preview.ids)} events"
        if len(preview.causes) == 1:
            (one,) = preview.causes
            ask(f"discard {events} of {_whose(one)}?")
        else:
            for one in preview.causes:
                note(f"  {one.events} of {_whose(one)}")
            ask(f"discard these {events}?")
    return frozenset(preview.ids)


def _take_back(done: Discarded) -> str:
    """The command that restores what was discarded just now."""
    if len(done.ids) <= _MOST_NAMED:
        return f"meshline quarantine restore {' '.join(done.ids)} --why 'the reason'"
    words = [f"--since {done.at}"]
    for option, named in (
        ("client", {one.client for one in done.causes}),
        ("workflow", {one.workflow for one in done.causes}),
        ("reason", {one.reason for one in done.causes}),
    ):
        if len(named) == 1:
            words.append(f"--{option} {shlex.quote(named.pop())}")
    return f"meshline quarantine restore {' '.join(words)} --why 'the reason'"


def _put_causes(causes: Sequence[Cause]) -> None:
    for one in causes:
        put(f"  {one.events} of {_whose(one)}")


def _whose(one: Cause) -> str:
    return f"{one.client}/{one.workflow} ({one.reason})"
