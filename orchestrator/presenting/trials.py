"""A trial of a payload with the line of the workflow's file that each of its parts comes from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from orchestrator.domain.delivery.verdicts import Rejected, Routed
from orchestrator.domain.documents.json_pointer import pointer_steps
from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.workflows.cel.text import paths_from, tokens
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.sending.fields import CompiledDestination, SentField
from orchestrator.pipeline.trial import Trial

Lines = Callable[[str], int | None]
"""The line of a dotted path in the workflow's file; None where there is no file."""


@dataclass(frozen=True, kw_only=True)
class ShownViolation:
    """One way in which the payload breaks the contract."""

    path: str  # JSON Pointer into the payload
    kind: str
    message: str
    hint: str | None
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownStep:
    """A step of `amend` that changed the payload."""

    step: int  # its number, from 1
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownContract:
    """What the contract says of the payload."""

    holds: bool  # as it came, or as it was amended
    amended_by: tuple[ShownStep, ...]  # none where it was not
    violations: tuple[ShownViolation, ...]  # of the payload as it came
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownFact:
    """One fact."""

    name: str
    expression: str
    value: object  # null where there is none, or where it is null
    missing: str | None  # why there is none
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownRoute:
    """The route that matched."""

    number: int  # from 1
    when: str
    to: tuple[str, ...]
    approve_within: str | None  # how long the approver has to say yes; null: nobody is asked
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownField:
    """A field that is sent."""

    field: str
    value: object
    expression: str
    defaulted: bool  # its stated default is sent, for a fact in the expression is absent
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownOmission:
    """A field that is not sent."""

    field: str
    absent: tuple[str, ...]  # the facts, or parts of its item, that it needs; one has no value
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownOpen:
    """A field that is computed once the records are known that it uses."""

    field: str
    awaits: tuple[str, ...]  # parts of records, as `crm.url`
    expression: str
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownProof:
    """A field that is read back and compared."""

    field: str
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownDelivery:
    """What one destination would be sent, and what of it would be read back and compared."""

    destination: str
    item: str | int | None  # the key of the item that it is for; null: for the whole event
    connector: str
    action: str
    after: tuple[str, ...]  # destinations that are confirmed before it is sent
    sends: tuple[ShownField, ...]
    awaits: tuple[ShownOpen, ...]  # sent too, and not known before
    omits: tuple[ShownOmission, ...]
    confirms: tuple[ShownProof, ...]  # none: the action gives a receipt
    line: int | None


@dataclass(frozen=True, kw_only=True)
class ShownQuarantine:
    """Why the event would be quarantined."""

    stage: str
    reason: str
    detail: str
    owner: str
    recovery_lead: str
    line: int | None  # of what stopped it


@dataclass(frozen=True, kw_only=True)
class ShownTrial:
    """A trial, as `--json` has it."""

    outcome: str  # routed or quarantined
    contract: ShownContract
    facts: tuple[ShownFact, ...]
    route: ShownRoute | None
    deliveries: tuple[ShownDelivery, ...]
    quarantine: ShownQuarantine | None


def shown_trial(trial: Trial, workflow: CompiledWorkflow, line: Lines) -> ShownTrial:
    """The trial with the lines of the workflow's file."""
    routed = trial.outcome if isinstance(trial.outcome, Routed) else None
    return ShownTrial(
        outcome="routed" if routed else "quarantined",
        contract=_contract(trial, line),
        facts=tuple(
            ShownFact(
                name=fact.name,
                expression=fact.text,
                value=fact.value,
                missing=fact.missing,
                line=line(f"facts.{fact.name}"),
            )
            for fact in trial.facts
        ),
        route=_route(trial, workflow, line),
        deliveries=tuple(_deliveries(trial, routed, workflow, line)) if routed else (),
        quarantine=_quarantine(trial, workflow, line),
    )


