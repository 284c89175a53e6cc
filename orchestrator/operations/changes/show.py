"""Look at a change, and say what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from orchestrator.domain.changes.gates.evidence import Commit, ContractTrial, read_evidence
from orchestrator.domain.changes.gates.gate import JudgedGate
from orchestrator.domain.changes.rehearsing.result import Rehearsal
from orchestrator.domain.changes.states import OPEN, UNFINISHED, ChangeKind, ChangeState
from orchestrator.domain.changes.words.difference import difference_in_words
from orchestrator.domain.changes.words.wording import Direction, Part, Wording
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.changes.gates.judge import judged_gates
from orchestrator.operations.changes.hold import no_change
from orchestrator.operations.changes.rollout.figures import RolloutFigures, figures_of
from orchestrator.operations.changes.who_decides import NOBODY_ASKED, Deciders, who_decides
from orchestrator.store.changes.backtests import Backtest, find_backtest
from orchestrator.store.changes.changes import rolling_change
from orchestrator.store.changes.evidence import gate_subject, list_evidence
from orchestrator.store.changes.freezes import Freeze, list_freezes
from orchestrator.store.changes.steps import ChangeStep, list_steps
from orchestrator.store.changes.views import ChangeView, show_change
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plans import last_plan_of
from orchestrator.store.views.values import iso, now_of
from orchestrator.store.views.workflow_versions import show_workflow


def find_change(tx: Tx, token: str, clients: frozenset[str] | None) -> ChangeView:
    """A change of one of these clients; None: of any. Raises NotFound."""
    found = show_change(tx, token, clients)
    if found is None:
        raise no_change(token)
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class MayNot:
    """An approver whose word about a change does not count."""

    mail: str
    why: str  # one sentence, to them


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanOfChange:
    """The replay plan that was made under a change as it is."""

    token: str
    digest: str | None  # over its events and what is done with each
    events: int
    planned_by: str  # an actor, on whose word it runs


@dataclass(frozen=True, kw_only=True, slots=True)
class ExplainedChange(ChangeView):
    """A change with what it means, for who decides about it."""

    words: tuple[Wording, ...]  # its differences, in sentences
    commit: Commit | None  # that it comes from, as whoever proposed it says
    contract: ContractTrial | None  # None: nothing was live before, or it was not recorded
    gates: tuple[JudgedGate, ...]  # as they are now; none of a retirement or a rollback
    backtest: Backtest | None  # the newest of it as it is; None: nobody asked for one
    rehearsal: Rehearsal | None  # of it as it is; None: it was not rehearsed
    figures: RolloutFigures | None  # of its rollout; None: none began
    steps: tuple[ChangeStep, ...]  # what happened to it, as the audit has it, the oldest first
    freeze: Freeze | None  # that holds it back when its time comes; None: none does
    waits_for: str | None  # the token of the change whose rollout it waits for, while it is open
    plan: PlanOfChange | None  # the newest; None: nobody made one, or it was edited since
    may_decide: tuple[str, ...]  # mail addresses, while it awaits a decision; none: nobody may
    may_not: tuple[MayNot, ...]  # the other approvers of its client, then


def explain_change(tx: Tx, token: str, clients: frozenset[str] | None) -> ExplainedChange:
    """A change with its differences in words, its gates, and who may decide about it.

    Raises NotFound, Refused.
    """
    return explain_to(tx, token, clients)[0]


def explain_to(
    tx: Tx, token: str, clients: frozenset[str] | None
) -> tuple[ExplainedChange, Deciders]:
    """The same, with who decides, for a page that tells its reader whether they may."""
    found = find_change(tx, token, clients)
    subject = gate_subject(tx, token)
    if subject is None:
        raise no_change(token)
    pieces = list_evidence(tx, subject)
    lost = _is_lost(found)
    evidence = read_evidence(pieces)
    asks = found.state == ChangeState.AWAITING_APPROVAL
    deciders = who_decides(tx, [subject.id])[subject.id] if asks else NOBODY_ASKED
    explained = ExplainedChange(
        **{one.name: getattr(found, one.name) for one in fields(found)},
        words=words_of(tx, found),
        commit=evidence.commit,
        contract=evidence.contract,
        gates=() if lost else judged_gates(tx, subject, pieces),
        backtest=find_backtest(tx, found.change, found.round, found.base_version),
        rehearsal=evidence.rehearsal,
        figures=figures_of(tx, found),
        steps=list_steps(tx, found.change),
        freeze=_freeze_of(tx, found) if found.state in UNFINISHED else None,
        waits_for=_waits_for(tx, found),
        plan=_plan_of(tx, found),
        may_decide=deciders.mails,
        may_not=_others(deciders),
    )
    return explained, deciders


def _waits_for(tx: Tx, change: ChangeView) -> str | None:
    if change.state not in OPEN:
        return None
    return rolling_change(tx, change.client, change.workflow)


def _plan_of(tx: Tx, change: ChangeView) -> PlanOfChange | None:
    plan = last_plan_of(tx, change.change)
    if plan is None or plan.subject != change.digest:
        return None
    return PlanOfChange(
        token=plan.token, digest=plan.digest, events=plan.events, planned_by=plan.planned_by
    )


def _others(deciders: Deciders) -> tuple[MayNot, ...]:
    reasons = ((one.mail, deciders.why_not(one.mail)) for one in deciders.known)
    return tuple(MayNot(mail=mail, why=why) for mail, why in reasons if why is not None)


def words_of(tx: Tx, change: ChangeView) -> tuple[Wording, ...]:
    """What a change changes, in sentences."""
    if _is_lost(change):
        return _UNREADABLE
    after = None if change.kind == ChangeKind.RETIRE else _read(change.definition)
    return difference_in_words(_base_of(tx, change), after)


def _is_lost(change: ChangeView) -> bool:
    """Whether its file cannot be read any more."""
    return change.kind != ChangeKind.RETIRE and _read(change.definition) is None


def _freeze_of(tx: Tx, change: ChangeView) -> Freeze | None:
    """The first one of its client that is not over when the change would go live."""
    at = max(iso(now_of(tx)) or "", change.go_live_at or "")
    return next(
        (one for one in list_freezes(tx, client=change.client) if one.since <= at < one.until), None
    )


def _base_of(tx: Tx, change: ChangeView) -> Workflow | None:
    """What was live when it was proposed."""
    if change.base_version is None:
        return None
    base = show_workflow(tx, change.client, change.workflow, version=change.base_version)
    return None if base is None else _read(base.shown.definition)


def _read(definition: Mapping[str, object]) -> Workflow | None:
    """Also what an older rule let in; None where it cannot be read at all."""
    try:
        return Workflow.from_published(definition)
    except ValueError:
        return None


_UNREADABLE = (
    Wording(
        part=Part.WORKFLOW,
        direction=Direction.CHANGED,
        says="its file is not right any more: see the places that differ, and propose it again",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Settled:
    """What became of a change."""

    change: str  # its token
    client: str
    workflow: str
    state: str  # a ChangeState
    live_version: int | None  # that it made; None: not yet, or none
    go_live_at: str | None  # ISO 8601 in UTC; None: it waits for no time
    expires_at: str  # of one that is open: when nobody decided in time
    waits_for: str | None  # the token of the change whose rollout it waits for, while it is open
    job: int | None = None  # that runs the replay plan which was approved with it


def settled(tx: Tx, token: str) -> Settled:
    """What became of it. Raises NotFound."""
    found = find_change(tx, token, None)
    return Settled(
        change=found.change,
        client=found.client,
        workflow=found.workflow,
        state=found.state,
        live_version=found.live_version,
        go_live_at=found.go_live_at,
        expires_at=found.expires_at,
        waits_for=_waits_for(tx, found),
    )
