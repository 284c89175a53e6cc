"""A workflow file: read, checked in every respect at once, and made into a workflow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from orchestrator.domain.contracts.file import ContractSource, resolve_contract
from orchestrator.domain.documents import strict_yaml
from orchestrator.domain.documents.bounded_files import read_bounded
from orchestrator.domain.documents.model_faults import model_faults
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.workflows.catalog import (
    Catalog,
    destination_faults,
    undo_faults,
    with_required,
)
from orchestrator.domain.workflows.compiled import Parts, part_faults
from orchestrator.domain.workflows.hours import Hours
from orchestrator.domain.workflows.sla import Sla, SuccessRate
from orchestrator.domain.workflows.workflow import (
    DeclaredTrigger,
    Destination,
    Fact,
    FactName,
    Owners,
    Retries,
    Route,
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
    ("destinations", "*"): Destination,
    ("retries",): Retries,
    ("sla",): Sla,
    ("sla", "calendar"): Hours,
    ("sla", "success_rate"): SuccessRate,
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
    ("destinations",): "destinations: {crm: {connector: ..., action: ..., send: {...}}}",
    ("sla", "*"): "{name}: 72h",
    ("sla", "calendar", "zone"): "zone: Europe/Berlin",
    ("sla", "calendar", "hours"): "hours: {mon-fri: 09:00-17:00}",
    ("sla", "success_rate"): "success_rate: {at_least: 95%, over: 1h}",
    ("sla", "success_rate", "at_least"): "at_least: 95%",
    ("sla", "success_rate", "over"): "over: 1h",
    ("sla", "success_rate", "of"): "of: 20",
    ("sla",): "sla: {deliver_within: 15m, recover_within: 72h}",
}
_MOST = 200  # facts, routes, destinations that are compiled; of more the model says so
_ROUTE, _FACT = TypeAdapter(Route), TypeAdapter[Fact](ShortFact)
_FACT_NAME, _DESTINATION = TypeAdapter[str](FactName), TypeAdapter(Destination)


def read_workflow(path: Path, catalog: Catalog | None = None) -> Workflow:
    """The workflow in a file. Raises InvalidFile with every fault; see `parse_workflow`."""
    try:
        text = read_bounded(path, strict_yaml.MOST_BYTES).decode()
    except OSError as error:
        problem = f"it cannot be read: {error.strerror or error}"
        raise _unreadable(path, problem, "name a workflow file") from None
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"byte {error.start} is not UTF-8", "save it as UTF-8") from None
    return parse_workflow(text, name=str(path), folder=path.parent, catalog=catalog)


def parse_workflow(
    text: str, *, name: str, folder: Path | None = None, catalog: Catalog | None = None
) -> Workflow:
    """The workflow that a text says; `name` is what to call it in errors.

    A contract `{file: …}` is read from `folder`. With a catalog, destinations are checked against
    it, and what their actions require is written into the workflow. Raises InvalidFile with every
    fault, each with its line.
    """
    document = strict_yaml.parse(text)
    raw = document.value
    if not isinstance(raw, dict):
        empty = Fault(path="", problem="it is not a mapping", fix="write `workflow: ...`", line=1)
        raise InvalidFile(name, document.faults or [empty])
    source = resolve_contract(raw.get("contract"), folder)
    workflow, found = _model({**raw, **source.key})
    parts = _parts(raw, source)
    found += source.faults + [source.located(fault) for fault in part_faults(parts)]
    if catalog is not None:
        found += destination_faults(parts.destinations, parts.facts, catalog)
        found += undo_faults(raw.get("on_failure"), parts.destinations, catalog)
    faults = _placed(found, document)
    if faults or workflow is None:
        raise InvalidFile(name, faults)
    return with_required(workflow, catalog) if catalog is not None else workflow


def _unreadable(path: Path, problem: str, fix: str) -> InvalidFile:
    return InvalidFile(str(path), [Fault(path="", problem=problem, fix=fix)])


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
        Fault(path=one.path, problem=one.problem, fix=one.fix, line=document.line(one.path))
        for one in dict.fromkeys(faults)
        if not any(one.path == gap or one.path.startswith(f"{gap}.") for gap in gaps if gap)
    ]
    return sorted([*document.faults, *told], key=lambda fault: fault.line or 0)
