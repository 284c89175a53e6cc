"""What a candidate did before its canary stopped it is undone and sent again, by real processes."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.domain.changes.rollout import MOST_AT_ONCE, read_rollout
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.changes.rollout.keep import keep_rollouts
from orchestrator.operations.replay.freeze_outcomes import OutcomesPlan
from orchestrator.operations.replay.plan_outcomes import plan_outcomes
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.store.views.quarantine.selection import Selection
from tests.integration.pairs import Pair
from tests.integration.quick_leads import WORKFLOW, own_catalog, publish_text, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead
from tests.store.changes.rollout.rolling import figures
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.parametrize("pair", ["sqlite+valkey", "postgresql+valkey"], indirect=True),
]

ME = login("cli:tester")
EVENTS = 100

CALL = """\
  call: {connector: helpdesk, action: create_ticket, after: [desk],
         send: {title: '"Call " + email', queue: '"desk"'}, confirm: [title, queue]}
retries:"""
LIVE = WORKFLOW.replace("to: [crm, desk]}", "to: [crm, desk, call]}")
LIVE = LIVE.replace("to: [crm]}", "to: [crm, desk, call]}").replace("retries:", CALL)

HAILED = LIVE.replace("Onboard", "Hail")
WRONG_VALUE = HAILED.replace(
    """queue: '"desk"'}, confirm: [title, queue]}
  call""",
    """queue: 'tier == "pro" ? "senior" : "desk"'}, confirm: [title, queue]}
  call""",
)
"""Each ticket has another title; the pro are for a queue that the desk does not have."""

WRONG_ROUTE = HAILED.replace("""'tier == "pro"'""", """'tier == "enterprise" && false'""")
"""Each ticket has another title; the pro have no route."""


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        take_quick_connectors(home / "connectors")
        desk = home / "connectors" / "helpdesk.yaml"
        # A desk of one queue puts each ticket there, whatever it is asked for, and says nothing.
        asked = 'desk\n        asked: "{send.queue}"'
        desk.write_text(desk.read_text().replace('"{send.queue}"', asked))
        publish_text(running, LIVE)
        running.start_sandbox()
        running.start_relay()
        running.start_worker()
        yield running


def accept_pro_among_others(system: System) -> list[str]:
    """One in a hundred, and two more right behind it, which is the worst place for them."""
    tiers = ["enterprise"] * EVENTS
    first = random.Random(os.urandom(8)).randrange(6, 24)
    tiers[first : first + MOST_AT_ONCE + 2] = ["pro"] * (MOST_AT_ONCE + 2)
    leads = [lead(number, tier=tier) for number, tier in enumerate(tiers)]
    return [one.id for one in accept_batch(system.store, leads, actor="key:test")]


def try_it(system: System, text: str) -> dict[str, int]:
    """Roll the candidate out until it went back; how many events are in which state then."""
    rollout = read_rollout(None, "100%", "5000ev")
    token = publish_text(system, text, rollout=rollout)
    accept_pro_among_others(system)

    def went_back() -> bool:
        keep_rollouts(system.store)
        return figures(system.store, token).state == "rolled_back"

    wait_until(went_back, within=60)
    keep_rollouts(system.store)  # it gives the version before what was not routed
    return system.wait_until_settled(EVENTS)


def plan_it(system: System) -> OutcomesPlan:
    return plan_outcomes(
        system.store, "acme", "leads", catalog=own_catalog(system), actor=ME, made_by=2
    )


def tickets(system: System) -> Counter[tuple[str, str]]:
    """The tickets that are there, by event and by the first word of the title."""
    return Counter(
        (str(one["key"]).partition(".")[0], str(one["fields"]["title"]).partition(" ")[0])
        for one in system.ledger("helpdesk/tickets")
    )


def hailed(system: System) -> set[str]:
    """The events of which a ticket has the candidate's title."""
    return {event for event, title in tickets(system) if title == "Hail"}


def is_each_made_once(system: System) -> bool:
    """Whether each event has one contact and both tickets of the live version, and no other."""
    found = tickets(system)
    events = {event for event, _ in found}
    wanted = Counter((event, title) for event in events for title in ("Onboard", "Call"))
    return found == wanted and len(events) == EVENTS == len(system.ledger("crm/contacts"))


def test_a_wrong_value_that_the_desk_does_not_keep_is_undone_and_sent_again(
    system: System,
) -> None:
    counts = try_it(system, WRONG_VALUE)
    harmed = counts["quarantined"]
    assert 1 <= harmed <= MOST_AT_ONCE

    plan = plan_it(system)
    assert (plan.stopped, plan.in_quarantine) == (harmed, 0)
    assert plan.events == plan.delivered + harmed == len(hailed(system))
    assert plan.effects["remake"]["desk"] == plan.events
    assert plan.effects["same"]["crm"] == plan.events
    assert plan.token is not None and not is_each_made_once(system)

    run_plan(system.store, plan.token, actor=ME)

    wait_until(lambda: is_each_made_once(system), within=60)
    assert system.wait_until_settled(EVENTS)["delivered"] == EVENTS
    assert is_each_made_once(system)
    again = plan_it(system)
    assert (again.token, again.delivered, again.in_quarantine) == (None, 0, 0)


def test_a_wrong_route_is_undone_where_it_led_anywhere_and_replayed_where_it_did_not(
    system: System,
) -> None:
    counts = try_it(system, WRONG_ROUTE)
    harmed = counts["quarantined"]
    assert 1 <= harmed <= MOST_AT_ONCE

    plan = plan_it(system)
    assert (plan.stopped, plan.in_quarantine) == (0, harmed)
    assert plan.events == plan.delivered == len(hailed(system))
    assert plan.token is not None
    run_plan(system.store, plan.token, actor=ME)
    replay_events(system.store, Selection(workflow="leads"), actor=ME)

    wait_until(lambda: is_each_made_once(system), within=60)
    assert system.wait_until_settled(EVENTS)["delivered"] == EVENTS
    assert is_each_made_once(system)
