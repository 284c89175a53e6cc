"""`meshline quarantine`: the quarantined events, why, whose they are, and what mends them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.events.page import put_event
from orchestrator.cli.events.read import read_event
from orchestrator.cli.quarantine import actions as quarantine_actions
from orchestrator.cli.quarantine import discards as quarantine_discards
from orchestrator.cli.quarantine import plans as quarantine_plans
from orchestrator.cli.quarantine import recipes as quarantine_recipes
from orchestrator.cli.quarantine.diagnose import diagnose
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AsJson, Limit
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.screen import note, on_terminal, put, put_json, put_table
from orchestrator.cli.terminal.selecting import Filters, narrows
from orchestrator.cli.terminal.short_ids import shown_ids
from orchestrator.domain.delivery.blockers import told_held
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.presenting.dead_letters import told_return
from orchestrator.presenting.lines import told_followers
from orchestrator.presenting.moments import age, left

if TYPE_CHECKING:
    from orchestrator.domain.delivery.blockers import HeldEvents
    from orchestrator.store.views.quarantine.list import QuarantineCount, QuarantinedEvent
    from orchestrator.store.views.quarantine.messages import QuarantinedMessage

app = typer.Typer(
    help="The quarantine: list, show, diagnose, recipe, fix, replay, plan, run, discard, restore.",
    no_args_is_help=True,
)


@app.command("list")
@narrows
def list_(
    *,
    filters: Filters,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List the quarantined events, oldest first, with reason, owner and clock.

    Broker messages that no worker could read are among it, as poison_message; they are mended with
    `meshline dead-letters`. Held events are not in quarantine: the list ends with how many there
    are of the client and the workflow, and by what they are held.
    """
    with opened_store() as store:
        from orchestrator.store.views.events.held_deliveries import held_beside
        from orchestrator.store.views.quarantine.list import count_reasons, list_quarantine
        from orchestrator.store.views.quarantine.messages import count_poison, list_poison
        from orchestrator.store.views.values import now_of

        selection = filters.selection(store)
        with store.read() as tx:
            now = now_of(tx)
            summary = count_reasons(tx, selection) + count_poison(tx, selection)
            rows: list[QuarantinedEvent | QuarantinedMessage] = [
                *list_quarantine(tx, selection, limit=limit),
                *list_poison(tx, selection, limit=limit),
            ]
            held = held_beside(tx, selection)
        rows = shown_here(store, rows)
    rows = sorted(rows, key=lambda one: one.since)[:limit]
    total = sum(one.events for one in summary)
    if as_json:
        put_json({"total": total, "summary": summary, "events": rows, "held": held})
        return
    if not rows:
        put("no events are in quarantine")
    else:
        if on_terminal():  # a pipe is given records of one kind
            _put_summary(summary, now)
            put()
        _put_rows(rows, now)
    if total > len(rows):
        note(f"{len(rows)} of {total}; --limit shows more, and filters narrow it")
    if held.events:
        _note_held(held, filters, now)


@app.command()
def show(
    event_id: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    as_json: AsJson = False,
) -> None:
    """Show one event in quarantine: every violation, the payload as it came and as amended."""
    event, now = read_event(event_id, payload=True)
    if event is None:
        where = "`meshline quarantine list`"
        if event_id.isdigit():  # as a dead letter's id is
            where += f", or `meshline dead-letters show {event_id}`"
        raise NotFound(f"there is no event {event_id!r}", fix=f"see {where}")
    if event.event.quarantine is None:
        known = event.event.id
        raise Refused(
            f"event {known} is {event.event.state} and not in quarantine",
            fix=f"see `meshline events show {known}`",
        )
    if as_json:
        put_json(event)
    else:
        put_event(event, now)


quarantine_actions.add_to(app)
quarantine_discards.add_to(app)
quarantine_recipes.add_to(app)
quarantine_plans.add_to(app)
app.command()(diagnose)


def _note_held(held: HeldEvents, filters: Filters, now: int) -> None:
    """How many events wait outside of the quarantine, by what, and which command lists them."""
    said = told_held(held, lambda at: f"for {age(at, now)}")
    options = {"client": filters.client, "workflow": filters.workflow}
    narrowed = "".join(f" --{option} {value}" for option, value in options.items() if value)
    them = "it" if held.events == 1 else "them"
    note(f"{said}; `meshline events list --held{narrowed}` lists {them}")


def _put_summary(summary: Sequence[QuarantineCount], now: int) -> None:
    put_table(
        ("EVENTS", "REASON", "AT", "WORKFLOW", "RECOVERY LEAD", "RECOVER"),
        [
            (
                one.events,
                one.reason,
                one.stage,
                f"{one.client}/{one.workflow}" if one.workflow else None,
                one.recovery_lead,
                left(one.recover_by, now),
            )
            for one in summary
        ],
    )


def _put_rows(rows: Sequence[QuarantinedEvent | QuarantinedMessage], now: int) -> None:
    shown = shown_ids(row.id for row in rows if row.id is not None)
    put_table(
        ("ID", "REASON", "AT", "SINCE", "RECOVER", "WHY", "LEAD", "OWNER"),
        [
            (
                f"dead letter {row.dead_letter}" if row.id is None else shown[row.id],
                row.reason,
                row.stage,
                f"{age(row.since, now)} ago",
                left(row.recover_by, now),
                _why(row),
                row.recovery_lead,
                row.owner,
            )
            for row in rows
        ],
        below=("WHY", "LEAD", "OWNER"),
    )


def _why(row: QuarantinedEvent | QuarantinedMessage) -> str:
    if row.id is None:
        return "\n".join([row.detail, *told_return(row.returned)])
    said = "\n".join(row.hints or [row.detail])
    said = f"{said} (amended)" if row.amended else said
    return f"{said}\n{told_followers(row.followers)}" if row.followers else said