def _contract(trial: Trial, line: Lines) -> ShownContract:
    broken = trial.came if isinstance(trial.came, Rejected) else None
    steps = trial.amended.steps if trial.amended else ()
    return ShownContract(
        holds=broken is None or trial.amended is not None,
        amended_by=tuple(ShownStep(step=one + 1, line=line(f"amend.{one}")) for one in steps),
        violations=tuple(
            ShownViolation(
                path=one.path,
                kind=one.kind,
                message=one.message,
                hint=one.hint,
                line=line(f"contract{_dotted(one.schema_path)}"),
            )
            for one in (broken.violations if broken else ())
        ),
        line=line("contract"),
    )


def _first_broken(outcome: Rejected) -> str:
    return f"contract{_dotted(outcome.violations[0].schema_path) if outcome.violations else ''}"


def _dotted(pointer: str) -> str:
    return "".join(f".{step}" for step in pointer_steps(pointer))


def _route(trial: Trial, workflow: CompiledWorkflow, line: Lines) -> ShownRoute | None:
    if trial.route is None:
        return None
    route = workflow.workflow.routes[trial.route]
    return ShownRoute(
        number=trial.route + 1,
        when=route.when,
        to=route.to,
        approve_within=route.approve.within if route.approve else None,
        line=line(f"routes.{trial.route}"),
    )


def _deliveries(
    trial: Trial, routed: Routed, workflow: CompiledWorkflow, line: Lines
) -> Iterator[ShownDelivery]:
    compiled = {one.name: one for one in workflow.routes[routed.route]}
    for planned in routed.deliveries:
        yield _delivery(trial, planned, compiled[planned.destination], line)


def _delivery(
    trial: Trial, planned: PlannedDelivery, destination: CompiledDestination, line: Lines
) -> ShownDelivery:
    path = f"destinations.{planned.destination}"
    confirm, sends, awaits, omits = destination.confirm, [], [], []
    for field in destination.fields:
        at = line(f"{path}.send.{field.name}")
        if field.name in planned.send:
            value = planned.send[field.name]
            defaulted = field.name in planned.defaulted
            sends.append(
                ShownField(
                    field=field.name,
                    value=value,
                    expression=field.text,
                    defaulted=defaulted,
                    line=at,
                )
            )
        elif field.name in planned.left_open:
            shown = ShownOpen(field=field.name, awaits=field.awaits, expression=field.text, line=at)
            awaits.append(shown)
        else:
            absent = _absent(field, destination, trial)
            omits.append(ShownOmission(field=field.name, absent=absent, line=at))
    return ShownDelivery(
        destination=planned.destination,
        item=planned.item,
        connector=planned.connector,
        action=planned.action,
        after=planned.after,
        sends=tuple(sends),
        awaits=tuple(awaits),
        omits=tuple(omits),
        confirms=tuple(
            ShownProof(field=name, line=line(f"{path}.confirm.{confirm.index(name)}"))
            for name in planned.confirm
        ),
        line=line(path),
    )


def _absent(field: SentField, destination: CompiledDestination, trial: Trial) -> tuple[str, ...]:
    """The facts that a field lacks; where it lacks none, what it uses of its item."""
    variable = destination.items.variable if destination.items else None
    facts = [name for name in field.needs if name not in (*trial.present, variable)]
    if facts or variable is None:
        return tuple(facts)
    return tuple(dict.fromkeys(paths_from(variable, tokens(field.text))))


def _quarantine(trial: Trial, workflow: CompiledWorkflow, line: Lines) -> ShownQuarantine | None:
    outcome = trial.outcome
    if not isinstance(outcome, Rejected):
        return None
    return ShownQuarantine(
        stage=trial.stage.value,
        reason=outcome.reason.value,
        detail=outcome.detail,
        owner=workflow.workflow.owners.owner,
        recovery_lead=workflow.workflow.owners.recovery_lead,
        line=line(outcome.path or _first_broken(outcome)),
    )
