"""A workflow that is ready to decide: compiled once, used for every event of its version."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.contracts.contract import (
    Contract,
    Formats,
    compile_contract,
    schema_faults,
)
from orchestrator.domain.contracts.paths import ContractPaths
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.recipes.steps import Step
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.workflows.approval import approval_faults
from orchestrator.domain.workflows.cel.compile import Environment
from orchestrator.domain.workflows.compile_facts import compile_facts
from orchestrator.domain.workflows.facts import Facts
from orchestrator.domain.workflows.ordering.faults import ordering_faults
from orchestrator.domain.workflows.rules import Decider, compile_rules
from orchestrator.domain.workflows.sending.compile_fields import compile_destination
from orchestrator.domain.workflows.sending.fields import CompiledDestination
from orchestrator.domain.workflows.sending.succession import (
    Predecessors,
    predecessors,
    succession_faults,
)
from orchestrator.domain.workflows.workflow import Destination, Fact, Route, Workflow


@dataclass(frozen=True, kw_only=True)
class CompiledWorkflow:
    """One version of a workflow with its contract, facts, routes and destinations compiled."""

    workflow: Workflow
    contract: Contract
    facts: Facts
    decide: Decider  # which route, from the facts
    routes: tuple[tuple[CompiledDestination, ...], ...]  # where each route leads
    predecessors: Predecessors  # of the destinations that come after others
    has_items: bool  # whether a destination makes one delivery for each item of a list
    asks: bool  # whether a route waits for a person's yes before it sends
    # By connector, the digest of the definition that was approved with it; none: any will do.
    connectors: Mapping[str, str] = field(default_factory=dict)

    def destination(self, name: str) -> CompiledDestination:
        """A destination that a route leads to."""
        return next(one for route in self.routes for one in route if one.name == name)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The parts of a workflow that refer to one another; None stands for what cannot be read."""

    contract: dict[str, Any] | None
    formats: Formats
    facts: Mapping[str, Fact | None]
    routes: Mapping[int, Route | None]  # by place, from 0
    destinations: Mapping[str, Destination | None]
    ordering: Mapping[str, str] = field(default_factory=dict)  # the keys that order its events
    amend: tuple[Step, ...] = ()  # none where the workflow cannot be read


def compile_workflow(workflow: Workflow) -> CompiledWorkflow:
    """Raises InvalidFile with every fault."""
    parts = Parts(
        contract=workflow.contract,
        formats=workflow.formats,
        facts=workflow.facts,
        routes=dict(enumerate(workflow.routes)),
        destinations=workflow.destinations,
        ordering=workflow.ordering_keys,
    )
    compiled, faults = _compile(parts)
    if faults or compiled.contract is None:
        raise InvalidFile(f"workflow {workflow.name}", faults)
    return CompiledWorkflow(
        workflow=workflow,
        contract=compiled.contract,
        facts=compiled.facts,
        decide=compiled.decide,
        routes=tuple(
            tuple(compiled.destinations[to] for to in route.to) for route in workflow.routes
        ),
        predecessors=predecessors(workflow.destinations),
        has_items=any(one.each for one in workflow.destinations.values()),
        asks=any(route.approve for route in workflow.routes),
    )


def part_faults(parts: Parts) -> list[Fault]:
    """Everything that `compile_workflow` would find in the parts that can be read."""
    return _compile(parts)[1]


@dataclass(frozen=True, kw_only=True)
class _Compiled:
    contract: Contract | None
    facts: Facts
    decide: Decider
    destinations: Mapping[str, CompiledDestination]


def _compile(parts: Parts) -> tuple[_Compiled, list[Fault]]:
    contract, schema = None, parts.contract
    faults = [] if schema is None else schema_faults(schema)
    if faults:
        schema = None
    if schema is not None:
        contract = compile_contract(schema, parts.formats, faults)
    facts = compile_facts(parts.facts, schema, faults)
    environment = Environment(facts.types)
    paths = ContractPaths(schema) if schema is not None else None
    routes = {index: route for index, route in parts.routes.items() if route}
    decide = compile_rules(routes, facts, environment, faults)
    destinations = {
        name: compile_destination(name, destination, facts, environment, faults, paths)
        for name, destination in parts.destinations.items()
        if destination
    }
    faults.extend(_link_faults(parts.routes, parts.destinations))
    faults.extend(approval_faults(parts.routes, parts.facts))
    faults.extend(ordering_faults(parts.ordering, schema))
    faults.extend(succession_faults(parts.routes, parts.destinations, parts.facts))
    compiled = _Compiled(contract=contract, facts=facts, decide=decide, destinations=destinations)
    return compiled, faults


def _link_faults(
    routes: Mapping[int, Route | None], destinations: Mapping[str, Destination | None]
) -> Iterator[Fault]:
    """Where routes and destinations do not fit together."""
    for index, route in routes.items():
        to = route.to if route else ()
        yield from _doubles(f"routes.{index}.to", to)
        yield from _unknown(f"routes.{index}.to", to, destinations, "there is no destination `{}`")
    used = {to for route in routes.values() if route for to in route.to}
    for name, destination in destinations.items():
        if name not in used and all(routes.values()):
            fix = "name it in a route's `to`, or take it out"
            yield Fault(path=f"destinations.{name}", problem="no route leads to it", fix=fix)
        if destination:
            path, confirm = f"destinations.{name}.confirm", destination.confirm
            yield from _doubles(path, confirm)
            yield from _unknown(path, confirm, destination.send, "`{}` is not in `send`")


def _unknown(
    path: str, names: Sequence[str], known: Collection[str], problem: str
) -> Iterator[Fault]:
    for place, name in enumerate(names):
        if name not in known:
            fix = did_you_mean(name, known)
            yield Fault(path=f"{path}.{place}", problem=problem.format(name), fix=fix)


def _doubles(path: str, names: Sequence[str]) -> Iterator[Fault]:
    for place, name in enumerate(names):
        if name in names[:place]:
            yield Fault(path=f"{path}.{place}", problem=f"`{name}` comes twice", fix="name it once")
