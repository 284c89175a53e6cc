"""An event with many items: a run has few of them in hand at a time, and makes each once."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import Outgoing
from orchestrator.domain.documents import strict_json
from orchestrator.domain.event import Trigger
from orchestrator.domain.lifecycle import DeliveryState, State
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries
from tests.model.actors import Stop, Then
from tests.model.destination import ACTIONS
from tests.model.lab import Lab
from tests.model.world import PRODUCER, World

ORDERS = """\
workflow: leads
client: acme
title: Orders
trigger: {type: lead.created}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract: {type: object, required: [lines], properties: {lines: {type: array, minItems: 1}}}
facts: {lines: data.lines}
routes: [{when: "true", to: [found]}]
destinations:
  found:
    {connector: tool, action: found, each: lines, key: line, send: {email: line}, confirm: [email]}
retries: {limit: 2, first: 1s, factor: 2, ceiling: 1m}
sla: {deliver_within: 15m, recover_within: 72h}
"""


def order(*lines: str) -> Trigger:
    payload = {"lines": list(lines)}
    return Trigger(
        client="acme",
        type="lead.created",
        payload=strict_json.dumps(payload),
        digest=strict_json.digest(payload),
    )


def accepted(world: World) -> list[str]:
    """Three orders with one, five and two lines; their ids."""
    workflow = parse_workflow(ORDERS, name="o.yaml", folder=None, catalog={"tool": ACTIONS})
    publish_workflow(world.store, workflow, actor=login("cli:tester"))
    orders = [order("a"), order("a", "b", "c", "d", "e"), order("b", "c")]
    return [one.id for one in accept_batch(world.store, orders, actor=PRODUCER)]


def in_hand(store: Store) -> int:
    with Store.read(store) as tx:
        sending = deliveries.c.state == DeliveryState.SENDING
        return int(tx.execute(select(func.count()).where(sending)).scalar_one())


def test_a_run_has_no_more_in_hand_than_a_slice_and_goes_on_to_the_end(
    quick_lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = quick_lab.new_world()
    with world.closing():
        ids, seen, create = accepted(world), [], world.tool.create

        async def looked(call: Outgoing) -> str:
            seen.append(in_hand(world.store))
            return await create(call)

        monkeypatch.setattr(world.tool, "create", looked)
        world.relay(0, None)
        world.work_off()

        assert max(seen) == quick_lab.config.slice_size
        assert [world.laws.state_of(one) for one in ids] == [State.DELIVERED] * 3
        assert sorted(map(len, world.tool.records.values())) == [1] * 8


@pytest.mark.slow
@pytest.mark.parametrize("then", [Then.FAIL, Then.CRASH])
def test_wherever_it_is_interrupted_each_item_is_made_once(quick_lab: Lab, then: Then) -> None:
    for gates in range(60):
        world = quick_lab.new_world()
        with world.closing():
            ids = accepted(world)
            world.relay(0, None)
            worker = world.worker(world.first_message("dispatch"), world.workers[0])
            world.begin(worker, Stop(gates=gates, then=then))
            world.come_to_rest()

            assert [world.laws.state_of(one) for one in ids] == [State.DELIVERED] * 3
            assert sorted(map(len, world.tool.records.values())) == [1] * 8
        if worker.left is not None:
            return
    raise AssertionError("it was stopped at each gate")
