"""Gather what a rehearsal is run with: the change, and real payloads with made-up persons."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import OPEN, ChangeKind, ChangeState
from orchestrator.domain.changes.subject import definition_digest
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import Refused
from orchestrator.domain.personal.faking import Faker
from orchestrator.domain.personal.places import PersonalPlaces
from orchestrator.domain.workflows.compiled import CompiledWorkflow, compile_workflow
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.access.allow import allow
from orchestrator.operations.changes.hold import no_change
from orchestrator.pipeline.validate import validate_or_amend
from orchestrator.store.changes.changes import LockedChange, find_locked
from orchestrator.store.changes.recent_payloads import payloads_that_came, recent_events
from orchestrator.store.database.engine import Store

EVENTS = 50
"""Real events that are rehearsed where nobody says how many."""

MOST_EVENTS = 500
_DAYS = 28


@dataclass(frozen=True, kw_only=True)
class Case:
    """One payload that is rehearsed."""

    name: str  # the id of the event that it was made of, or the name of a test
    payload: object  # JSON


@dataclass(frozen=True, kw_only=True)
class Material:
    """What a rehearsal is run with."""

    change: str  # its token
    client: str
    workflow: str
    trigger: str  # the type of its events
    round: int
    definition: str  # JSON
    digest: str  # of the definition: 64 hex digits
    cases: tuple[Case, ...]
    real: int  # of these, the ones made of events
    replaced: int  # personal values that were made up
    left_out: int  # events whose made-up payload the contract does not take as it took theirs


def gather_material(
    store: Store,
    token: str,
    *,
    actor: Actor,
    events: int = EVENTS,
    file: Workflow | None = None,
) -> Material:
    """The change, the newest events of its workflow, and the tests of its file, where it is given.

    Nothing is written. Raises NotFound, Forbidden, and Refused where there is nothing to rehearse,
    the change is approved or over, or the file is not the change's.
    """
    with store.read() as tx:
        change = find_locked(tx, token)
        if change is None:
            raise no_change(token)
        allow(tx, actor, Act.REHEARSE_CHANGE, [change.client], unseen=no_change(token))
        check_rehearsable(change)
        workflow = Workflow.from_published(orjson.loads(change.definition))
        if file is not None:
            _check_same(file, change)
        recent = recent_events(tx, change.client, change.workflow, days=_DAYS, most=events)
        payloads = payloads_that_came(tx, recent.ids)
    faker = Faker(PersonalPlaces(workflow.contract), secrets.token_bytes(32))
    real = _made_up(payloads, faker, compile_workflow(workflow))
    tests = () if file is None else file.tests
    cases = (*real, *(Case(name=one.name, payload=one.payload) for one in tests))
    if not cases:
        raise _nothing(change)
    return Material(
        change=token,
        client=change.client,
        workflow=change.workflow,
        trigger=workflow.trigger_type,
        round=change.round,
        definition=change.definition,
        digest=definition_digest(orjson.loads(change.definition)),
        cases=cases,
        real=len(real),
        replaced=faker.replaced,
        left_out=len(payloads) - len(real),
    )


def _made_up(
    payloads: Sequence[tuple[str, object]], faker: Faker, compiled: CompiledWorkflow
) -> list[Case]:
    """Those that the contract takes, where it took what came."""
    made = ((name, came, faker.payload(came)) for name, came in payloads)
    return [
        Case(name=name, payload=payload)
        for name, came, payload in made
        if _same_verdict(came, payload, compiled)
    ]


def _nothing(change: LockedChange) -> Refused:
    return Refused(
        f"no event of {change.workflow!r} came in the last {_DAYS} days, so there is nothing to"
        " rehearse",
        field="events",
        fix="name its file with --file: its tests are rehearsed then",
    )


def check_rehearsable(change: LockedChange) -> None:
    """Raises Refused where what a rehearsal finds could not be a part of what is approved."""
    if change.kind in (ChangeKind.RETIRE, ChangeKind.ROLLBACK):
        raise Refused(
            f"change {change.token} is to {change.kind} a workflow: there is nothing to rehearse",
            field="change",
            fix="rehearse a change that makes a new version",
        )
    if change.state in OPEN and change.state is not ChangeState.APPROVED:
        return
    state = change.state.replace("_", " ")
    raise Refused(
        f"change {change.token} is {state} already",
        field="change",
        fix="rehearse one before it is approved, see `meshline change list`",
    )


def _check_same(file: Workflow, change: LockedChange) -> None:
    # As it is kept: what a version says is what was read from JSON.
    said = orjson.loads(orjson.dumps(file.definition()))
    if said != orjson.loads(change.definition):
        raise Refused(
            f"the file says something else than change {change.token}",
            field="file",
            fix=f"name the file that was proposed, or propose this: `--change {change.token}`",
        )


def _same_verdict(came: object, made: object, compiled: CompiledWorkflow) -> bool:
    """Whether the contract takes the made-up payload, where it took what came."""
    if isinstance(validate_or_amend(came, compiled), Rejected):
        return True
    return not isinstance(validate_or_amend(made, compiled), Rejected)
