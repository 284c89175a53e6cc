"""`meshline incidents`: one row per cause, with its owner and its clock."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.incidents import actions as incident_actions
from orchestrator.cli.incidents.page import put_incident
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import (
    AsJson,
    Limit,
    OnlyClient,
    OnlyWorkflow,
    WithText,
    number,
)
from orchestrator.cli.terminal.personal import check_words_here, shown_here
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.selecting import moment_given
from orchestrator.cli.terminal.usage import as_usage
from orchestrator.cli.terminal.who import seen_clients
from orchestrator.domain.delivery.blockers import told_blocker
from orchestrator.domain.errors import NotFound
from orchestrator.domain.incidents.incident import INCIDENT_REASONS, IncidentKind, IncidentState
from orchestrator.presenting.moments import age, left, moment_and_distance

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store
    from orchestrator.store.views.incidents.list import IncidentRow

app = typer.Typer(
    help="Stopped events by cause: list, show, ack, assign, resolve, work.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    *,
    client: OnlyClient = None,
    workflow: OnlyWorkflow = None,
    reason: Annotated[
        str | None,
        typer.Option(
            "--reason",
            metavar="CODE",
            help="Only these: a quarantine's code, held, late or success_rate.",
        ),
    ] = None,
    kind: Annotated[
        IncidentKind | None, typer.Option("--kind", help="Only the sender's, receiver's or ours.")
    ] = None,
    owner: Annotated[
        str | None, typer.Option("--owner", metavar="ADDRESS", help="Only this owner's.")
    ] = None,
    state: Annotated[
        IncidentState | None,
        typer.Option("--state", help="Only these; without it, all that are not resolved."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="TIME", help="Opened since then or later: 2h, or ISO 8601"),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Opened before then: older ones.")
    ] = None,
    text: WithText = None,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List incidents, most urgent first.

    EVENTS counts the quarantined and held events now, and all that ever came; below it, what
    a replay sent on its way.
    """
    words = _checked_words(reason, text)
    with opened_store() as store:
        from orchestrator.store.views.incidents.list import (
            Sought,
            count_incidents,
            count_ungrouped,
            list_incidents,
        )
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        _check(store, words, client=client, workflow=workflow, owner=owner, clients=clients)
        with store.read() as tx:
            now = now_of(tx)
            sought = Sought(
                clients=clients,
                client=client,
                workflow=workflow,
                reason=reason,
                kind=kind,
                owner=owner,
                state=state,
                since=moment_given(since, now, option="--since"),
                until=moment_given(until, now, option="--until"),
                words=words,
            )
            rows, total = list_incidents(tx, sought, limit=limit), count_incidents(tx, sought)
            ungrouped = count_ungrouped(tx) if clients is None else 0
        rows = shown_here(store, rows)
    if as_json:
        put_json({"total": total, "ungrouped": ungrouped, "incidents": rows})
        return
    _put_rows(rows, now)
    if total > len(rows):
        note(f"{len(rows)} of {total}; --limit shows more, and filters narrow it")
    if ungrouped:
        note(
            f"{ungrouped} events were in quarantine before there were incidents, and have none yet;"
            " `meshline quarantine list` has them"
        )


def _check(
    store: Store,
    words: Sequence[str],
    *,
    client: str | None,
    workflow: str | None,
    owner: str | None,
    clients: frozenset[str] | None,
) -> None:
    """Raises Refused for a name that never was there, and words that this person may not see."""
    from orchestrator.operations.check_filters import check_filters
    from orchestrator.store.views.quarantine.selection import Selection

    with store.read() as tx:
        check_filters(tx, client=client, workflow=workflow, owner=owner, clients=clients)
        about = Selection(client=client, workflow=workflow, clients=clients)
        check_words_here(store, tx, words, about)


def _checked_words(reason: str | None, text: str | None) -> tuple[str, ...]:
    """The words that are looked for. Raises BadParameter for an unknown reason and for no word."""
    from orchestrator.domain.text.words import sought_words

    if reason not in (None, *INCIDENT_REASONS):
        known = ", ".join(INCIDENT_REASONS)
        raise typer.BadParameter(f"{reason!r} is none of {known}", param_hint="--reason")
    with as_usage("--text"):
        return () if text is None else sought_words(text)


@app.command()
def show(
    incident: Annotated[
        int, typer.Argument(metavar="ID", parser=number, help="The incident's id.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show one incident: what changed, whose it is, by when it must be healed, what was done."""
    with opened_store() as store:
        from orchestrator.store.views.incidents.page import show_incident
        from orchestrator.store.views.values import now_of

        clients = seen_clients(store)
        with store.read() as tx:
            now = now_of(tx)
            view = show_incident(tx, incident, clients=clients)
        if view is None:
            raise NotFound(f"there is no incident {incident}", fix="see `meshline incidents list`")
        from orchestrator.operations.repair.find import find_repair

        view, repair = shown_here(store, (view, find_repair(store, view)))
    if as_json:
        from orchestrator.presenting.findings import finding_document

        found = {
            "diagnosis": [finding_document(one) for one in repair.findings],
            "recipes": list(repair.saved),
            "repair": repair.counts(),
            "fix": list(repair.fix),
        }
        put_json(view.as_json() | found)
    else:
        put_incident(view, repair, now)


incident_actions.add_to(app)


def _put_rows(rows: Sequence[IncidentRow], now: int) -> None:
    if not rows:
        put("no incident here; `--state resolved` lists those that are over")
        return
    put_table(
        ("ID", "WHAT", "WORKFLOW", "EVENTS", "STATE", "OWNER", "HEAL"),
        [
            (
                row.id,
                _what(row, now),
                f"{row.client}/{row.workflow}",
                _counts(row),
                row.state,
                row.owner,
                "-" if row.resolved_at else left(row.recover_by, now),
            )
            for row in rows
        ],
        below=("WHAT",),
    )


def _counts(row: IncidentRow) -> str:
    """What has not ended, of all that ever came; what a replay sent on its way on a line below."""
    counted = f"{row.standing + row.held} of {row.events}"
    return f"{counted}\n{row.under_way} under way" if row.under_way else counted


def _what(row: IncidentRow, now: int) -> str:
    """The cause, whose side it is on, and what holds the events back."""
    kind = f"{row.kind}: {row.reason}, {age(row.opened_at, now)} ago"
    held = [told_blocker(one, lambda at: moment_and_distance(at, now)) for one in row.blocked_by]
    return "\n".join([row.title, kind, *held])
