"""A workflow file: read, checked in every respect at once, and made into a workflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from orchestrator.domain.contracts.file import ContractSource, resolve_contract
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.model_faults import model_faults
from orchestrator.domain.documents.text_files import read_text
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.workflows.approval import RouteApproval
from orchestrator.domain.workflows.catalog import (
    Catalog,
    destination_faults,
    undo_faults,
    with_required,
)
from orchestrator.domain.workflows.checks.environments import environment_faults
from orchestrator.domain.workflows.checks.examine import examine
from orchestrator.domain.workflows.compiled import Parts, part_faults
from orchestrator.domain.workflows.hours.definition import Hours
from orchestrator.domain.workflows.ordering.faults import ORDERING_KEYS
from orchestrator.domain.workflows.payload_files import with_payloads
from orchestrator.domain.workflows.sla import Sla, SuccessRate
from orchestrator.domain.workflows.tests import (
    MOST_TESTS,
    Expected,
    TestRecord,
    WorkflowTest,
    expectation_faults,
)
from orchestrator.domain.workflows.workflow import (
    DeclaredTrigger,
    Destination,
    Fact,
    FactName,
    Owners,
    Retries,
    Route,
    Sent,
    ShortFact,
    Workflow,
)

_T = TypeVar("_T")

_MODELS: dict[tuple[str, ...], type[BaseModel]] = {
    (): Workflow,
    ("trigger",): DeclaredTrigger,
    ("owners",): Owners,
    ("facts", "*"): Fact,
    ("routes", "*"): Route,
    ("routes", "*", "approve"): RouteApproval,
    ("destinations", "*"): Destination,
    ("destinations", "*", "send", "*"): Sent,
    ("retries",): Retries,
    ("sla",): Sla,
    ("sla", "calendar"): Hours,
    ("sla", "success_rate"): SuccessRate,
    ("tests", "*"): WorkflowTest,
    ("tests", "*", "expect"): Expected,
    ("tests", "*", "records", "*"): TestRecord,
}
_EXAMPLES: dict[tuple[str, ...], str] = {
    ("workflow",): "workflow: lead-routing",
    ("client",): "client: acme",
    ("title",): "title: New leads reach the onboarding desk",
    ("trigger",): "trigger: {type: lead.created}",
    ("owners",): "owners: {owner: ..., recovery_lead: ..., approver: ..., backstop: ...}",
    ("owners", "*"): "{name}: somebody@acme.example",
    ("runbook",): "runbook: https://wiki.acme.example/leads",
    ("contract",): "contract: {type: object, ...}",
    ("facts",): "facts: {email: data.email}",
    ("routes",): "routes: [{when: ..., to: [...]}]",
    ("routes", "*", "approve"): "approve: {by: approver, within: 4h}",
    ("routes", "*", "approve", "within"): "within: 4h",
    ("destinations",): "destinations: {crm: {connector: ..., action: ..., send: {...}}}",
    ("ordering_key",): "ordering_key: data.email",
    ("latest",): "latest: data.updated_at",
    ("sla", "*"): "{name}: 72h",
    ("sla", "calendar", "zone"): "zone: Europe/Berlin",
    ("sla", "calendar", "hours"): "hours: {mon-fri: 09:00-17:00}",
    ("sla", "success_rate"): "success_rate: {at_least: 95%, over: 1h}",
    ("sla", "success_rate", "at_least"): "at_least: 95%",
    ("sla", "success_rate", "over"): "over: 1h",
    ("sla", "success_rate", "of"): "of: 20",
    ("sla",): "sla: {deliver_within: 15m, recover_within: 72h}",
    ("tests", "*", "name"): "name: a lead of the best plan goes to the senior desk",
    ("tests", "*", "payload"): "payload: {email: ada@acme.example}` or `file: lead.json",
    ("tests", "*", "expect"): "expect: {route: 1}",
}
_MOST = 200  # facts, routes, destinations that are compiled; of more the model says so
_ROUTE, _FACT = TypeAdapter(Route), TypeAdapter[Fact](ShortFact)
_FACT_NAME, _DESTINATION = TypeAdapter[str](FactName), TypeAdapter(Destination)
_TEST = TypeAdapter(WorkflowTest)


@dataclass(frozen=True, kw_only=True)
class WorkflowFile:
    """A workflow and the file that says it."""

    name: str  # what to call the file
    workflow: Workflow
    line: Callable[[str], int | None]  # of a dotted path, or of the nearest place around it
    notes: tuple[Fault, ...] = ()  # what its author should know


def read_workflow(path: Path, catalog: Catalog | None = None) -> Workflow:
    """The workflow in a file. Raises InvalidFile with every fault; see `parse_workflow`."""
    return read_workflow_file(path, catalog).workflow


def read_workflow_file(path: Path, catalog: Catalog | None = None) -> WorkflowFile:
    """The workflow in a file, with its lines. Raises InvalidFile; see `parse_workflow`."""
    text = read_text(path, strict_yaml.MOST_BYTES, name_one="name a workflow file")
    return _parse(text, str(path), path.parent, catalog)


def parse_workflow(
    text: str, *, name: str, folder: Path | None = None, catalog: Catalog | None = None
) -> Workflow:
    """The workflow that a text says; `name` is what to call it in errors.

    A contract `{file: …}` is read from `folder`. With a catalog, destinations are checked against
    it, and what their actions require is written into the workflow. Raises InvalidFile with every
    fault, each with its line.
    """
    return _parse(text, name, folder, catalog).workflow


def _parse(text: str, name: str, folder: Path | None, catalog: Catalog | None) -> WorkflowFile:
    document = strict_yaml.parse(text)
    raw = document.value
    if not isinstance(raw, dict):
        empty = Fault(path="", problem="it is not a mapping", fix="write `workflow: ...`", line=1)
        raise InvalidFile(name, document.faults or [empty])
    source = resolve_contract(raw.get("contract"), folder)
    tests, found = with_payloads(raw.get("tests", []), folder)
    workflow, shape = _model({**raw, **source.key, "tests": tests})
    found += shape
    parts = replace(_parts(raw, source), amend=workflow.amend if workflow else ())
    found += _test_faults(tests, parts)
    found += source.faults
    found += [source.located(fault) for fault in examine(parts, part_faults(parts))]
    if catalog is not None:
        found += destination_faults(parts.destinations, parts.facts, catalog)
        found += undo_faults(raw.get("on_failure"), parts.destinations, catalog)
        found += environment_faults(raw.get("environments"), parts.destinations, catalog)
    placed = _placed(found, document)
    if workflow is None or not all(one.is_note for one in placed):
        raise InvalidFile(name, placed)
    if catalog is not None:
        workflow = with_required(workflow, catalog)
    return WorkflowFile(name=name, workflow=workflow, line=document.line, notes=tuple(placed))


def _model(raw: Mapping[str, object]) -> tuple[Workflow | None, list[Fault]]:
    try:
        workflow = Workflow.model_validate(raw)
    except ValidationError as error:
        return None, model_faults(error, _MODELS, _EXAMPLES)
    return workflow, [
        Fault(
            path=f"destinations.{name}.required",
            problem="this key is not known",
            fix="take it out: the connector declares what it requires",
        )
        for name, destination in workflow.destinations.items()
        if "required" in destination.model_fields_set
    ]


def _test_faults(raw: object, parts: Parts) -> Iterator[Fault]:
    tests = enumerate(raw[:MOST_TESTS] if isinstance(raw, list) else ())
    sent = {
        name: one.send if one and one.each is None else None  # with `each`: by the items' keys
        for name, one in parts.destinations.items()
    }
    for place, test in tests:
        if readable := _readable(_TEST, test):
            yield from expectation_faults(place, readable, len(parts.routes), sent)


def _parts(raw: Mapping[str, Any], source: ContractSource) -> Parts:
    """What can be read of the parts that refer to one another, entry by entry."""
    facts, routes, destinations = (raw.get(key) for key in ("facts", "routes", "destinations"))
    return Parts(
        contract=source.contract,
        formats="annotate" if raw.get("formats") == "annotate" else "assert",
        facts={
            key: _readable(_FACT, fact)
            for key, fact in _first(facts if isinstance(facts, dict) else {})
            if _readable(_FACT_NAME, key)
        },
        routes={
            place: _readable(_ROUTE, route)
            for place, route in enumerate((routes if isinstance(routes, list) else [None])[:_MOST])
        },
        destinations={
            key: _readable(_DESTINATION, destination)
            for key, destination in _first(destinations if isinstance(destinations, dict) else {})
        },
        ordering={key: raw[key] for key in ORDERING_KEYS if isinstance(raw.get(key), str)},
    )


def _first(entries: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    return islice(entries.items(), _MOST)


def _readable(adapter: TypeAdapter[_T], value: object) -> _T | None:
    try:
        return adapter.validate_python(value)
    except ValidationError:
        return None


def _placed(faults: list[Fault], document: strict_yaml.Document) -> list[Fault]:
    """All faults with their lines, in the file's order.

    Where the YAML itself was wrong, what follows from the gap is not told again.
    """
    gaps = {fault.path for fault in document.faults}
    told = [
        replace(one, line=document.line(one.path))
        for one in dict.fromkeys(faults)
        if not any(one.path == gap or one.path.startswith(f"{gap}.") for gap in gaps if gap)
    ]
    return sorted([*document.faults, *told], key=lambda fault: fault.line or 0)
