"""How the demo's leads are healed: one proposes, nobody approves their own, another says yes."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass

from connectors.registry import catalog, connector_digests, load_connectors
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.errors import Forbidden, MeshlineError
from orchestrator.domain.recipes.text import recipe_of_text
from orchestrator.domain.workflows.file import read_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.embedded.up import EXAMPLE
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.jobs.approve_with_plan import approve_with_plan
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.repair.diagnose import diagnose
from orchestrator.operations.repair.propose_fix import proposed_options
from orchestrator.operations.repair.publish_amendment import publish_amendment
from orchestrator.operations.replay.plan import ReplayPlan, plan_replay
from orchestrator.presenting.audit_lines import what, why
from orchestrator.sandbox.people import APPROVER, AUTHOR, Cast
from orchestrator.settings import Settings
from orchestrator.store.changes.views import show_change
from orchestrator.store.database.engine import Store
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.jobs import find_job
from orchestrator.store.views.quarantine.selection import Selection

_SHORT = 12  # digits of a digest
_TOLD = ("propose_change", "plan_replay", "approve_change", "go_live_change", "start_job")
"""What the audit is asked for at the end, in the order in which it happened."""


@dataclass(frozen=True, kw_only=True)
class Approved:
    """The one yes."""

    change: str  # the token of what was approved
    job: int  # that replays the leads


@dataclass(frozen=True, kw_only=True)
class Healing:
    """What the two people of the story do; every step says what it did."""

    store: Store
    config: Settings
    cast: Cast
    say: Callable[[str], None]

    def publish(self) -> Workflow:
        """The example's first version: its owner proposes it, its approver approves it."""
        connectors = catalog(load_connectors(self.config.connectors))
        workflow = read_workflow(EXAMPLE / "lead-routing.yaml", connectors)
        defined = connector_digests(self.config.connectors)
        done = publish_workflow(
            self.store,
            workflow,
            actor=self.cast.author,
            connectors=defined,
            why="the first version",
        )
        if done.change is None:
            raise MeshlineError("the example was live before the story began")
        live = decide_change(self.store, done.change, Decision.APPROVE, actor=self.cast.approver)
        self.say(f"workflow           {workflow.name} version {live.live_version}:")
        self.say(f"                   proposed by {AUTHOR}, approved by {APPROVER},")
        self.say(f"                   recovery lead {workflow.owners.recovery_lead}")
        return workflow

    def heal(self, workflow: Workflow) -> Approved:
        """Propose what the diagnosis suggests, and let somebody else say yes to it."""
        change, plan = self._propose(workflow)
        with self.store.read() as tx:
            found = show_change(tx, change)
        digest = "" if found is None else found.digest
        self.say(f"{AUTHOR} tries to approve it:")
        try:
            decide_change(self.store, change, Decision.APPROVE, actor=self.cast.author)
        except Forbidden as refused:
            self.say(f"  refused: {refused.detail}")
        else:
            raise MeshlineError("an author approved their own change")
        done = approve_with_plan(
            self.store,
            change,
            plan.token,
            actor=self.cast.approver,
            digest=plan.digest,
            seen=(digest,),
        )
        self.say(f"{APPROVER} looks at the page of the change, and says yes:")
        self.say(f"  meshline change approve {change} --digest {digest[:_SHORT]}…")
        self.say(f"  --run-plan {plan.token}")
        self.say(f"  version {done.live_version} is live, job {done.job} replays the leads")
        return Approved(change=change, job=done.job or 0)

    def _propose(self, workflow: Workflow) -> tuple[str, ReplayPlan]:
        findings = diagnose(self.store, Selection(workflow=workflow.name))
        options = shlex.join(proposed_options(findings))
        author, note = self.cast.author, "the form renamed it"
        recipe = recipe_of_text(options, note=note)
        done = publish_amendment(self.store, workflow.client, workflow.name, recipe, actor=author)
        if done.change is None or done.version is not None:
            raise MeshlineError("a version went live that nobody approved")
        every = Selection(workflow=workflow.name)
        known = catalog(load_connectors(self.config.connectors))
        plan = plan_replay(self.store, every, catalog=known, actor=author, change=done.change)
        sent = ", ".join(f"{count} to {where}" for where, count in plan.effects["send"].items())
        self.say(f"meshline quarantine recipe --workflow {workflow.name} {options} --publish")
        self.say(f"  change {done.change} is proposed: the live version with this recipe")
        self.say(
            f"meshline quarantine replay --workflow {workflow.name} --plan --change {done.change}"
        )
        self.say(f"  plan {plan.token}: sends {sent}; repeats {plan.repeats}")
        return done.change, plan

    def count_healed(self, approved: Approved) -> int:
        """Leads that the plan replayed."""
        with self.store.read() as tx:
            job = find_job(tx, approved.job)
        return 0 if job is None else job.done - job.failed

    def tell_audit(self) -> None:
        """Who proposed, who approved which digest, and what followed, by the newest row of each."""
        with self.store.read() as tx:
            for action in _TOLD:
                row = list_audit(tx, action=action, limit=1)[0]
                self.say(f"{row.actor}: {what(row)}")
                self.say(f"  {why(row)}")
