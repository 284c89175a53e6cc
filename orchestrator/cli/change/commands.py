"""`meshline change`: propose a version, look at it, decide about it, take it back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from orchestrator.cli.change.backtesting import backtest
from orchestrator.cli.change.diffing import diff
from orchestrator.cli.change.freezing import freeze, tell_freezes, thaw
from orchestrator.cli.change.gates import put_checklist, put_gates
from orchestrator.cli.change.page import put_change
from orchestrator.cli.change.rehearsing import rehearse
from orchestrator.cli.change.rolling import (
    Canary,
    Each,
    Shadow,
    outcomes,
    rollout,
    rollout_of,
    stop,
)
from orchestrator.cli.change.signing import sign_decision
from orchestrator.cli.terminal.open_store import opened_store
from orchestrator.cli.terminal.options import (
    AsJson,
    Limit,
    OnlyClient,
    OnlyWorkflow,
    OptionalWhy,
    Why,
)
from orchestrator.cli.terminal.screen import note, put, put_json, put_table
from orchestrator.cli.terminal.who import actor, seen_clients
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.states import ChangeState
from orchestrator.presenting.changes import told_wait
from orchestrator.presenting.moments import moment

if TYPE_CHECKING:
    from orchestrator.operations.changes.show import Settled
    from orchestrator.store.changes.views import ChangeRow

app = typer.Typer(
    help="Proposed versions of workflows: list, show, propose, decide.", no_args_is_help=True
)

Token = Annotated[str, typer.Argument(metavar="CHANGE", help="Its token in the list.")]
Seen = Annotated[
    str | None,
    typer.Option(
        "--digest",
        metavar="DIGEST",
        help="What you looked at, from `change show`; refused where it was edited since.",
    ),
]


@app.command("list")
def list_(
    client: OnlyClient = None,
    workflow: OnlyWorkflow = None,
    state: Annotated[
        ChangeState | None, typer.Option("--state", metavar="STATE", help="Only these.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
) -> None:
    """List changes that may still go live, the newest first."""
    with opened_store() as store:
        from orchestrator.operations.check_filters import check_filters
        from orchestrator.store.changes.freezes import list_freezes
        from orchestrator.store.changes.views import list_changes

        clients = seen_clients(store)
        with store.read() as tx:
            check_filters(tx, client=client, workflow=workflow, clients=clients)
            found = list_changes(
                tx,
                client=client,
                workflow=workflow,
                state=state,
                every=every,
                clients=clients,
                limit=limit,
            )
            freezes = list_freezes(tx, client=client, clients=clients)
    rows = [row for _, row in found]
    if as_json:
        put_json({"changes": rows, "freezes": freezes})
        return
    _put_rows(rows)
    tell_freezes(freezes)


def _put_rows(rows: Sequence[ChangeRow]) -> None:
    put_table(
        ("CHANGE", "WHAT", "WORKFLOW", "CLIENT", "STATE", "PROPOSED", "BY", "WHY"),
        [
            (
                one.change,
                one.kind,
                one.workflow,
                one.client,
                one.state,
                moment(one.proposed_at),
                one.proposed_by,
                one.why,
            )
            for one in rows
        ],
        below=("BY", "WHY"),
    )
    if not rows:
        note("nothing waits to go live; --all shows what is over")


@app.command()
def show(
    change: Token,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="FILE",
            help="Write the page of it into one file, which needs no server.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show a change: what it changes, whose it is, and what was said of it."""
    if html is not None:
        _write_page(change, html)
        return
    with opened_store() as store:
        from orchestrator.operations.changes.show import explain_change

        clients = seen_clients(store)
        with store.read() as tx:
            found = explain_change(tx, change, clients)
    if as_json:
        put_json(found)
    else:
        put_change(found)


app.command()(backtest)
app.command()(rehearse)
app.command()(diff)


def _write_page(change: str, file: Path) -> None:
    with opened_store() as store:
        from orchestrator.dashboard.pages.changes.file import change_as_html
        from orchestrator.dashboard.pages.changes.page import look_at_change

        clients = seen_clients(store)
        with store.read() as tx:
            page = change_as_html(look_at_change(tx, change, clients))
    file.write_text(page, "utf-8")
    put(f"{file} has the page of change {change}")


