"""Hold what would be sent by a connector definition that nobody approved.

A version that was approved names the definitions that were approved with it. A worker compares them
in memory; only where they differ it asks the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.domain.delivery.breakers import REDEFINED, Block, Circuit, destination_circuit
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.store.database.engine import Tx
from orchestrator.store.destinations.definition_blocks import (
    block_by_definition,
    end_definition_block,
)
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.stages import Saving
from orchestrator.store.quarantine.workflows import live_connectors

Definitions = Mapping[str, str]
"""By connector, the digest of its definition."""

_SHOWN = 12  # digits of a digest


def redefined(
    tx: Tx, workflow: CompiledWorkflow, here: Definitions | None, circuits: Mapping[str, Circuit]
) -> dict[str, str]:
    """By destination, what of its connector's definition `here` was not approved, in words.

    Approved is what was with the event's own version, or with the one that is live now. Where all
    is as it was approved, no statement is made. None for `here`: this process sends nothing.
    """
    approved = workflow.connectors
    if not approved or here is None:
        return {}
    differing = {name for name, digest in approved.items() if here.get(name) != digest}
    if not differing and not _may_be_ended(workflow, circuits):
        return {}
    said = workflow.workflow
    live = live_connectors(tx, said.client, said.name)
    found = {
        name: _told(one.connector, approved[one.connector], here.get(one.connector))
        for name, one in said.destinations.items()
        if one.connector in differing and here.get(one.connector) != live.get(one.connector)
    }
    for name, circuit in _may_be_ended(workflow, circuits).items():
        connector = said.destinations[name].connector
        # Not where another definition is live: those who have it wait for another worker.
        if name not in found and here.get(connector) == live.get(connector):
            end_definition_block(tx, circuit, actor="worker:dispatch")
    return found


def hold_redefined(
    tx: Tx,
    ids: Sequence[str],
    found: Mapping[str, str],
    *,
    workflow: CompiledWorkflow,
    saving: Saving,
    circuits: Mapping[str, Circuit],
) -> None:
    """Hold what of these events is due at destinations that `redefined` found."""
    said = workflow.workflow
    for name, error in found.items():
        circuit = destination_circuit(said.client, said.name, name)
        seen = circuits.get(circuit)
        if seen is None or seen.block is None or seen.probe_due:
            block_by_definition(tx, circuit, error=error, actor=saving.actor)
        hold_deliveries(
            tx,
            ids,
            [name],
            workflow=said,
            epoch=saving.epoch,
            circuit=circuit,
            reason=REDEFINED,
            actor=saving.actor,
        )


def _may_be_ended(workflow: CompiledWorkflow, circuits: Mapping[str, Circuit]) -> dict[str, str]:
    """The circuits of destinations that wait for their definition and may be looked at again."""
    if not circuits:
        return {}
    said = workflow.workflow
    names = {one: destination_circuit(said.client, said.name, one) for one in said.destinations}
    return {
        one: name
        for one, name in names.items()
        if (circuit := circuits.get(name)) and circuit.block is Block.DEFINITION
        if circuit.probe_due
    }


def _told(connector: str, approved: str, here: str | None) -> str:
    have = f"the one of this worker is {here[:_SHOWN]}" if here else "this worker has none"
    return f"the definition of {connector} that was approved is {approved[:_SHOWN]}, and {have}"
