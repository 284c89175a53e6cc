"""A workflow's destinations against what the connectors declare that they can do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from orchestrator.domain.delivery.handoff import Action, Proof
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.workflows.cel.text import names, tokens
from orchestrator.domain.workflows.sending.records import parts_used, record_word
from orchestrator.domain.workflows.workflow import Destination, Fact, Sent, Workflow

Catalog = Mapping[str, Mapping[str, Action]]
"""The actions by connector and name."""


def destination_faults(
    destinations: Mapping[str, Destination | None],
    facts: Mapping[str, Fact | None],
    catalog: Catalog,
) -> list[Fault]:
    """Where a destination asks a connector for what it does not do; None cannot be read."""
    optional = {name for name, fact in facts.items() if fact and fact.optional}
    found: list[Fault] = []
    for name, destination in destinations.items():
        if destination:
            found += _faults(f"destinations.{name}", destination, optional, catalog)
            found += _record_faults(name, destination, destinations, catalog)
    return found


def undo_faults(
    on_failure: object, destinations: Mapping[str, Destination | None], catalog: Catalog
) -> list[Fault]:
    """Where a workflow counts on an undo that none of its destinations has."""
    known = [one for one in destinations.values() if one]
    actions = (catalog.get(one.connector, {}).get(one.action) for one in known)
    if on_failure != "undo" or any(action and action.can_undo for action in actions):
        return []
    problem = "none of the destinations has an action that can be taken back"
    return [Fault(path="on_failure", problem=problem, fix="write on_failure: quarantine")]


def with_required(workflow: Workflow, catalog: Catalog) -> Workflow:
    """The workflow with what its actions must be sent written into its destinations."""
    destinations = {}
    for name, one in workflow.destinations.items():
        required = tuple(sorted(catalog[one.connector][one.action].required))
        destinations[name] = one.model_copy(update={"required": required})
    return workflow.model_copy(update={"destinations": destinations})


def _faults(
    path: str, destination: Destination, optional: set[str], catalog: Catalog
) -> Iterator[Fault]:
    actions = catalog.get(destination.connector)
    if actions is None:
        problem = f"there is no connector `{destination.connector}`"
        fix = did_you_mean(destination.connector, catalog)
        yield Fault(path=f"{path}.connector", problem=problem, fix=fix)
        return
    action = actions.get(destination.action)
    if action is None:
        problem = f"the connector `{destination.connector}` has no action `{destination.action}`"
        fix = did_you_mean(destination.action, actions)
        yield Fault(path=f"{path}.action", problem=problem, fix=fix)
        return
    yield from _send_faults(path, destination, action)
    if action.proof is Proof.RECEIPT:
        yield from _receipt_faults(path, destination, action)
    else:
        yield from _confirm_faults(path, destination, action, optional)


def _record_faults(
    name: str,
    destination: Destination,
    destinations: Mapping[str, Destination | None],
    catalog: Catalog,
) -> Iterator[Fault]:
    """Where it wants of a record before it what the action there does not say."""
    for other in destination.after:
        before = destinations.get(other)
        action = catalog.get(before.connector, {}).get(before.action) if before else None
        if action is None:
            continue
        for field, sent in destination.send.items():
            used = parts_used(tokens(sent.value), (other,))
            yield from _unsaid(f"destinations.{name}.send.{field}", sent, used, other, action)


def _unsaid(
    path: str, sent: Sent, used: Collection[str], other: str, action: Action
) -> Iterator[Fault]:
    word = record_word(other)
    if f"{word}.url" in used and not action.gives_url:
        problem = f"`{action.name}`, which makes the record of `{other}`, says no address of it"
        alone = sent.default is None
        fix = "add `url: ...` to the action's definition"
        fix += f", or write {{value: {sent.value}, default: ...}}" if alone else ""
        yield Fault(path=path, problem=problem, fix=fix, is_note=not alone)
    if f"{word}.record_id" in used and action.proof is Proof.RECEIPT:
        problem = f"`{action.name}` gives a receipt: `{word}.record_id` may be no record's id"
        fix = "use it only where the id of the receipt will do"
        yield Fault(path=path, problem=problem, fix=fix, is_note=True)


def _send_faults(path: str, destination: Destination, action: Action) -> Iterator[Fault]:
    for field in sorted(action.required - destination.send.keys()):
        problem = f"`{action.name}` must be sent `{field}`"
        yield Fault(path=f"{path}.send", problem=problem, fix=f"add `{field}: ...`")
    known = action.required | action.optional
    for field in destination.send:
        if field not in known and not action.open_fields:
            problem = f"`{action.name}` takes no field `{field}`"
            fix = did_you_mean(field, sorted(known))
            yield Fault(path=f"{path}.send.{field}", problem=problem, fix=fix)


def _receipt_faults(path: str, destination: Destination, action: Action) -> Iterator[Fault]:
    if destination.confirm:
        yield Fault(
            path=f"{path}.confirm",
            problem=f"`{action.name}` cannot be read back",
            fix="take `confirm` out: what is delivered there is counted as receipted",
        )


def _confirm_faults(
    path: str, destination: Destination, action: Action, optional: set[str]
) -> Iterator[Fault]:
    for place, field in enumerate(destination.confirm):
        if field in destination.send and action.readable and field not in action.readable:
            problem = f"`{action.name}` does not give `{field}` back"
            fix = did_you_mean(field, sorted(action.readable))
            yield Fault(path=f"{path}.confirm.{place}", problem=problem, fix=fix)
    # A delivery whose required field is absent is never made, so what is required always proves.
    certain = [
        field
        for field in destination.confirm
        if field not in destination.send
        or field in action.required
        or _is_always_sent(destination.send[field], optional)
    ]
    if not destination.confirm:
        fix = "add `confirm: [...]` with fields of `send`"
        yield Fault(path=path, problem="nothing would prove the handoff", fix=fix)
    elif not certain:
        yield Fault(
            path=f"{path}.confirm",
            problem="nothing would prove the handoff where the optional facts are absent",
            fix="confirm a field too that the action requires, that needs none of them, or that has"
            " a `default`",
        )


def _is_always_sent(sent: Sent, optional: set[str]) -> bool:
    return sent.default is not None or optional.isdisjoint(names(tokens(sent.value)))
