"""Values of the audit are kept beside its rows, each under a salt of its own."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text, update

from orchestrator.domain.access.actor import login
from orchestrator.domain.commitments import commitments_in
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.store.database.audit import record
from orchestrator.store.database.audit_values import empty_values_of, values_about_no_event
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit, audit_values
from orchestrator.store.drive.stages import Saving, save_delivered
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.details import detail_of
from tests.leads import (
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead_workflow,
    publish_leads,
    renamed_lead,
)

WHY = "ada@example.com asked for it"


def discarded(store: Store, count: int) -> list[str]:
    """Events that were given up, all for one reason."""
    publish_leads(store)
    accepted = accept_batch(store, [renamed_lead(n) for n in range(count)], actor="key:test")
    validate_leads(store)
    ids = [one.id for one in accepted]
    discard_events(store, Selection(ids=tuple(ids)), why=WHY, actor=login("cli:tester"))
    return ids


def reasons(store: Store) -> dict[str, object]:
    """Why each event was given up, as people read it."""
    with store.read() as tx:
        return {
            str(row.event_id): detail_of(row)["why"] for row in list_audit(tx, action="discard")
        }


def test_a_row_holds_no_value_and_its_reader_sees_it_all_the_same(store: Store) -> None:
    ids = discarded(store, 2)

    with store.read() as tx:
        rows = list(tx.execute(select(audit.c.detail)).scalars())
    assert not any("ada@example.com" in (row or "") for row in rows)
    assert reasons(store) == dict.fromkeys(ids, WHY)


def test_the_same_value_of_two_events_has_two_commitments(store: Store) -> None:
    discarded(store, 2)

    with store.read() as tx:
        told = select(audit.c.detail).where(audit.c.action == "discard")
        first, second = (tx.execute(told)).scalars()
        salts = list(tx.execute(select(audit_values.c.salt)).scalars())
    assert first != second
    assert len(set(salts)) == len(salts)


def test_a_value_is_emptied_for_its_event_alone_and_with_its_salt(store: Store) -> None:
    erased, kept = discarded(store, 2)

    with store.write() as tx:
        empty_values_of(tx, [erased], gone_by="erase")

    assert str(reasons(store)[erased]).startswith("(erased on 20")
    assert reasons(store)[kept] == WHY
    with store.read() as tx:
        mine = select(audit.c.id).where(audit.c.event_id == erased)
        rows = tx.execute(select(audit_values).where(audit_values.c.audit_id.in_(mine))).all()
    assert rows
    assert {(row.salt, row.value, row.gone_by) for row in rows} == {(None, None, "erase")}


def test_a_value_that_somebody_changed_is_not_shown_as_the_audits(store: Store) -> None:
    (event_id,) = discarded(store, 1)

    with store.write() as tx:
        tx.execute(update(audit_values).values(value='"nobody asked"'))

    assert "changed" in str(reasons(store)[event_id])


def test_a_value_that_is_not_there_is_said_to_be_missing(store: Store) -> None:
    (event_id,) = discarded(store, 1)

    with store.write() as tx:
        tx.execute(delete(audit_values))

    assert reasons(store)[event_id] == "(not kept)"


def test_the_way_of_an_event_that_is_delivered_writes_no_value(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 3)
    for group in claim_groups(store):
        drive_to_routed(store, group)
        with store.write() as tx:
            saving = Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
            assert save_delivered(tx, group.ids, lead_workflow(), saving) == ids

    with store.read() as tx:
        assert tx.execute(select(audit_values)).all() == []


def test_values_about_no_event_are_found_page_by_page(store: Store) -> None:
    with store.write() as tx:
        for number in range(3):
            record(tx, actor="cli:tester", action="pause", detail={"why": f"reason {number}"})

    with store.read() as tx:
        first = values_about_no_event(tx, most=2)
        rest = values_about_no_event(tx, after=first[-1][:2], most=2)
    assert [one[2] for one in first + rest] == ['"reason 0"', '"reason 1"', '"reason 2"']


@pytest.mark.parametrize("detail", [None, {"version": 1}])
def test_a_row_without_a_value_keeps_nothing_beside_it(
    store: Store, detail: dict[str, object] | None
) -> None:
    with store.write() as tx:
        record(tx, actor="cli:tester", action="publish", detail=detail)

    with store.read() as tx:
        assert commitments_in(detail) == {}
        assert tx.execute(text("SELECT count(*) FROM audit_values")).scalar_one() == 0
