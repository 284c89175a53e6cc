"""Plan a replay: freeze which events, what is sent where, and what would be done twice."""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.commitments import Detail
from orchestrator.domain.delivery.effects import Effect
from orchestrator.domain.delivery.verdicts import Amended, Rejected, Routed
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import NothingSelected, Refused
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.effects import effects_of
from orchestrator.operations.access.allow import allow
from orchestrator.operations.quarantine.select import LeftAlone, select_events
from orchestrator.operations.replay.under_change import Candidate, candidate_of
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate_or_amend
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.plan_snapshot import Ground, grounds
from orchestrator.store.desk.plans import (
    PlannedEvent,
    PlannedWorkflow,
    add_plan,
    add_plan_events,
    drop_plan,
    freeze_plan,
)
from orchestrator.store.quarantine.workflows import LiveWorkflow, WorkflowShelf, require_live
from orchestrator.store.views.quarantine.selection import CHUNK, Selection

_MOST_EVENTS = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftOut:
    """An event that would be refused again."""

    id: str
    reason: str  # a code, as `Reason`
    detail: str  # the same in a sentence


@dataclass(kw_only=True)
class ReplayPlan:
    """What a plan would do."""

    token: str
    order_by: str | None = None  # a fact
    change: str | None = None  # the token of the change under which it was made; None: what is live
    digest: str = ""  # over its events and what is done with each
    events: int = 0
    effects: dict[str, dict[str, int]] = field(default_factory=dict)  # by effect and destination
    repeats: int = 0  # deliveries that may arrive twice
    workflows: list[PlannedWorkflow] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    skipped: list[LeftAlone] = field(default_factory=list)  # not in quarantine


