"""What an unapproved connector definition would send is held, until it is the approved one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest
from sqlalchemy import event, select, update

from orchestrator.domain.access.actor import login
from orchestrator.operations.dispatch.admit_deliveries import Admission, Run
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import circuits, deliveries, events
from orchestrator.store.destinations.held_deliveries import tend_held_deliveries
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.stages import Saving, hand_back
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.store.views.audit import list_audit
from tests.leads import accept_leads, claim_groups, drive_to_routed, lead_workflow, publish_leads
from tests.store.changes.governed import author, decide, govern, version

ONE, OTHER = {"fake": "1" * 64}, {"fake": "2" * 64}


def test_a_worker_with_the_approved_definition_sends_and_asks_nothing_more(store: Store) -> None:
    _approve(store, ONE)
    one, two = _routed(store, 1), _routed(store, 1)
    with _statements(store) as usual:
        assert _admit(store, two, None) == 1
    with _statements(store) as compared:
        assert _admit(store, one, ONE) == 1

    assert len(compared) == len(usual)


@pytest.mark.parametrize("here", [OTHER, {}], ids=["another", "none"])
def test_a_worker_with_another_definition_holds_and_says_why(
    store: Store, here: Mapping[str, str]
) -> None:
    _approve(store, ONE)
    group = _routed(store, 3, tier="enterprise")

    assert _admit(store, group, here) == 0

    assert set(_held(store)) == {"acme/leads/crm", "acme/leads/desk"}
    assert len(_held(store)) == 6
    with store.read() as tx:
        said = {
            row.name: (row.block, row.reason, row.error) for row in tx.execute(select(circuits))
        }
        (row, *_) = list_audit(tx, action="miss_definition")
    block, reason, error = said["acme/leads/crm"]
    assert (block, reason, row.destination) == ("definition", "other_definition", "desk")
    assert "of fake that was approved is 111111111111" in error


def test_what_was_published_without_an_approval_goes_out_by_any_definition(store: Store) -> None:
    publish_leads(store)
    publish_workflow(store, lead_workflow(version()), actor=login("cli:root"), connectors=ONE)

    assert _admit(store, _routed(store, 1), OTHER) == 1


def test_what_becomes_due_after_the_hold_is_not_sent_either(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    _approve(store, ONE)
    group = _routed(store, 1)
    monkeypatch.setattr(
        "orchestrator.operations.dispatch.hold_redefined.hold_deliveries", lambda *_, **__: None
    )

    assert _admit(store, group, OTHER) == 0

    with store.read() as tx:
        assert set(tx.execute(select(deliveries.c.state)).scalars()) == {"pending"}


def test_the_hold_ends_when_a_worker_has_the_approved_definition(store: Store) -> None:
    _approve(store, ONE)
    held = _routed(store, 2)
    _admit(store, held, OTHER, give_back=True)
    assert tend_held_deliveries(store) == 0  # nobody looks again yet
    _later(store)

    assert tend_held_deliveries(store) == 1
    (tries,) = claim_groups(store)
    assert _admit(store, tries, OTHER, give_back=True) == 0  # still another one: held again
    assert tend_held_deliveries(store) == 0
    _later(store)
    assert tend_held_deliveries(store) == 1
    (tries,) = claim_groups(store)
    assert _admit(store, tries, ONE) == 1

    assert tend_held_deliveries(store) == 1
    assert _held(store) == []
    with store.read() as tx:
        assert list_audit(tx, action="find_definition")


def test_the_hold_ends_when_the_other_definition_is_approved_also_for_events_on_their_way(
    store: Store,
) -> None:
    _approve(store, ONE)
    _admit(store, _routed(store, 1), OTHER, give_back=True)
    assert _held(store) == ["acme/leads/crm"]

    _approve(store, OTHER)

    assert _held(store) == ["acme/leads/crm"]
    assert tend_held_deliveries(store) == 1
    (group,) = claim_groups(store)
    assert _admit(store, group, OTHER) == 1


def test_a_worker_that_has_the_old_definition_ends_no_hold_for_the_live_one(store: Store) -> None:
    _approve(store, ONE)
    old = _routed(store, 1)
    _approve(store, OTHER)
    new = _routed(store, 1)
    assert _admit(store, new, ONE) == 0
    _later(store)

    assert _admit(store, old, ONE) == 1  # it was approved with this event's version

    assert _held(store) == ["acme/leads/crm"]
    with store.read() as tx:
        assert list_audit(tx, action="find_definition") == []


def _approve(store: Store, definitions: Mapping[str, str]) -> None:
    """Version 2 or 3, approved with these."""
    with store.read() as tx:
        begun = tx.execute(select(events.c.id)).first() is None
    if begun:
        govern(store)
    done = publish_workflow(
        store, lead_workflow(version()), actor=author(store), connectors=definitions
    )
    assert done.change is not None
    decide(store, done.change)


def _routed(store: Store, count: int, **fields: str) -> Group:
    accept_leads(store, count, **fields)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    return group


def _admit(
    store: Store, group: Group, here: Mapping[str, str] | None, *, give_back: bool = False
) -> int:
    """How many deliveries a worker with these definitions may call."""
    admission = Admission({}, definitions=here)
    with store.write() as tx:
        admission.circuits(tx)
        saving = Saving(actor="worker:dispatch", epoch=group.epoch, lease_seconds=60)
        with store.read() as other:
            (version_id,) = other.execute(
                select(events.c.workflow_id).where(events.c.id.in_(group.ids)).distinct()
            ).scalars()
            workflow = WorkflowShelf().take(other, version_id)
        run = Run(id="run", workflow=workflow, saving=saving, call_seconds=10, turn_seconds=5)
        admitted = admission.admit(tx, sorted(group.ids), run)
        if give_back:
            hand_back(tx, group.ids, group.epoch)
    return len(admitted.taken)


def _held(store: Store) -> list[str]:
    table = deliveries.c
    with store.read() as tx:
        return list(tx.execute(select(table.held_by).where(table.held_by.is_not(None))).scalars())


def _later(store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(circuits).values(probe_at=after(-1), nudged_at=None))


@contextmanager
def _statements(store: Store) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cu: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)
