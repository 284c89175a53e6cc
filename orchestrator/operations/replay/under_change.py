"""A replay plan under a change: what would be sent once it is live, and that it is what is live."""

from __future__ import annotations

from dataclasses import dataclass, replace

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import OPEN
from orchestrator.domain.errors import Refused
from orchestrator.domain.workflows.compiled import CompiledWorkflow, compile_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.access.allow import allow
from orchestrator.operations.changes.hold import no_change
from orchestrator.store.changes.candidates import find_candidate, made_by
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.plans import StoredPlan
from orchestrator.store.quarantine.workflows import LiveWorkflow
from orchestrator.store.views.quarantine.selection import Selection


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """The version that a change would make."""

    change: str  # its token
    subject: str  # what an approval of it covers
    client: str
    workflow: str
    base_version: int | None
    compiled: CompiledWorkflow

    def selection(self, asked: Selection) -> Selection:
        """Of what was asked for only events of its workflow; those named one by one are checked."""
        if asked.ids:
            return asked
        return replace(asked, client=self.client, workflow=self.workflow)

    def check(self, live: LiveWorkflow) -> None:
        """Raises Refused where an event is of another workflow, or the change's base not live."""
        if (live.client, live.name) != (self.client, self.workflow):
            raise Refused(
                f"change {self.change} is about {self.workflow!r} of client {self.client!r}, and"
                f" an event is of {live.name!r}",
                field="change",
                fix="select events of its workflow only",
            )
        if live.version != self.base_version:
            raise Refused(
                f"change {self.change} is upon version {self.base_version}, and {live.version} is"
                " live",
                field="change",
                fix="propose it again",
            )


def candidate_of(store: Store, token: str, actor: Actor) -> Candidate:
    """What a change would make live, for whoever may replay its client's events.

    Raises NotFound, Forbidden; Refused for a change that is over.
    """
    with store.read() as tx:
        found = find_candidate(tx, token)
        if found is None:
            raise no_change(token)
        allow(tx, actor, Act.REPLAY, [found.client], unseen=no_change(token))
    if found.state not in OPEN:
        raise Refused(
            f"change {token} is {found.state}",
            field="change",
            fix="plan without it: what is live counts then",
        )
    return Candidate(
        change=token,
        subject=found.subject,
        client=found.client,
        workflow=found.workflow,
        base_version=found.base_version,
        compiled=_compiled(found.definition),
    )


def compiled_for(tx: Tx, plan: StoredPlan) -> CompiledWorkflow | None:
    """Under what a plan of a change was made; None where the change was edited since."""
    found = None if plan.change is None else find_candidate(tx, plan.change)
    if found is None or found.subject != plan.subject:
        return None
    return _compiled(found.definition)


def _compiled(definition: str) -> CompiledWorkflow:
    return compile_workflow(Workflow.from_published(orjson.loads(definition)))


def check_made(tx: Tx, plan: StoredPlan, live: LiveWorkflow | None) -> None:
    """Raises Refused where what is live is not what the plan of a change was made under."""
    made = None if live is None else made_by(tx, live.id)
    if made is not None and (made.token, made.subject) == (plan.change, plan.subject):
        return
    now = find_candidate(tx, plan.change or "")
    if now is not None and now.state in OPEN and now.subject == plan.subject:
        raise Refused(
            f"the plan goes with change {plan.change}, which is not live yet",
            field="plan",
            fix=f"`meshline change approve {plan.change} --run-plan {plan.token}` does both",
        )
    became = "was edited since" if now is not None and now.state in OPEN else "is not what is live"
    raise Refused(
        f"the plan was made under change {plan.change}, which {became}",
        field="plan",
        fix="make a new plan",
    )