def plan_replay(
    store: Store,
    selection: Selection,
    *,
    catalog: Catalog,
    actor: Actor,
    order_by: str | None = None,
    change: str | None = None,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> ReplayPlan:
    """Freeze the selected events in the order of their acceptance; nothing is sent yet.

    Those for which the fact `order_by` is the same go one after the other, each when the one before
    it is at its end. Events that would come straight back are left out, with the reason.
    `progress` gets, after each chunk, how many of how many were looked at.

    With the token of a `change` it is made under the version that this would make, and runs once
    that is live. Raises NotFound, Refused for a selection without a condition or without one event
    that would pass, and for a fact that a workflow does not have.
    """
    candidate = None if change is None else candidate_of(store, change, actor)
    selection = selection if candidate is None else candidate.selection(selection)
    ids, skipped = select_events(store, selection, actor=actor, act=Act.REPLAY, accepted_first=True)
    token = secrets.token_hex(6)
    plan = ReplayPlan(token=token, order_by=order_by, change=change, skipped=skipped)
    with store.write() as tx:
        described = _described(selection)
        under = None if candidate is None else (candidate.change, candidate.subject)
        number = add_plan(
            tx, plan.token, described, actor=actor.name, order_by=order_by, change=under
        )
    freezer = _Freezer(plan, catalog, candidate)
    try:
        _freeze(store, number, freezer, ids[:_MOST_EVENTS], progress=progress)
    except Refused:
        with store.write() as tx:
            drop_plan(tx, number)
        raise
    with store.write() as tx:
        allow(tx, actor, Act.REPLAY, {one.client for one in plan.workflows})
        freeze_plan(
            tx,
            number,
            workflows=plan.workflows,
            effects=plan.effects,
            left_out=_counted(plan.left_out),
            count=plan.events,
            repeats=plan.repeats,
            digest=plan.digest,
        )
        detail = {"plan": plan.token, "events": plan.events, "effects": plan.effects}
        if change is not None:
            detail |= {"change": change, "digest": plan.digest}
        record_plan(tx, plan.workflows, actor=actor, action="plan_replay", detail=detail)
    return plan


def _freeze(
    store: Store,
    number: int,
    freezer: _Freezer,
    ids: Sequence[str],
    *,
    progress: Callable[[int, int], None],
) -> None:
    """Write the events down, chunk by chunk. Raises Refused where none is left."""
    plan = freezer.plan
    for at in range(0, len(ids), CHUNK):
        with store.read() as tx:
            frozen = freezer.freeze(tx, ids[at : at + CHUNK])
        with store.write() as tx:
            add_plan_events(tx, number, frozen)
        progress(min(at + CHUNK, len(ids)), len(ids))
    if not plan.events:
        raise _nothing(plan)
    plan.digest = freezer.digest()


def record_plan(
    tx: Tx,
    workflows: Iterable[PlannedWorkflow],
    *,
    actor: Actor,
    action: str,
    detail: Detail,
) -> None:
    """Write down what a person does with a plan, once for each workflow that it is about."""
    for one in workflows:
        audit.record(
            tx,
            actor=actor.name,
            action=action,
            client=one.client,
            workflow=one.workflow,
            detail=detail,
        )


class _Freezer:
    """Decides on events as their stages will, and counts."""

    def __init__(self, plan: ReplayPlan, catalog: Catalog, candidate: Candidate | None) -> None:
        self.plan = plan
        self._candidate = candidate
        self._hash = hashlib.sha256(f"{plan.token} {plan.order_by} {plan.change}".encode())
        self._catalog = catalog
        self._shelf = WorkflowShelf()
        self._last: dict[tuple[int, str], int] = {}  # by workflow and digest: the last place

    def freeze(self, tx: Tx, ids: Iterable[str]) -> list[PlannedEvent]:
        frozen = []
        wanted = list(ids)
        found = grounds(tx, wanted)
        live: dict[tuple[str, str], LiveWorkflow] = {}
        for event_id in wanted:
            if (ground := found.get(event_id)) is None:
                continue  # it left the quarantine while it was planned
            if (home := ground.homeless) is not None:
                why = home.reason or Reason.NO_WORKFLOW
                self.plan.left_out.append(
                    LeftOut(id=event_id, reason=why.value, detail=home.detail)
                )
                continue
            of = ground.client, ground.workflow
            live[of] = live.get(of) or self._note(require_live(tx, *of))
            if (planned := self._decide(tx, ground, live[of])) is not None:
                frozen.append(planned)
                self._hash.update(orjson.dumps(planned))
        return frozen

    def digest(self) -> str:
        """64 hex digits over all that was frozen."""
        return self._hash.hexdigest()

    def _note(self, live: LiveWorkflow) -> LiveWorkflow:
        if self._candidate is not None:
            self._candidate.check(live)
        told = PlannedWorkflow(
            client=live.client, workflow=live.name, version=live.version, id=live.id
        )
        if told not in self.plan.workflows:
            self.plan.workflows.append(told)
        return live

    def _decide(self, tx: Tx, ground: Ground, live: LiveWorkflow) -> PlannedEvent | None:
        plan = self.plan
        workflow = self._compiled(tx, live)
        routed = routed_now(ground.payload, workflow)
        if isinstance(routed, Rejected):
            plan.left_out.append(
                LeftOut(id=ground.event_id, reason=routed.reason.value, detail=routed.detail)
            )
            return None
        effects = effects_of(routed.deliveries, ground.deliveries, self._catalog)
        for one in effects:
            counts = plan.effects.setdefault(one.effect, {})
            counts[one.destination] = counts.get(one.destination, 0) + 1
            plan.repeats += one.effect == Effect.AGAIN
        plan.events += 1
        return PlannedEvent(
            place=plan.events - 1,
            event_id=ground.event_id,
            ground=ground.digest,
            effects=effects,
            behind=self._behind(ground.payload, workflow, live.id),
        )

    def _compiled(self, tx: Tx, live: LiveWorkflow) -> CompiledWorkflow:
        if self._candidate is not None:
            return self._candidate.compiled
        return self._shelf.take(tx, live.id)

    def _behind(self, payload: object, workflow: CompiledWorkflow, version: int) -> int | None:
        """The place of the last event before this one whose fact is the same."""
        name = self.plan.order_by
        if name is None:
            return None
        known = [fact.name for fact in workflow.facts.facts]
        if name not in known:
            raise Refused(
                f"the workflow {workflow.workflow.name!r} has no fact {name!r}",
                field="order-by",
                fix=did_you_mean(name, known),
            )
        facts = workflow.facts.read(_taken(payload, workflow))
        if isinstance(facts, Rejected) or name not in facts:
            return None
        key = version, strict_json.digest(facts[name])
        before = self._last.get(key)
        self._last[key] = self.plan.events - 1
        return before


def routed_now(payload: object, workflow: CompiledWorkflow) -> Routed | Rejected:
    """What the stages will make of a payload."""
    taken = _taken(payload, workflow)
    return taken if isinstance(taken, Rejected) else route(taken, workflow)


def _taken(payload: object, workflow: CompiledWorkflow) -> object:
    """The payload as the first stage will hand it on, or Rejected."""
    verdict = validate_or_amend(payload, workflow)
    if isinstance(verdict, Rejected):
        return verdict
    return verdict.payload if isinstance(verdict, Amended) else payload


def _described(selection: Selection) -> dict[str, object]:
    return {
        name: value
        for name, value in asdict(selection).items()
        if value not in (None, ()) and name != "clients"
    }


def _counted(left_out: Iterable[LeftOut]) -> dict[str, int]:
    return dict(Counter(one.reason for one in left_out))


_MEND = "mend them first, with `meshline quarantine recipe`"
_PUBLISH = "publish a workflow that takes the type first"


def _nothing(plan: ReplayPlan) -> Refused:
    if not plan.left_out:
        return NothingSelected(
            "none of these events is in quarantine",
            field="selection",
            fix="see `meshline quarantine list`",
        )
    first = plan.left_out[0]
    return Refused(
        f"none of {len(plan.left_out)} events would pass; the first: {first.detail}",
        field="plan",
        fix=_PUBLISH if first.reason == Reason.NO_WORKFLOW else _MEND,
    )
