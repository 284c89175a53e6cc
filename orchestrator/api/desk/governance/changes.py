"""Changes: list, look, decide, withdraw; they are proposed by POST /v1/workflows."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from orchestrator.api.desk.cursors import page_of, place_of
from orchestrator.api.desk.models import Name, NeedsWhy, Paged, WithWhy
from orchestrator.api.desk.routes import Answer, Asked, Route
from orchestrator.api.desk.schemas import list_of
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.gates.gate import JudgedGate
from orchestrator.domain.changes.statement import Signed
from orchestrator.domain.changes.states import ChangeState
from orchestrator.domain.errors import Refused
from orchestrator.operations.changes.backtest import MOST_WEEKS, WEEKS
from orchestrator.operations.changes.backtest import Asked as AskedBacktest
from orchestrator.operations.changes.break_glass import break_glass
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.gates.show import CheckedChange, check_change
from orchestrator.operations.changes.gates.waive import waive_gate
from orchestrator.operations.changes.rollout.figures import RolloutFigures, show_rollout
from orchestrator.operations.changes.rollout.go_back import stop_rollout
from orchestrator.operations.changes.show import ExplainedChange, Settled, explain_change
from orchestrator.operations.changes.withdraw import withdraw_change
from orchestrator.operations.jobs.approve_with_plan import approve_with_plan
from orchestrator.operations.jobs.backtesting import start_backtest_job
from orchestrator.store.changes.views import ChangeRow, list_changes


class Changes(Paged):
    """Which changes."""

    client: Name | None = None
    workflow: Name | None = None
    state: ChangeState | None = None
    every: Annotated[bool, Field(description="also those that are over")] = False


class Decided(WithWhy):
    """What an approver says; whoever does not approve says why."""

    decision: Annotated[Decision, Field(strict=False)]
    run_plan: Annotated[
        Name | None,
        Field(description="of an approval: the token of a replay plan made under it, to be run"),
    ] = None
    plan_digest: Annotated[
        Name | None, Field(description="of this plan, as it was seen; without it none is compared")
    ] = None
    message: Annotated[
        str | None, Field(max_length=16_384, description="that was signed, to the byte")
    ] = None
    signature: Annotated[
        str | None,
        Field(
            max_length=16_384, description="by a key of yours, as `ssh-keygen -Y sign` prints it"
        ),
    ] = None


class Backtest(WithWhy):
    """Over which events."""

    weeks: Annotated[int, Field(ge=1, le=MOST_WEEKS, description="how far back it looks")] = WEEKS
    seed: Annotated[
        int | None,
        Field(ge=0, lt=2**31, description="chooses the same sample again, of over a million"),
    ] = None


class Waived(NeedsWhy):
    """Which gate, and until when."""

    gate: Annotated[str, Field(max_length=64, description="its name in the list of gates")]
    until: Annotated[
        str, Field(max_length=40, description="`3d` from now, or ISO 8601 with its zone")
    ]


def _signed(body: Decided) -> Signed | None:
    if (body.message is None) != (body.signature is None):
        raise Refused(
            "a signature comes with the text that was signed",
            field="signature",
            fix="send `message` and `signature`, or neither",
        )
    if body.message is None or body.signature is None:
        return None
    return Signed(message=body.message, signature=body.signature)


def list_(asked: Asked) -> Answer:
    """The newest first."""
    query = asked.query_as(Changes)
    place = place_of(query.cursor, int)
    with asked.store.read() as tx:
        found = list_changes(
            tx,
            client=query.client,
            workflow=query.workflow,
            state=query.state,
            every=query.every,
            clients=asked.some_clients(tx),
            limit=query.limit + 1,
            before=None if place is None else int(place[0]),
        )
    page = page_of(found, query.limit, lambda row: (row[0],))
    rows = [row for _, row in page.rows]
    return Answer(document={"changes": rows, "next": page.next})


def show(asked: Asked) -> Answer:
    """What it changes, whose it is, and what was said of it."""
    with asked.store.read() as tx:
        found = explain_change(tx, asked.path["change"], asked.clients(tx))
    return Answer(document=found, tag=found.digest)


def decide(asked: Asked) -> Answer:
    """Approve it, send it back, or say no."""
    body = asked.body_as(Decided)
    if body.run_plan is not None:
        return Answer(document=_approve_with_plan(asked, body, body.run_plan))
    done = decide_change(
        asked.store,
        asked.path["change"],
        body.decision,
        actor=asked.actor,
        why=body.why,
        seen=asked.seen,
        signed=_signed(body),
    )
    return Answer(document=done)


def _approve_with_plan(asked: Asked, body: Decided, plan: str) -> Settled:
    if body.decision is not Decision.APPROVE:
        raise Refused("only with an approval a plan is run", field="run_plan", fix="leave it out")
    if _signed(body) is not None:
        raise Refused(
            "an approval with a plan cannot be signed",
            field="run_plan",
            fix="leave it out, and run the plan afterwards",
        )
    return approve_with_plan(
        asked.store,
        asked.path["change"],
        plan,
        actor=asked.actor,
        digest=body.plan_digest,
        why=body.why,
        seen=asked.seen,
    )


def gates(asked: Asked) -> Answer:
    """What each gate says, with its evidence."""
    with asked.store.read() as tx:
        found = check_change(tx, asked.path["change"], asked.clients(tx))
    return Answer(document=found)


def backtest(asked: Asked) -> Answer:
    """Let a keeper decide about past events again."""
    body = asked.body_as(Backtest)
    number = start_backtest_job(
        asked.store,
        asked.path["change"],
        actor=asked.actor,
        asked=AskedBacktest(weeks=body.weeks, seed=body.seed),
        why=body.why,
        seen=asked.seen,
    )
    return Answer(
        document={"job": number}, status=HTTPStatus.ACCEPTED, location=f"/v1/jobs/{number}"
    )


def waive(asked: Asked) -> Answer:
    """Let a gate fail until a time."""
    body = asked.body_as(Waived)
    done = waive_gate(
        asked.store,
        asked.path["change"],
        body.gate,
        actor=asked.actor,
        why=body.why,
        until=body.until,
    )
    return Answer(document=done)


def glass(asked: Asked) -> Answer:
    """Make it live without its approval, by the backstop."""
    why = asked.body_as(NeedsWhy).why
    token = asked.path["change"]
    done = break_glass(asked.store, token, why=why, actor=asked.actor, seen=asked.seen)
    return Answer(document=done)


def rollout(asked: Asked) -> Answer:
    """How far its rollout is."""
    with asked.store.read() as tx:
        found = show_rollout(tx, asked.path["change"], asked.clients(tx))
    return Answer(document=found)


def stop(asked: Asked) -> Answer:
    """Stop its rollout: the version before decides about all events again."""
    why = asked.body_as(NeedsWhy).why
    token = asked.path["change"]
    done = stop_rollout(asked.store, token, why=why, actor=asked.actor, seen=asked.seen)
    return Answer(document=done)


def withdraw(asked: Asked) -> Answer:
    """Take it back."""
    why = asked.body_as(WithWhy).why
    done = withdraw_change(asked.store, asked.path["change"], actor=asked.actor, why=why)
    return Answer(document=done)


_CONFLICTS = (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED)

ROUTES = (
    Route(
        method="GET",
        path="/v1/changes",
        name="list_changes",
        act=Act.VIEW,
        says="List changes that may still go live, the newest first.",
        handler=list_,
        query=Changes,
        answers=list_of(ChangeRow, "changes"),
    ),
    Route(
        method="GET",
        path="/v1/changes/{change}",
        name="show_change",
        act=Act.VIEW,
        says="Show what a change changes, whose it is, and what was said of it.",
        handler=show,
        answers=ExplainedChange,
        tagged=True,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="GET",
        path="/v1/changes/{change}/gates",
        name="show_gates",
        act=Act.VIEW,
        says="Show the QA gates of a change: pass, fail, waived or cannot tell, and what to do.",
        handler=gates,
        answers=CheckedChange,
        refusals=(HTTPStatus.NOT_FOUND,),
    ),
    Route(
        method="POST",
        path="/v1/changes/{change}/backtest",
        name="backtest_change",
        act=Act.BACKTEST_CHANGE,
        says="Let a keeper decide about past events again by a change; see its job for how far.",
        handler=backtest,
        body=Backtest,
        answers={"type": "object", "required": ["job"], "properties": {"job": int}},
        status=HTTPStatus.ACCEPTED,
        tagged=True,
        refusals=_CONFLICTS,
    ),
    Route(
        method="POST",
        path="/v1/changes/{change}/waivers",
        name="waive_gate",
        act=Act.WAIVE_GATE,
        says="Let a gate of a change that fails be, until a time.",
        handler=waive,
        body=Waived,
        answers=JudgedGate,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="POST",
        path="/v1/changes/{change}/decision",
        name="decide_change",
        act=Act.DECIDE_CHANGE,
        says="Approve a change, ask for another one, or reject it.",
        handler=decide,
        body=Decided,
        answers=Settled,
        tagged=True,
        refusals=_CONFLICTS,
    ),
    Route(
        method="POST",
        path="/v1/changes/{change}/break-glass",
        name="break_glass",
        act=Act.BREAK_GLASS,
        says="Make a change live without its approval: for the backstop, in an emergency.",
        handler=glass,
        body=NeedsWhy,
        answers=Settled,
        tagged=True,
        refusals=_CONFLICTS,
    ),
    Route(
        method="GET",
        path="/v1/changes/{change}/rollout",
        name="show_rollout",
        act=Act.VIEW,
        says="Show how far a rollout is: its steps, what became of its events, what is missing.",
        handler=rollout,
        answers=RolloutFigures,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
    Route(
        method="POST",
        path="/v1/changes/{change}/stop",
        name="stop_rollout",
        act=Act.STOP_ROLLOUT,
        says="Stop a rollout, so that the version before decides about all events again.",
        handler=stop,
        body=NeedsWhy,
        answers=Settled,
        tagged=True,
        refusals=_CONFLICTS,
    ),
    Route(
        method="POST",
        path="/v1/changes/{change}/withdraw",
        name="withdraw_change",
        act=Act.WITHDRAW_CHANGE,
        says="Take a change back; what is live stays.",
        handler=withdraw,
        body=WithWhy,
        answers=Settled,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT),
    ),
)
