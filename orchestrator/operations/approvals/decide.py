"""Say yes or no to what one event, or a group of them, would send.

After a yes exactly that is sent: a worker compares its digest before each call. A no, and a word
that comes too late, is a quarantine.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor, Proof, who
from orchestrator.domain.acts import Act
from orchestrator.domain.approvals.deciding import (
    EventAsked,
    check_approver,
    decides_for,
    named_decider,
    stand_in_for,
)
from orchestrator.domain.approvals.requests import EventDecision, Group, RequestState, group_digest
from orchestrator.domain.changes.deciding import Grade
from orchestrator.domain.commitments import Value
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import ChangedSinceSeen, Forbidden, IllegalMove, NotFound, Refused
from orchestrator.domain.lifecycle import Move, State
from orchestrator.domain.reasons import Reason
from orchestrator.domain.whys import needed_why, optional_why
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.operations.access.allow import allow
from orchestrator.store.approvals.contents import load_contents, subject_of
from orchestrator.store.approvals.requests import (
    Ending,
    EventRequest,
    amenders_of,
    client_of_request,
    end_requests,
    events_of_group,
    last_decided,
    lock_requests,
)
from orchestrator.store.changes.absences import away_now
from orchestrator.store.changes.approvers import decider_of, deciders_of
from orchestrator.store.database.audit import record_moves
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.database.locks import hold_events, hold_people
from orchestrator.store.quarantine.actions import quarantine_rejected
from orchestrator.store.quarantine.moves import ColumnChange, move_events
from orchestrator.store.quarantine.workflows import WorkflowShelf, version_of
from orchestrator.store.views.values import iso_time, now_of


@dataclass(frozen=True, kw_only=True, slots=True)
class LeftWaiting:
    """An event of a group about which this person may not decide."""

    event: str  # its id
    detail: str  # why, in a sentence


@dataclass(frozen=True, kw_only=True, slots=True)
class DecidedEvents:
    """What became of a decision."""

    decision: str  # approve or refuse
    events: tuple[str, ...]  # ids of those that were decided about
    left: tuple[LeftWaiting, ...]  # those of the group that wait for somebody else


@dataclass(frozen=True, kw_only=True)
class _Said:
    """A decision as its transaction has it."""

    decision: EventDecision
    actor: Actor
    person: int
    grade: Grade
    why: str | None


def decide_event(
    store: Store,
    event_id: str,
    decision: EventDecision,
    *,
    actor: Actor,
    why: str | None = None,
    seen: Collection[str] = (),
) -> DecidedEvents:
    """Decide about what one event would send; approved, it is on its way at once.

    `seen` are digests, one of which it has to have still; without one it is not compared. Whoever
    refuses says why. Raises NotFound, Forbidden for whose word does not count, ChangedSinceSeen,
    IllegalMove with who decided before.
    """
    said = _said(decision, actor, why)
    with store.write(ring=decision is EventDecision.APPROVE) as tx:
        client = client_of_request(tx, event_id)
        if client is None:
            raise no_request(event_id)
        hold_people(tx)
        allow(tx, actor, Act.DECIDE_EVENT, [client], unseen=no_request(event_id))
        request = _held(tx, [event_id]).get(event_id)
        if request is None:
            raise no_request(event_id)
        _check_waits(request, now_of(tx))
        if seen and request.subject not in seen:
            raise _changed(request)
        refused = _decide(tx, [request], said)
        if error := refused.get(event_id):
            raise error
    return DecidedEvents(decision=decision.value, events=(event_id,), left=())


def decide_group(
    store: Store,
    group: Group,
    decision: EventDecision,
    *,
    actor: Actor,
    seen: Collection[str],
    why: str | None = None,
) -> DecidedEvents:
    """Decide about all events that wait in a group, which has to have one of the `seen` digests.

    Those about which this person may not decide, for they amended them, go on waiting. Raises as
    `decide_event`; Refused without a digest, Forbidden where no word of theirs counts for any.
    """
    said = _said(decision, actor, why)
    with store.write(ring=decision is EventDecision.APPROVE) as tx:
        hold_people(tx)
        allow(tx, actor, Act.DECIDE_EVENT, [group.client], unseen=no_group(group))
        if not seen:
            raise Refused(
                "a group is decided about as it was looked at",
                field="digest",
                fix=f"give the digest of the group, see `meshline approvals show {group}`",
            )
        found = _held(tx, events_of_group(tx, group))
        now = now_of(tx)
        waiting = [
            one
            for one in found.values()
            if one.state is RequestState.WAITING and one.decide_by > now
        ]
        if group_digest((one.event_id, one.subject) for one in waiting) not in seen:
            raise _group_changed(tx, group)
        refused = _decide(tx, waiting, said)
        if refused and len(refused) == len(waiting):
            raise next(iter(refused.values()))
    return DecidedEvents(
        decision=decision.value,
        events=tuple(one.event_id for one in waiting if one.event_id not in refused),
        left=tuple(LeftWaiting(event=one, detail=error.detail) for one, error in refused.items()),
    )


def no_request(event_id: str) -> NotFound:
    """What is said of an event about which nobody is asked, or that is not the asker's to see."""
    return NotFound(
        f"there is no request to approve an event {event_id!r}",
        field="event",
        fix="see `meshline approvals list`",
    )