@app.command()
def propose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A workflow file.")],
    why: OptionalWhy = None,
    at: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="Not before then: 2h (from now), or ISO 8601 with its zone.",
        ),
    ] = None,
    change: Annotated[
        str | None,
        typer.Option("--change", metavar="CHANGE", help="Edit this one: a new round of it."),
    ] = None,
    commit: Annotated[
        str | None,
        typer.Option(
            "--commit", metavar="SHA", help="The commit of git that the file is from, as evidence."
        ),
    ] = None,
    url: Annotated[
        str | None,
        typer.Option("--url", metavar="URL", help="Where people look at that commit."),
    ] = None,
    *,
    shadow: Shadow = None,
    canary: Canary = None,
    each: Each = None,
    as_json: AsJson = False,
) -> None:
    """Propose a workflow file; where its client's changes need no approval, it is live at once."""
    from connectors.registry import connector_definitions
    from orchestrator.cli.workflow.files import one_workflow
    from orchestrator.domain.changes.gates.commit import commit_of
    from orchestrator.settings import settings

    digest = hashlib.sha256(file.read_bytes()).hexdigest() if commit and file.is_file() else None
    origin = commit_of(commit, url, file_digest=digest)
    steps = rollout_of(shadow, canary, each)
    workflow = one_workflow(file)
    defined = connector_definitions(settings().connectors)
    with opened_store(create=True) as store:
        from orchestrator.operations.changes.show import explain_change
        from orchestrator.operations.publish_workflow import publish_workflow

        done = publish_workflow(
            store,
            workflow,
            actor=actor(store),
            why=why,
            at=at,
            change=change,
            connectors=defined.digests,
            rates=defined.rates,
            commit=origin,
            rollout=steps,
        )
        if done.change is not None and not as_json:
            with store.read() as tx:
                put_change(explain_change(tx, done.change, None))
    if as_json:
        put_json(done)
    elif done.change is None:
        put(f"version {done.version} of {done.workflow} is live already and says the same")


