"""One incident on the screen: what changed, whose it is, and what was done about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.terminal.advice import put_advice
from orchestrator.cli.terminal.screen import put, put_field, put_table
from orchestrator.cli.terminal.short_ids import shown_ids
from orchestrator.domain.delivery.blockers import told_blocker
from orchestrator.domain.incidents.outcomes import told_links
from orchestrator.presenting.audit_lines import what, why
from orchestrator.presenting.moments import age, left, moment, moment_and_distance

if TYPE_CHECKING:
    from orchestrator.operations.repair.find import Repair
    from orchestrator.store.desk.recipes import SavedRecipe
    from orchestrator.store.views.incidents.page import IncidentView


def put_incident(view: IncidentView, repair: Repair, now: int) -> None:
    """The page; `now` in milliseconds."""
    _put_head(view, now)
    if rate := view.success_rate:
        _line("rate", rate.told)
    for found in repair.findings:
        _line("diagnosis", found.told())
    if mended := repair.told():
        _line("mended", mended)
    for one in repair.saved:
        _line(
            "recipe",
            f"{one.recipe} would let the events that were tried pass; {_used(one, now)}",
        )
    for line in repair.fix:
        _line("fix", line)
    _clock(view, now)
    _blocked(view, now)
    _oldest(view, now)
    put_advice(view.advice)
    _runbook(view)
    put()
    put_table(
        ("WHEN", "WHO", "WHAT", "TO", "WHY"),
        [(moment(row.at), row.actor, what(row), row.target, why(row)) for row in view.history],
        below=("WHY",),
    )


def _used(recipe: SavedRecipe, now: int) -> str:
    last = f"used {age(recipe.used_at, now)} ago" if recipe.used_at else "never used"
    return f"{last}, on {recipe.events} events in all, made by {recipe.author}"


def _put_head(view: IncidentView, now: int) -> None:
    _line("incident", view.id)
    _line("what", view.title)
    _line("kind", f"{view.kind}: {view.reason} at {view.stage}")
    _line("workflow", f"{view.client}/{view.workflow}")
    if view.destination:
        _line("destination", view.destination)
    waits = f", {view.held} deliveries are held" if view.held else ""
    goes = f", {view.under_way} under way again" if view.under_way else ""
    _line("events", f"{view.standing} in quarantine{goes}{waits}; {view.events} ever")
    for line in told_links(view.moved_to, view.moved_from):
        _line("linked", line)
    _line("state", _state(view, now))
    if view.outcome:
        _line("outcome", view.outcome.told())
    _line("owner", view.owner)


def _state(view: IncidentView, now: int) -> str:
    if view.resolved_at:
        return f"{view.state} by {view.resolved_by}, {age(view.resolved_at, now)} ago"
    if view.acknowledged_at:
        until = view.acknowledged_until
        end = f", until {moment_and_distance(until, now)}" if until else ""
        ago = age(view.acknowledged_at, now)
        return f"{view.state} by {view.acknowledged_by}, {ago} ago{end}"
    return view.state


def _clock(view: IncidentView, now: int) -> None:
    again = f", opened again {_times(view.reopened)}" if view.reopened else ""
    _line("opened", f"{moment(view.opened_at)} ({age(view.opened_at, now)} ago){again}")
    _line("last event", f"{moment(view.last_at)} ({age(view.last_at, now)} ago)")
    if not view.resolved_at:
        _line("heal by", f"{moment(view.recover_by)} ({left(view.recover_by, now)})")
    if view.stopped_at and not view.resolved_at:
        since = moment_and_distance(view.stopped_at, now)
        _line("clock", f"stopped since {since}, for a planned pause; nobody is alerted")


def _blocked(view: IncidentView, now: int) -> None:
    """Pauses and open circuit breakers that hold them: by whom, why, since when and until when."""
    for one in view.blocked_by:
        _line("held by", told_blocker(one, lambda at: moment_and_distance(at, now)))


def _runbook(view: IncidentView) -> None:
    if view.runbook:
        put()
        put("runbook")
        put(view.runbook)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _oldest(view: IncidentView, now: int) -> None:
    if view.oldest:
        from orchestrator.store.views.quarantine.dead_letters import OldestLetter

        put()
        # Of an incident of messages these are not ids.
        shown = shown_ids(one.id for one in view.oldest if not isinstance(one, OldestLetter))
        put_table(
            ("OLDEST EVENTS", "WHY", "SINCE"),
            [
                (
                    shown.get(one.id, one.id),
                    one.detail,
                    f"{age(one.since, now)} ago",
                )
                for one in view.oldest
            ],
            below=("WHY",),
        )


def _line(name: str, value: object) -> None:
    put_field(name, value)
