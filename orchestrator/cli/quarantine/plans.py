"""`meshline quarantine replay --plan`, `quarantine plan` and `quarantine run`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.jobs import Background, tell_nothing, tell_started
from orchestrator.cli.terminal.left_alone import fail_where_left
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import AfterPlace, AsJson, Limit, OptionalWhy
from orchestrator.cli.terminal.personal import shown_here
from orchestrator.cli.terminal.progress import bar, looking_bar
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.selecting import Filters
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.domain.errors import NothingSelected
from orchestrator.presenting.moments import moment
from orchestrator.presenting.replay_plans import EFFECTS, PLAN_STATES

if TYPE_CHECKING:
    from orchestrator.domain.delivery.effects import PlannedEffect
    from orchestrator.operations.replay.plan import ReplayPlan
    from orchestrator.operations.replay.run_plan import Ran
    from orchestrator.store.database.engine import Store

_HIGHEST_RATE = 1_000_000
_MOST_TOLD = 20  # events left out that are told one by one; --json has them all

Token = Annotated[str, typer.Argument(metavar="TOKEN", help="What `replay … --plan` answered.")]

plan_app = typer.Typer(help="Replay plans: list, show.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add the commands to the group."""
    app.add_typer(plan_app, name="plan")
    app.command()(run)


def make_plan(filters: Filters, *, order_by: str | None, change: str | None, as_json: bool) -> None:
    """Freeze what the filters select, and say what running it would do."""
    from connectors.registry import catalog, load_connectors
    from orchestrator.settings import settings

    with opened_store() as store:
        from orchestrator.operations.replay.plan import plan_replay

        selection = filters.needed(store)
        try:
            with looking_bar("planning") as progress:
                plan = plan_replay(
                    store,
                    selection,
                    catalog=catalog(load_connectors(settings().connectors)),
                    actor=actor(store),
                    order_by=order_by,
                    change=change,
                    progress=progress,
                )
        except NothingSelected as nothing:
            if selection.ids:
                raise
            tell_nothing(nothing, "plan", as_json=as_json)
            return
        plan = shown_here(store, plan)
    if as_json:
        put_json(plan)
    else:
        _put_plan(plan, order_by)
    fail_where_left(plan.left_out, [one for one in plan.skipped if one.state == "discarded"])


def _put_plan(plan: ReplayPlan, order_by: str | None) -> None:
    put(f"plan {plan.token}: {plan.events} events would be replayed{_in_order(order_by)}")
    for one in plan.workflows:
        under = f"change {plan.change}" if plan.change else f"version {one.version}"
        put(f"  under {one.workflow} {under}")
    _put_effects(plan.effects)
    left = [f"{one.id} left out: {one.detail}" for one in plan.left_out]
    left += [f"{one.id} left out: it is {one.state}" for one in plan.skipped]
    for line in left[:_MOST_TOLD]:
        note(line)
    if len(left) > _MOST_TOLD:
        note(f"and {len(left) - _MOST_TOLD} more; --json has them all")
    if plan.change:
        both = f"`meshline change approve {plan.change} --run-plan {plan.token}`"
        note(f"nothing is sent yet; {both} by its approver does both")
        return
    again = " --yes-send-again" if plan.repeats else ""
    note(f"nothing is sent yet; `meshline quarantine run {plan.token}{again}` runs it")


@plan_app.command("list")
def list_(limit: Limit = 50, as_json: AsJson = False) -> None:
    """List replay plans, the newest first."""
    with opened_store() as store:
        from orchestrator.store.desk.plans import list_plans

        with store.read() as tx:
            found = list_plans(tx, limit=limit, clients=seen_clients(store))
        found = shown_here(store, found)
    if as_json:
        put_json({"plans": found})
        return
    put_table(
        ("TOKEN", "STATE", "EVENTS", "REPLAYED", "MAY REPEAT", "PLANNED", "BY"),
        [
            (
                one.token,
                PLAN_STATES.get(one.state, one.state),
                one.events,
                one.done,
                one.repeats,
                moment(one.planned_at),
                one.planned_by,
            )
            for one in found
        ],
        below=("BY",),
    )
    if not found:
        note("there is no plan: `meshline quarantine replay … --plan` makes one")


@plan_app.command("show")
def show(
    token: Token,
    limit: Limit = 50,
    after: AfterPlace = None,
    as_json: AsJson = False,
) -> None:
    """Show a plan: event by event what is sent where, what is not repeated, what came of it."""
    with opened_store() as store:
        from orchestrator.operations.replay.show_plan import show_plan

        clients = seen_clients(store)
        with store.read() as tx:
            after_place = -1 if after is None else after
            found = show_plan(tx, token, limit=limit, after=after_place, clients=clients)
        found = shown_here(store, found)
    if as_json:
        put_json(found)
        return
    plan = found.plan
    state = PLAN_STATES.get(plan.state, plan.state)
    put(f"plan {plan.token} is {state}: {plan.events} events{_in_order(plan.order_by)}")
    _put_effects(plan.effects)
    put(f"so far: {', '.join(f'{count} {word}' for word, count in found.outcomes.items())}")
    put_table(
        ("ID", "WHAT IS DONE", "OUTCOME"),
        [
            (
                one.id,
                "\n".join(map(_effect, one.effects)),
                one.outcome,
            )
            for one in found.rows
        ],
    )
    if found.rows and found.rows[-1].place + 1 < plan.events:
        note(f"--limit shows more, and --after {found.rows[-1].place} the next")


