"""What the door promises: committed before it is answered, once for each key."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event

from orchestrator.operations.accept_triggers import (
    RefusedAt,
    TriggerBatch,
    accept_batch,
    accept_batches,
)
from orchestrator.store.database.engine import Store
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.events.counts import count_states
from orchestrator.store.views.events.show import show_event
from tests.leads import accept_leads, lead, publish_leads


def count(store: Store) -> int:
    with store.read() as tx:
        return sum(count_states(tx).values())


def test_an_accepted_event_is_there_with_its_audit_row(store: Store) -> None:
    publish_leads(store)

    (event_id,) = accept_leads(store, 1)

    with store.read() as tx:
        event = show_event(tx, event_id)
        (row,) = list_audit(tx, event_id=event_id)
    assert event and event.state == "accepted" and event.stage == "validate"
    assert (row.action, row.actor, row.target) == ("accept", "key:test", "accepted")
    assert row.client == "acme"


def test_the_same_key_and_payload_is_the_same_event(store: Store) -> None:
    publish_leads(store)

    first = accept_batch(store, [lead(1, key="form-1")], actor="key:test")
    again = accept_batch(store, [lead(1, key="form-1")], actor="key:test")

    assert not first[0].duplicate
    assert again[0].duplicate and again[0].id == first[0].id
    assert count(store) == 1


def test_a_repeat_in_anothers_commit_writes_nothing_of_its_own(store: Store) -> None:
    publish_leads(store)
    accept_batch(store, [lead(1, key="form-1")], actor="key:first")

    accept_batches(
        store,
        [
            TriggerBatch(triggers=[lead(1, key="form-1")], actor="key:second"),
            TriggerBatch(triggers=[lead(2)], actor="key:third"),
        ],
    )

    with store.read() as tx:
        senders = [row.actor for row in list_audit(tx, action="accept")]
    assert sorted(senders) == ["key:first", "key:third"]


def test_the_same_key_twice_in_one_batch_is_one_event(store: Store) -> None:
    publish_leads(store)

    one, two = accept_batch(store, [lead(1, key="a"), lead(1, key="a")], actor="key:test")

    assert one.id == two.id and two.duplicate and not one.duplicate


def test_the_same_key_with_another_payload_refuses_the_whole_batch(store: Store) -> None:
    publish_leads(store)
    accept_batch(store, [lead(1, key="form-1")], actor="key:test")

    with pytest.raises(RefusedAt) as refused:
        accept_batch(store, [lead(7), lead(2, key="form-1")], actor="key:test")

    assert refused.value.index == 1
    assert refused.value.cause.code == "idempotency_conflict"
    assert count(store) == 1


def test_one_refused_batch_does_not_hurt_those_that_share_its_commit(store: Store) -> None:
    publish_leads(store)
    accept_batch(store, [lead(1, key="form-1")], actor="key:test")

    batches = ([lead(5)], [lead(2, key="form-1")], [lead(6), lead(7)])
    fine, refused, also_fine = accept_batches(
        store, [TriggerBatch(triggers=one, actor="key:test") for one in batches]
    )

    assert isinstance(fine, list) and isinstance(also_fine, list) and len(also_fine) == 2
    assert isinstance(refused, RefusedAt)
    assert count(store) == 4


def test_however_many_are_refused_the_others_get_one_commit_together(store: Store) -> None:
    publish_leads(store)
    accept_batch(store, [lead(1, key=f"form-{number}") for number in range(20)], actor="key:test")
    ends: list[str] = []
    event.listen(store.engine, "commit", lambda _: ends.append("commit"))
    event.listen(store.engine, "rollback", lambda _: ends.append("rollback"))

    batches = [[lead(2, key=f"form-{number}")] for number in range(60)]
    unknown = [[replace(lead(3), type="lead.create")] for _ in range(20)]
    answers = accept_batches(
        store, [TriggerBatch(triggers=one, actor="key:test") for one in (*unknown, *batches)]
    )

    refused = [one.cause.code for one in answers if isinstance(one, RefusedAt)]
    assert refused == ["unknown_trigger"] * 20 + ["idempotency_conflict"] * 20
    assert ends == ["rollback", "commit"]
    assert count(store) == 60


def test_a_batch_that_conflicts_only_with_a_refused_one_is_accepted(store: Store) -> None:
    publish_leads(store)
    accept_batch(store, [lead(1, key="form-1")], actor="key:test")

    refused, fine, also_refused = accept_batches(
        store,
        [
            TriggerBatch(triggers=[lead(2, key="form-2"), lead(2, key="form-1")], actor="key:test"),
            TriggerBatch(triggers=[lead(3, key="form-2")], actor="key:test"),
            TriggerBatch(triggers=[lead(4, key="form-4"), lead(4, key="form-2")], actor="key:test"),
        ],
    )

    assert isinstance(refused, RefusedAt) and refused.index == 1
    assert isinstance(fine, list)
    assert isinstance(also_refused, RefusedAt) and also_refused.index == 1
    assert fine[0].id in str(also_refused)
    assert count(store) == 2


def test_one_key_with_two_payloads_refuses_the_batch_that_holds_both(store: Store) -> None:
    publish_leads(store)

    with pytest.raises(RefusedAt) as refused:
        accept_batch(store, [lead(1, key="a"), lead(2, key="a")], actor="key:test")

    assert refused.value.index == 1
    assert count(store) == 0


def test_a_type_that_nobody_takes_is_refused_and_the_near_one_is_named(store: Store) -> None:
    publish_leads(store)

    with pytest.raises(RefusedAt) as refused:
        accept_batch(store, [replace(lead(1), type="lead.create")], actor="key:test")

    assert refused.value.cause.code == "unknown_trigger"
    assert "lead.created" in str(refused.value.fix)
    assert count(store) == 0
