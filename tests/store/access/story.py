"""A store in which each act has something to do: events, an incident, a plan, a letter, a key."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import update

from orchestrator.domain.access.actor import login, process
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.access.keys import create_key
from orchestrator.operations.incidents.retry_alerts import add_test_alert
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.stop import stop_job
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.repair.amend import mend_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.store.approvals.list import list_groups
from orchestrator.store.changes.approvers import require_approvals
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import alerts, changes
from orchestrator.store.quarantine.dead_letters import DeadLetter, keep_dead_letter
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import CATALOG, TEXT, accept_leads, lead_workflow, publish_leads, renamed_lead
from tests.store.approvals.asked import ASKING, drive

BY = login("cli:root")
LETTER = DeadLetter(
    queue="meshline.validate",
    task="validate",
    error="the body is not JSON",
    headers='{"task": "validate"}',
    content_type="application/json",
    content_encoding="utf-8",
    body=b"[",
)


@dataclass(frozen=True, kw_only=True)
class Story:
    """What there is, by name."""

    plan: str  # a token
    discarded: str  # an event
    planned: str  # an event that a plan has, and that is in quarantine
    key: str  # its id
    job: int  # it waits
    stopped_job: int  # of another plan
    change: str  # its token; it awaits an approval
    asked: str  # an event that awaits one
    group: str  # the token of the group that it is in
    group_digest: str


def tell_story(store: Store) -> Story:
    """Before there are people, so that nobody is asked."""
    publish_leads(store, ASKING)
    ids = [one.id for one in accept_batch(store, [renamed_lead(n) for n in range(3)], actor="k")]
    validate_leads(store)
    discard_events(store, Selection(ids=(ids[0],)), why="a test", actor=BY)
    both = Selection(ids=(ids[1],))
    mend_events(store, both, recipe_of([{"rename": "customer_tier", "to": "tier"}]), actor=BY)
    plan = plan_replay(store, both, catalog=CATALOG, actor=BY)
    with store.write() as tx:
        keep_dead_letter(tx, LETTER)
    add_test_alert(store, "ada@acme.example", actor=BY)
    with store.write() as tx:
        tx.execute(update(alerts).values(state="failed"))
    key = create_key(store, clients=["acme"], label="form", actor=BY)
    plans = [plan_replay(store, both, catalog=CATALOG, actor=BY).token for _ in range(2)]
    job, stopped_job = (start_plan_job(store, one, actor=BY) for one in plans)
    stop_job(store, stopped_job, actor=BY)
    asked, _ = accept_leads(store, 2, tier="enterprise")
    drive(store)
    with store.read() as tx:
        (group,) = list_groups(tx)
    return Story(
        plan=plan.token,
        discarded=ids[0],
        planned=ids[1],
        key=key.split("_")[1],
        job=job,
        stopped_job=stopped_job,
        change=_proposed(store),
        asked=asked,
        group=group.group,
        group_digest=group.digest,
    )


def _proposed(store: Store) -> str:
    """From here on acme's changes need an approval."""
    with store.write() as tx:
        require_approvals(tx, "acme", cause="a test", actor="cli:root")
    done = publish_workflow(store, lead_workflow(TEXT.replace("15m", "25m")), actor=process("x"))
    assert done.change is not None
    with store.write() as tx:  # after the roles that are given later: an older one has to count
        tx.execute(update(changes).values(proposed_at=after(3_600)))
    return done.change