def no_group(group: Group) -> NotFound:
    """What is said of a group in which nothing waits, or that is not the asker's to see."""
    return NotFound(
        f"there is no group {str(group)!r} in which an event waits",
        field="group",
        fix="see `meshline approvals list --groups`",
    )


def _said(decision: EventDecision, actor: Actor, why: str | None) -> _Said:
    refuses = decision is EventDecision.REFUSE
    reason = needed_why(why or "", "a refusal") if refuses else optional_why(why)
    return _Said(
        decision=decision,
        actor=actor,
        person=actor.person or 0,
        grade=Grade.API_KEY if actor.proof is Proof.KEY else Grade.SESSION,
        why=reason,
    )


def _held(tx: Tx, ids: Sequence[str]) -> dict[str, EventRequest]:
    """Their requests, in the order of asking; nobody moves these events until the end."""
    hold_events(tx, sorted(ids))
    return lock_requests(tx, ids)


def _check_waits(request: EventRequest, now: int) -> None:
    """Raises IllegalMove where nothing is asked of anybody any more, with who did what when."""
    if request.state is not RequestState.WAITING:
        at = iso_time(request.decided_at or request.asked_at)
        raise IllegalMove(
            f"event {request.event_id} awaits no approval: it was {_PAST[request.state]} at {at},"
            f" by {who(request.decided_by or '-')}",
            field="state",
            fix=f"see `meshline events show {request.event_id}`",
        )
    if request.decide_by <= now:
        raise IllegalMove(
            f"the time to decide about event {request.event_id} was over at"
            f" {iso_time(request.decide_by)}",
            field="state",
            fix="replay it from the quarantine: it asks for an approval anew",
        )


_PAST = {
    RequestState.WAITING: "asked",
    RequestState.APPROVED: "approved",
    RequestState.REFUSED: "refused",
    RequestState.LATE: "quarantined as late",
    RequestState.WITHDRAWN: "given up",
}


def _changed(request: EventRequest) -> ChangedSinceSeen:
    return ChangedSinceSeen(
        f"event {request.event_id} would not send what you looked at: it was asked for anew at"
        f" {iso_time(request.asked_at)}",
        field="digest",
        fix="look at it again, and decide then",
    )


def _group_changed(tx: Tx, group: Group) -> ChangedSinceSeen:
    last = last_decided(tx, group)
    told = (
        "an event of it would send something else by now"
        if last is None
        else f"{who(last.decided_by or '-')} decided about some of it, the last at"
        f" {iso_time(last.decided_at or 0)}"
    )
    return ChangedSinceSeen(
        f"the group {group} is not what you looked at: {told}",
        field="digest",
        fix="look at it again, and decide then",
    )


