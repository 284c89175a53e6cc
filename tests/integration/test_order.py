"""Leads of one address reach the tools in the order in which they came; real processes."""

from __future__ import annotations

import pytest

from connectors.registry import catalog, load_connectors
from orchestrator.domain.access.actor import login
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.publish_workflow import publish_workflow
from tests.integration.quick_leads import EXAMPLES, WORKFLOW
from tests.integration.system import System
from tests.leads import lead

pytestmark = pytest.mark.processes

PEOPLE, EACH = 4, 6


def test_leads_of_one_address_are_sent_in_order_though_the_tool_fails_now_and_then(
    system: System,
) -> None:
    publish_ordered(system)
    system.fail_next("error", path="/helpdesk", status=503, share=0.3, count=8, seed=7)

    accepted = [
        accept_batch(system.store, [lead(person, tier="enterprise")], actor="key:test")[0].id
        for _ in range(EACH)
        for person in range(PEOPLE)
    ]
    counts = system.wait_until_settled(PEOPLE * EACH)

    assert counts["delivered"] == PEOPLE * EACH
    tickets = [one["key"].partition(".")[0] for one in system.ledger("helpdesk/tickets")]
    assert sorted(tickets) == sorted(accepted)
    for person in range(PEOPLE):
        of_person = accepted[person::PEOPLE]
        assert [one for one in tickets if one in of_person] == of_person


def publish_ordered(system: System) -> None:
    workflow = parse_workflow(
        f"{WORKFLOW}ordering_key: data.email\n",
        name="leads.yaml",
        catalog=catalog(load_connectors(EXAMPLES)),
    )
    publish_workflow(system.store, workflow, actor=login("cli:tester"))
