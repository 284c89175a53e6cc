"""A trial of a payload, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.terminal.screen import put_line
from orchestrator.domain.text.abbreviate import abbreviate

if TYPE_CHECKING:
    from orchestrator.presenting.trials import ShownContract, ShownDelivery, ShownFact, ShownTrial

_LONGEST = 500  # characters of a value; --json has the whole


def put_trial(title: str, trial: ShownTrial) -> None:
    """The trial under its title."""
    stopped = trial.quarantine
    put_line(f"{title}: would be {f'quarantined: {stopped.reason}' if stopped else 'routed'}")
    _put_contract(trial.contract)
    for fact in trial.facts:
        _put_fact(fact)
    if route := trial.route:
        _put(f"route {route.number}: {route.when}, to {', '.join(route.to)}", route.line)
        if route.approve_within:
            asks = f"waits for the approver's yes, at most {route.approve_within}"
            _put(f"{asks}; then it is quarantined", route.line)
    for delivery in trial.deliveries:
        _put_delivery(delivery)
    if stopped:
        _put(f"quarantined in {stopped.stage}: {stopped.detail}", stopped.line)
        _put(f"owner {stopped.owner}, recovery lead {stopped.recovery_lead}", None)


def _put_contract(contract: ShownContract) -> None:
    for violation in contract.violations:
        hint = f"; {violation.hint}" if violation.hint else ""
        where = violation.path or "the payload"
        _put(f"contract: {where}: {violation.message}{hint}", violation.line)
    for step in contract.amended_by:
        _put(f"contract: mended by step {step.step} of amend", step.line)
    if contract.holds:
        _put("contract: holds", contract.line)


def _put_fact(fact: ShownFact) -> None:
    if fact.missing is None:
        _put(f"fact {fact.name} = {_value(fact.value)}", fact.line)
    else:
        _put(f"fact {fact.name} has no value: {fact.missing}", fact.line)


def _put_delivery(delivery: ShownDelivery) -> None:
    called = f"{delivery.connector}.{delivery.action}"
    item = "" if delivery.item is None else f", item {_value(delivery.item)}"
    after = f", after {', '.join(delivery.after)}" if delivery.after else ""
    _put(f"{delivery.destination}{item}: {called}{after}", delivery.line)
    for field in delivery.sends:
        by_default = " (its default)" if field.defaulted else ""
        _put(f"  sends {field.field} = {_value(field.value)}{by_default}", field.line)
    for one in delivery.awaits:
        made = "is" if len(delivery.after) == 1 else "are"
        when = f"when {' and '.join(delivery.after)} {made} confirmed"
        _put(f"  sends {one.field}, computed {when}: {one.expression}", one.line)
    for omitted in delivery.omits:
        absent = " or ".join(omitted.absent)
        _put(f"  omits {omitted.field}: {absent} is absent", omitted.line)
    for proof in delivery.confirms:
        _put(f"  confirms {proof.field}", proof.line)
    if not delivery.confirms:
        _put("  confirms nothing: it gives a receipt", None)


def _put(text: str, line: int | None) -> None:
    put_line(f"  {text}{f'  (line {line})' if line else ''}")


def _value(value: object) -> str:
    return abbreviate(value, _LONGEST)