@app.command()
def check(
    change: Token,
    questions: Annotated[
        bool, typer.Option("--checklist", help="As the checklist of a rollout: eight questions.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the QA gates of a change: pass, fail, waived or cannot tell, and what to do.

    Nothing is changed. A gate that fails and blocks makes the exit code 1.
    """
    with opened_store() as store:
        from orchestrator.operations.changes.gates.show import check_change

        clients = seen_clients(store)
        with store.read() as tx:
            found = check_change(tx, change, clients)
    if as_json:
        put_json(found)
    elif questions:
        put_checklist(found)
    else:
        put_gates(found)
    if found.stops:
        raise typer.Exit(1)


@app.command()
def waive(
    change: Token,
    gate: Annotated[str, typer.Argument(metavar="GATE", help="Its name in `change check`.")],
    until: Annotated[
        str,
        typer.Option("--until", metavar="TIME", help="3d (from now), or ISO 8601 with its zone."),
    ],
    why: Why = "",
    as_json: AsJson = False,
) -> None:
    """Let a gate that fails be, until a time. For its approver, who is none of its authors."""
    with opened_store() as store:
        from orchestrator.operations.changes.gates.waive import waive_gate

        done = waive_gate(store, change, gate, actor=actor(store), why=why, until=until)
    if as_json:
        put_json(done)
    elif done.waiver is not None:
        put(f"gate {done.gate} of change {change} is waived until {moment(done.waiver.until)}")


@app.command()
def approve(
    change: Token,
    why: OptionalWhy = None,
    digest: Seen = None,
    run_plan: Annotated[
        str | None,
        typer.Option(
            "--run-plan",
            metavar="TOKEN",
            help="Also let a keeper run this replay plan, which was made under the change.",
        ),
    ] = None,
    plan_digest: Annotated[
        str | None,
        typer.Option("--plan-digest", metavar="DIGEST", help="With --run-plan: the plan's."),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option(
            "--sign",
            metavar="KEYFILE",
            help="Sign it by this key of SSH, which you added with `people signing-key add`.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say yes: it goes live, or at its time. For its approver, who is none of its authors."""
    if run_plan is not None and sign is not None:
        raise typer.BadParameter("--sign does not go with --run-plan: run the plan afterwards")
    if run_plan is not None:
        _approve_with_plan(change, run_plan, why, digest, plan_digest, as_json=as_json)
        return
    if plan_digest is not None:
        raise typer.BadParameter("--plan-digest goes with --run-plan")
    _decide(change, Decision.APPROVE, why, digest, as_json=as_json, sign=sign)


@app.command("request-changes")
def request_changes(
    change: Token, why: Why = "", digest: Seen = None, as_json: AsJson = False
) -> None:
    """Send it back to its authors, who may edit it."""
    _decide(change, Decision.REQUEST_CHANGES, why, digest, as_json=as_json)


@app.command()
def reject(change: Token, why: Why = "", digest: Seen = None, as_json: AsJson = False) -> None:
    """Say no for good."""
    _decide(change, Decision.REJECT, why, digest, as_json=as_json)


@app.command()
def withdraw(change: Token, why: OptionalWhy = None, as_json: AsJson = False) -> None:
    """Take a proposal back; what is live stays."""
    with opened_store() as store:
        from orchestrator.operations.changes.withdraw import withdraw_change

        _tell(withdraw_change(store, change, actor=actor(store), why=why), as_json=as_json)


@app.command("break-glass")
def break_glass(change: Token, why: Why = "", digest: Seen = None, as_json: AsJson = False) -> None:
    """Make it live at once without its approval: the backstop's, and every approver hears of it."""
    with opened_store() as store:
        from orchestrator.operations.changes import break_glass as glass

        seen = () if digest is None else (digest,)
        done = glass.break_glass(store, change, why=why, actor=actor(store), seen=seen)
        _tell(done, as_json=as_json)


app.command()(rollout)
app.command()(stop)
app.command()(outcomes)
app.command()(freeze)
app.command()(thaw)


@app.command()
def prove(change: Token) -> None:
    """Print the proof of a signed approval, which anybody can check without this database.

    `python tools/check_change_proof.py proof.json` checks it.
    """
    with opened_store() as store:
        from orchestrator.operations.changes.signing.prove import prove_change

        clients = seen_clients(store)
        with store.read() as tx:
            found = prove_change(tx, change, clients)
    put_json(found)


def _decide(
    change: str,
    decision: Decision,
    why: str | None,
    digest: str | None,
    *,
    as_json: bool,
    sign: Path | None = None,
) -> None:
    with opened_store() as store:
        from orchestrator.operations.changes.decide import decide_change

        seen, me = () if digest is None else (digest,), actor(store)
        signed = None if sign is None else sign_decision(store, change, decision, me, sign)
        done = decide_change(store, change, decision, actor=me, why=why, seen=seen, signed=signed)
        _tell(done, as_json=as_json)


def _approve_with_plan(
    change: str,
    plan: str,
    why: str | None,
    digest: str | None,
    plan_digest: str | None,
    *,
    as_json: bool,
) -> None:
    with opened_store() as store:
        from orchestrator.operations.jobs.approve_with_plan import approve_with_plan

        done = approve_with_plan(
            store,
            change,
            plan,
            actor=actor(store),
            digest=plan_digest,
            why=why,
            seen=() if digest is None else (digest,),
        )
        _tell(done, as_json=as_json)


def _tell(done: Settled, *, as_json: bool) -> None:
    if as_json:
        put_json(done)
        return
    state = done.state.replace("_", " ")
    if done.state == ChangeState.LIVE and done.live_version is None:
        put(f"change {done.change}: {done.workflow} of client {done.client} is retired")
        return
    put(f"change {done.change} of {done.workflow} of client {done.client} is {state}")
    if done.live_version is not None:
        put(f"version {done.live_version} is live")
        if done.job is not None:
            put(f"job {done.job} runs the plan; `meshline jobs show {done.job}` says how far it is")
    elif done.state == ChangeState.APPROVED:
        if done.go_live_at is not None:
            put(f"it goes live {moment(done.go_live_at)}")
        if done.waits_for is not None:
            put(f"it waits {told_wait(done.waits_for)}")
