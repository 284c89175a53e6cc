"""Groups whose decisions were cut short: nobody waits for a lease, the one at fault is found."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

from orchestrator.domain.lifecycle import State
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.cut_short import end_of_start, put_back
from orchestrator.store.views.quarantine.list import EVERYTHING, list_quarantine
from tests.leads import LIMITS, accept_leads, claim_groups, publish_leads

CALM = replace(LIMITS, groups_in_flight=20)


def starts(store: Store) -> dict[str, int]:
    with store.read() as tx:
        return {row.id: row.starts for row in tx.execute(select(events.c.id, events.c.starts))}


def ended(store: Store, group: Group, suspect: str, *, start_limit: int = 6) -> None:
    with store.write() as tx:
        end_of_start(
            tx,
            group.ids,
            epoch=group.epoch,
            source=State.ACCEPTED,
            suspect=suspect,
            seconds=45,
            start_limit=start_limit,
            actor="worker:validate",
        )


def test_what_a_turn_did_not_get_to_is_due_at_once_and_no_start_of_it(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 5)
    (group,) = claim_groups(store)

    with store.write() as tx:
        put_back(tx, ids[3:], epoch=group.epoch, source=State.ACCEPTED)

    assert [starts(store)[one] for one in ids] == [1, 1, 1, 0, 0]
    (again,) = claim_groups(store)
    assert sorted(again.ids) == sorted(ids[3:])


def test_what_another_group_has_taken_is_not_put_back(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 2)
    (group,) = claim_groups(store)

    with store.write() as tx:
        put_back(tx, ids, epoch=group.epoch - 1, source=State.ACCEPTED)
        put_back(tx, ids, epoch=group.epoch, source=State.VALIDATED)

    assert claim_groups(store) == []


def test_after_the_time_limit_the_suspect_is_due_alone_and_its_companions_together(
    store: Store,
) -> None:
    publish_leads(store)
    ids = accept_leads(store, 5)
    (group,) = claim_groups(store)

    ended(store, group, ids[2])
    again = claim_groups(store, CALM)

    assert sorted(sorted(one.ids) for one in again) == sorted([[ids[2]], sorted({*ids} - {ids[2]})])


def test_a_suspect_that_was_alone_is_quarantined_at_once(store: Store) -> None:
    publish_leads(store)
    (suspect,) = accept_leads(store, 1)
    (group,) = claim_groups(store)

    ended(store, group, suspect)

    with store.read() as tx:
        (standing,) = list_quarantine(tx, EVERYTHING)
    assert (standing.id, standing.reason) == (suspect, "start_limit")
    assert claim_groups(store) == []


def test_a_suspect_is_not_worn_out_by_its_first_end_however_low_the_limit(store: Store) -> None:
    publish_leads(store)
    ids = accept_leads(store, 2)
    (group,) = claim_groups(store)

    ended(store, group, ids[0], start_limit=2)
    claim_groups(store, replace(CALM, start_limit=2))

    with store.read() as tx:
        assert list_quarantine(tx, EVERYTHING) == []