def _effect(one: PlannedEffect) -> str:
    after = f", after {', '.join(one.after)}" if one.after else ""
    return f"{one.effect} {one.destination}{after}"


def run(
    token: Token,
    send_again: Annotated[
        bool,
        typer.Option(
            "--yes-send-again",
            help="Yes, also deliveries that nobody can look up. They may then arrive twice.",
        ),
    ] = False,
    rate: Annotated[
        float | None,
        typer.Option(
            "--rate",
            metavar="N",
            min=0.1,
            max=_HIGHEST_RATE,
            help="At most so many events in a second.",
        ),
    ] = None,
    background: Background = False,
    why: OptionalWhy = None,
    as_json: AsJson = False,
) -> None:
    """Run a replay plan; where it was cut off, go on with it. Each event is replayed once.

    Refused where a workflow's version, an event or its payload is not as it was planned.
    """
    if rate is not None and not rate <= _HIGHEST_RATE:  # typer lets `nan` through
        raise typer.BadParameter(f"{rate} is not a rate", param_hint="--rate")
    if background:
        _start_job(token, send_again=send_again, rate=rate, why=why, as_json=as_json)
        return
    if why is not None:
        raise typer.BadParameter("it goes with --background", param_hint="--why")
    with opened_store() as store:
        from orchestrator.operations.replay.run_plan import run_plan
        from orchestrator.store.desk.plan_order import count_open
        from orchestrator.store.desk.plans import find_plan

        with store.read() as tx:
            plan = find_plan(tx, token)
            before = plan.events - count_open(tx, plan.id) if plan else 0
        try:
            with bar("replaying", plan.events if plan else 0, done=before) as progress:
                done = run_plan(
                    store,
                    token,
                    actor=actor(store),
                    send_again=send_again,
                    rate=rate,
                    progress=progress,
                )
        except KeyboardInterrupt:
            _tell_stopped(store, token)
            raise
    if as_json:
        put_json(done)
    else:
        _tell_run(done, token)


def _start_job(
    token: str, *, send_again: bool, rate: float | None, why: str | None, as_json: bool
) -> None:
    """Let a keeper run the plan; what this terminal does then is nobody's business."""
    with opened_store() as store:
        from orchestrator.operations.jobs.start import start_plan_job

        job = start_plan_job(
            store, token, actor=actor(store), send_again=send_again, rate=rate, why=why
        )
        tell_started(store, job, as_json=as_json)


def _tell_run(done: Ran, token: str) -> None:
    """What a run did, what others did before it, and what is left."""
    earlier = f", {done.before} before" if done.before else ""
    put(f"replayed {done.replayed} of {done.events}{earlier}")
    if done.finished:
        note(f"it was finished at {moment(done.finished.at)}, last run by {done.finished.by}")
    if done.begun:
        note(
            f"it is run since {moment(done.begun.at)}, last by {done.begun.by}: this run went on"
            " with what was left, and each event is replayed once"
        )
    if done.waiting:
        note(
            f"{done.waiting} wait behind events that came back into quarantine: heal those, then"
            " run the plan again"
        )
    if done.followed:
        note(
            f"{done.followed} are left as they were made: a later event of their key had its turn"
            " since the plan was made. Look at them, and mend their records by hand"
        )
    note(f"`meshline quarantine plan show {token}` says what comes of each")


def _tell_stopped(store: Store, token: str) -> None:
    """Where a run is that a person ended, by the store's own count."""
    from orchestrator.store.desk.plans import find_plan, outcomes

    with store.read() as tx:
        plan = find_plan(tx, token)
        waiting = outcomes(tx, plan.id).get("waiting", 0) if plan else 0
    if plan:
        at = f"stopped after {plan.events - waiting:,} of {plan.events:,}"
        note(f"{at}; go on with: meshline quarantine run {token}")


def _in_order(fact: str | None) -> str:
    return f", those with the same {fact} one after the other" if fact else ""


def _put_effects(effects: Mapping[str, Mapping[str, int]]) -> None:
    put_table(
        ("DELIVERIES", "TO", "WHAT IS DONE"),
        [
            (count, destination, EFFECTS[effect])
            for effect in EFFECTS
            for destination, count in sorted(effects.get(effect, {}).items())
        ],
    )
