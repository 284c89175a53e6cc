"""What a bad version made is undone and sent again as the version before it says, by one plan."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.domain.access.actor import login
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.replay import run_plan as running
from orchestrator.operations.replay.plan_outcomes import plan_outcomes
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.operations.rollback_workflow import rollback_workflow
from tests.integration.pairs import Pair
from tests.integration.quick_leads import WORKFLOW, own_catalog, publish_text, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.parametrize("pair", ["sqlite+valkey", "postgresql+valkey"], indirect=True),
]

ME = login("cli:tester")
COUNT = 60
BAD = WORKFLOW.replace("""queue: '"desk"'""", """queue: '"senior"'""")
"""It puts tickets into the wrong queue; what else it makes is right."""

ASTRAY = WORKFLOW.replace("to: [crm, desk]", "to: [x]").replace("to: [crm]", "to: [crm, desk]")
ASTRAY = ASTRAY.replace("to: [x]", "to: [crm]")
"""The pro get the tickets of the enterprise."""


@pytest.fixture
def system(tmp_path: Path, pair: Pair) -> Iterator[System]:
    home = tmp_path / "home"
    with running_system(home, pair) as running:
        take_quick_connectors(home / "connectors")
        publish_text(running, WORKFLOW)
        running.start_sandbox()
        running.start_relay()
        running.start_worker()
        yield running


def accept(system: System, first: int, count: int) -> dict[str, str]:
    """Events by id with the tier of each."""
    chance = random.Random(os.urandom(8))
    tiers = [chance.choice(["enterprise", "pro"]) for _ in range(count)]
    leads = [lead(first + number, tier=tier) for number, tier in enumerate(tiers)]
    ids = [one.id for one in accept_batch(system.store, leads, actor="key:test")]
    return dict(zip(ids, tiers, strict=True))


Ticket = tuple[str, str]


def tickets(system: System) -> Counter[Ticket]:
    """The tickets that are there, by the event and the queue of each."""
    return Counter(
        (str(one["key"]).partition(".")[0], one["fields"]["queue"])
        for one in system.ledger("helpdesk/tickets")
    )


def right(tiers: dict[str, str], queue: str = "desk", tier: str = "enterprise") -> Counter[Ticket]:
    return Counter((event, queue) for event, one in tiers.items() if one == tier)


def test_what_differs_is_undone_and_made_again_and_nothing_is_lost_or_doubled(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = accept(system, 0, 5)
    system.wait_until_settled(len(before))
    publish_text(system, BAD)
    tiers = accept(system, 100, COUNT)
    system.wait_until_settled(len(before) + COUNT)
    assert tickets(system) == right(before) + right(tiers, "senior")
    wrong = sum(one == "enterprise" for one in tiers.values())

    rollback_workflow(system.store, "acme", "leads", why="wrong queue", actor=ME)
    plan = plan_outcomes(system.store, "acme", "leads", catalog=own_catalog(system), actor=ME)

    assert (plan.made_by, plan.version, plan.delivered, plan.events) == (2, 1, COUNT, wrong)
    assert plan.as_before == COUNT - wrong
    assert plan.effects == {"same": {"crm": COUNT}, "remake": {"desk": wrong}}
    assert plan.token is not None
    assert tickets(system) == right(before) + right(tiers, "senior")  # nothing is undone yet

    monkeypatch.setattr(running, "CHUNK", 7)

    class Killed(BaseException):
        pass

    def die(_tx: object, done: int) -> None:
        if done >= 14:
            raise Killed

    with pytest.raises(Killed):
        run_plan(system.store, plan.token, actor=ME, within=die)
    worker = system.start_worker("second", processes=1)
    os.killpg(worker.pid, signal.SIGKILL)
    done = run_plan(system.store, plan.token, actor=ME)

    assert (done.before, done.replayed) == (7, wrong - 7)
    wanted = right(before) + right(tiers)
    wait_until(lambda: tickets(system) == wanted, within=60)
    system.wait_until_settled(len(before) + COUNT)
    assert system.counts()["delivered"] == len(before) + COUNT
    assert tickets(system) == wanted
    contacts = Counter(one["fields"]["email"] for one in system.ledger("crm/contacts"))
    assert set(contacts.values()) == {1}
    assert len(contacts) == len(before) + COUNT
    again = plan_outcomes(system.store, "acme", "leads", catalog=own_catalog(system), actor=ME)
    assert (again.token, again.delivered, again.as_before) == (None, COUNT - wrong, COUNT - wrong)


def test_what_should_not_be_there_goes_and_what_is_missing_comes(system: System) -> None:
    publish_text(system, ASTRAY)
    tiers = accept(system, 0, 20)
    system.wait_until_settled(20)
    assert tickets(system) == right(tiers, tier="pro")
    rollback_workflow(system.store, "acme", "leads", why="astray", actor=ME)

    plan = plan_outcomes(system.store, "acme", "leads", catalog=own_catalog(system), actor=ME)

    wrong = Counter(tiers.values())
    assert plan.effects["undo"] == {"desk": wrong["pro"]}
    assert plan.effects["send"] == {"desk": wrong["enterprise"]}
    assert plan.token is not None
    run_plan(system.store, plan.token, actor=ME)
    wait_until(lambda: tickets(system) == right(tiers), within=60)
    system.wait_until_settled(20)
    assert len(system.ledger("crm/contacts")) == 20


def test_what_cannot_be_taken_back_is_listed_and_stays(system: System) -> None:
    publish_text(system, WORKFLOW.replace("tier: tier}, confirm", "tier: '\"x\"'}, confirm"))
    tiers = accept(system, 0, 6)
    system.wait_until_settled(6)
    rollback_workflow(system.store, "acme", "leads", why="wrong tier", actor=ME)

    plan = plan_outcomes(system.store, "acme", "leads", catalog=own_catalog(system), actor=ME)

    assert plan.effects["cannot_undo"] == {"crm": 6}
    assert {one.event_id for one in plan.stays} == set(tiers)
    records = {one["id"] for one in system.ledger("crm/contacts")}
    assert {one.record_id for one in plan.stays} == records
    assert (plan.token, plan.events, plan.as_before) == (None, 0, 0)