def _decide(tx: Tx, requests: Sequence[EventRequest], said: _Said) -> dict[str, Forbidden]:
    """Decide about requests of one client that are held and wait.

    Answers those about which this person may not decide, and why.
    """
    if said.actor.person is None:
        # Before there are people nobody is an approver, and a program never decides.
        raise Forbidden(
            "only a person decides about what an event sends",
            field="actor",
            fix="log in with `meshline login`",
        )
    shelf, refused = WorkflowShelf(), dict[str, Forbidden]()
    by_version: dict[int, list[EventRequest]] = {}
    for one in requests:
        by_version.setdefault(one.workflow_id, []).append(one)
    for workflow_id, some in by_version.items():
        workflow = shelf.take(tx, workflow_id)
        wrong, instead = _check_deciders(tx, some, workflow, said)
        refused |= wrong
        going = [one for one in some if one.event_id not in refused]
        _check_subjects(tx, going, workflow, version_of(tx, workflow_id))
        if said.decision is EventDecision.APPROVE:
            _approve(tx, going, said, instead)
        else:
            _refuse(tx, going, workflow, said, instead)
    return refused


Instead = Mapping[str, str | None]
"""By event, the approver who is away and in whose place somebody decides; None: nobody's."""


def _check_deciders(
    tx: Tx, requests: Sequence[EventRequest], workflow: CompiledWorkflow, said: _Said
) -> tuple[dict[str, Forbidden], Instead]:
    """About which events this person may not decide, and about which they do for another."""
    client, approver = workflow.workflow.client, workflow.workflow.owners.approver
    me, all_, away = decider_of(tx, client, said.person), deciders_of(tx, client), away_now(tx)
    amenders = amenders_of(tx, [one.event_id for one in requests])
    refused: dict[str, Forbidden] = {}
    instead: dict[str, str | None] = {}
    for event_id in (one.event_id for one in requests):
        own = amenders[event_id]
        named = named_decider(approver, all_, own)
        stand_in = stand_in_for(named, away, own)
        asked = EventAsked(amenders=own, named=named, stand_in=stand_in)
        try:
            check_approver(me, asked)
            instead[event_id] = decides_for(me.mail, asked)
        except Forbidden as error:
            refused[event_id] = error
    return refused, instead


def _check_subjects(
    tx: Tx, requests: Sequence[EventRequest], workflow: CompiledWorkflow, version: int
) -> None:
    """Raises ChangedSinceSeen where the rows would not send what was asked for."""
    found = load_contents(tx, {one.event_id: one.route for one in requests}, workflow)
    for one in requests:
        subject = subject_of(
            one.event_id,
            found[one.event_id],
            one.connectors,
            workflow=workflow,
            version=version,
            route=one.route,
            salt=one.salt,
        )
        if subject.digest() != one.subject:
            raise _changed(one)


def _approve(tx: Tx, requests: Sequence[EventRequest], said: _Said, instead: Instead) -> None:
    for one in requests:
        move_events(
            tx,
            [one.event_id],
            move=Move.APPROVE,
            source=State.AWAITING_APPROVAL,
            actor=said.actor.name,
            change=_DUE,
            detail=_detail(one, said, instead[one.event_id]),
        )
    _end(tx, requests, RequestState.APPROVED, said)


_DUE = ColumnChange(values={"due_at": now_ms(), "epoch": 0})
"""It is due now, and no message from before fits it any more."""


def _refuse(
    tx: Tx,
    requests: Sequence[EventRequest],
    workflow: CompiledWorkflow,
    said: _Said,
    instead: Instead,
) -> None:
    for one in requests:
        record_moves(
            tx,
            [one.event_id],
            actor=said.actor.name,
            action="refuse",
            source=State.AWAITING_APPROVAL,
            target=None,
            detail=_detail(one, said, instead[one.event_id]),
        )
    verdict = Rejected(reason=Reason.APPROVAL_REFUSED, detail=f"the approver said no: {said.why}")
    quarantine_rejected(
        tx,
        {(verdict, None): [one.event_id for one in requests]},
        source=State.AWAITING_APPROVAL,
        workflow=workflow.workflow,
        actor=said.actor.name,
    )
    _end(tx, requests, RequestState.REFUSED, said)


def _detail(request: EventRequest, said: _Said, instead: str | None) -> Mapping[str, object]:
    """The handoff of the decision: of which digest, how it is known who said it, and why."""
    return {
        "subject": request.subject,
        "grade": said.grade.value,
        "route": request.route,
        "why": Value(value=said.why),
        **({} if instead is None else {"for": instead}),
    }


def _end(tx: Tx, requests: Sequence[EventRequest], state: RequestState, said: _Said) -> None:
    ending = Ending(state=state, by=said.actor.name, person=said.person, grade=said.grade.value)
    end_requests(tx, [one.id for one in requests], ending)
