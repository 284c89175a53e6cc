"""What waits and what people did in the store, so that no page of the desk is empty."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import islice

import orjson
from sqlalchemy import insert, literal, select

from benchmarks.desk.filling import take_in
from benchmarks.desk.leads import CLIENT, FIELD, RENAMED, WORKFLOW, good_leads
from connectors.registry import catalog
from orchestrator.domain.access.actor import login, process
from orchestrator.domain.access.roles import EVERY_CLIENT, Role
from orchestrator.domain.approvals.requests import RequestState
from orchestrator.domain.jobs import ItemOutcome, Outcome
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.access.log_in import begin_session
from orchestrator.operations.access.people import RoleChange, add_person
from orchestrator.operations.changes.propose import MOST_OPEN
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.start_on_events import start_discard_job
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.repair.amend import mend_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.access.people import credentials_of
from orchestrator.store.changes.approvers import require_approvals
from orchestrator.store.clocks.alerts import add_test, announce_incidents
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import event_approvals, events
from orchestrator.store.desk.job_items import open_items, settle_items
from orchestrator.store.destinations.circuits import pause_circuit
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.quarantine.workflows import definition_of, require_live
from orchestrator.store.views.events.search import Wanted
from orchestrator.store.views.events.show import list_events
from orchestrator.store.views.incidents.list import Sought, list_incidents
from orchestrator.store.views.quarantine.selection import Selection
from workers.app import Process

PAUSED = f"{CLIENT}/{WORKFLOW}/desk"
_BY = login("cli:bench")
_MANY = 200  # dead letters, alerts, events that wait: some pages of each
_FAILED = 500  # events of a job that nothing came of


@dataclass(frozen=True, kw_only=True)
class Things:
    """Names of what there is to look at."""

    incident: int  # with the most events
    quarantined: str  # an event
    delivered: str
    key: str  # of that event
    plan: str
    job: int  # it runs the plan
    ended_job: int  # with events that failed
    letter: int
    change: str  # one of many that await an approval
    asked: str  # an event, as are many
    session: str  # of a person who sees every client
    session_of_one: str  # and of one who sees one


def leave_things(ours: Process) -> Things:
    """Do what people and processes do, by the functions that do it."""
    store = ours.store
    _hold_some(ours)
    with store.read() as tx:
        rows = sorted(list_incidents(tx, Sought()), key=lambda one: -one.standing)
        (broken,) = list_events(tx, Wanted(state="quarantined", incident=rows[0].id, limit=1))
        (good,) = list_events(tx, Wanted(state="delivered", limit=1))
    second = next(one.id for one in rows if one.client != CLIENT)
    plan = _plan(ours, Selection(incident=second))
    ended = _discard_in_vain(store, Selection(incident=second))
    letter = _bury(store)
    return Things(
        incident=rows[0].id,
        quarantined=broken.id,
        delivered=good.id,
        key=good.idempotency_key,
        plan=plan,
        job=start_plan_job(store, plan, actor=_BY),
        ended_job=ended,
        letter=letter,
        change=_propose(ours),
        asked=_ask(store),
        session=_session(store, "admin@agency.example", Role.ADMIN, EVERY_CLIENT),
        session_of_one=_session(store, "desk@acme.example", Role.OPERATOR, CLIENT),
    )


def _hold_some(ours: Process) -> None:
    """Events whose delivery waits at a pause, and some that nobody has taken yet."""
    with ours.store.write() as tx:
        pause_circuit(tx, PAUSED, why="a migration", actor=_BY.name)
    leads = (
        replace(one, idempotency_key=f"late-{one.idempotency_key}")
        for one in good_leads(_MANY * 2, random.Random(_MANY))
    )
    take_in(ours, islice(leads, _MANY))
    accept_batch(ours.store, list(leads), actor="key:bench")


def _plan(ours: Process, some: Selection) -> str:
    recipe = recipe_of([{"rename": RENAMED, "to": FIELD}])
    mend_events(ours.store, some, recipe, actor=_BY)
    return plan_replay(ours.store, some, catalog=catalog(ours.connectors), actor=_BY).token


def _discard_in_vain(store: Store, some: Selection) -> int:
    job = start_discard_job(store, some, actor=_BY, why="tests of the form")
    with store.write() as tx:
        items = open_items(tx, job, limit=_FAILED)
        failed = ItemOutcome(outcome=Outcome.FAILED, detail="somebody replays it")
        settle_items(tx, job, items, {event: failed for _, event in items})
    return job


def _bury(store: Store) -> int:
    with store.write() as tx:
        announce_incidents(tx)
        for number in range(_MANY):
            add_test(tx, f"person-{number}@acme.example", actor=_BY.name)
        letters = (
            DeadLetter(
                queue="meshline",
                task="workers.chain.route",
                error="no such task",
                body=b"%d" % number,
                headers=None,
            )
            for number in range(_MANY)
        )
        return [keep_dead_letter(tx, one) or 0 for one in letters][-1]


def _propose(ours: Process) -> str:
    """As many changes as may be open at once, and from now on each needs an approval."""
    with ours.store.write() as tx:
        require_approvals(tx, EVERY_CLIENT, cause="the benchmark", actor=_BY.name)
    with ours.store.read() as tx:
        live = require_live(tx, CLIENT, WORKFLOW)
        workflow = Workflow.from_published(orjson.loads(definition_of(tx, live.id)))
    for number in range(MOST_OPEN):
        later = workflow.model_copy(update={"title": f"{workflow.title} ({number})"})
        done = publish_workflow(ours.store, later, actor=process("bench"))
    return done.change or ""


def _ask(store: Store) -> str:
    """Requests about many events, as if they waited for somebody's yes; only pages look at them."""
    table, now = events.c, now_ms()
    some = (
        select(
            table.id, table.client, table.workflow, table.workflow_id, literal(1),
            literal(RequestState.WAITING.value), literal("0" * 64), literal("{}"),
            now, now + 1_800_000, now + 3_600_000,
        )
        .where(table.client == CLIENT, table.state == "delivered")
        .order_by(table.id.desc())
        .limit(_MANY)
    )  # fmt: skip
    columns = (
        "event_id", "client", "workflow", "workflow_id", "route", "state", "subject", "connectors",
        "asked_at", "remind_at", "decide_by",
    )  # fmt: skip
    with store.write() as tx:
        tx.execute(insert(event_approvals).from_select(columns, some))
        newest = select(event_approvals.c.event_id).order_by(event_approvals.c.id.desc()).limit(1)
        return str(tx.execute(newest).scalar_one())


def _session(store: Store, mail: str, role: Role, client: str) -> str:
    roles = [RoleChange(client=client, role=role)]
    add_person(store, mail, name=role.value, roles=roles, actor=process("bench"))
    with store.write() as tx:
        known = credentials_of(tx, mail)
        assert known is not None
        return begin_session(tx, known, way="page").token
