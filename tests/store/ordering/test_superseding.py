"""An older update is dropped once a newer one is confirmed, and only then."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.lifecycle import DeliveryState
from orchestrator.store.database.audit_values import ERASE, RETENTION
from orchestrator.store.database.clock import after as later
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import deliveries, ordered_events
from orchestrator.store.desk.retention import forget_contents
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.deliveries import load_deliveries, take_deliveries
from orchestrator.store.drive.planned_deliveries import plan_deliveries
from orchestrator.store.drive.superseding import supersede
from orchestrator.store.views.audit import list_audit
from orchestrator.store.views.events.show import show_event
from tests.leads import drive_to_routed
from tests.ordered_leads import NEWEST, accept_update, deliver, publish_ordered, turn

SUPERSEDED, PENDING = DeliveryState.SUPERSEDED, DeliveryState.PENDING


def next_routed(store: Store) -> Group:
    (group,) = turn(store)
    drive_to_routed(store, group)
    return group


def states(store: Store, event_id: str) -> dict[str, str]:
    table = deliveries.c
    with store.read() as tx:
        rows = tx.execute(select(table.name, table.state).where(table.event_id == event_id))
        return {row.name: row.state for row in rows}


def finish(store: Store, group: Group, state: DeliveryState) -> None:
    """Its event is at its end, with deliveries in this state."""
    with store.write() as tx:
        tx.execute(
            update(deliveries).where(deliveries.c.event_id.in_(group.ids)).values(state=state)
        )
    deliver(store, group)


def after(store: Store, first: object, then: object, state: DeliveryState) -> dict[str, str]:
    """The states of the deliveries of one update after another ended with deliveries in a state."""
    publish_ordered(store, NEWEST)
    accept_update(store, first)
    second = accept_update(store, then)
    finish(store, next_routed(store), state)
    next_routed(store)
    return states(store, second)


def test_an_older_update_is_dropped_after_a_newer_one_was_confirmed(store: Store) -> None:
    assert after(store, 2, 1, DeliveryState.CONFIRMED) == {"crm": SUPERSEDED}


def test_a_later_update_is_sent(store: Store) -> None:
    assert after(store, 1, 2, DeliveryState.CONFIRMED) == {"crm": PENDING}


def test_an_equal_update_is_not_older(store: Store) -> None:
    assert after(store, 2, 2.0, DeliveryState.CONFIRMED) == {"crm": PENDING}


def test_a_newer_update_that_is_not_confirmed_drops_nothing(store: Store) -> None:
    assert after(store, 2, 1, DeliveryState.RECEIPTED) == {"crm": PENDING}


def test_moments_are_compared_across_zones(store: Store) -> None:
    newer, older = "2026-03-01T09:30:00Z", "2026-03-01T10:00:00+01:00"
    assert after(store, newer, older, DeliveryState.CONFIRMED) == {"crm": SUPERSEDED}


def test_what_cannot_be_compared_is_sent(store: Store) -> None:
    assert after(store, "2026-03-01T09:30:00Z", 7, DeliveryState.CONFIRMED) == {"crm": PENDING}


def test_what_says_no_moment_is_sent(store: Store) -> None:
    assert after(store, 7, None, DeliveryState.CONFIRMED) == {"crm": PENDING}


def test_only_where_the_newer_one_was_confirmed_is_the_older_one_dropped(store: Store) -> None:
    publish_ordered(store, NEWEST)
    accept_update(store, 2)  # to the crm only
    older = accept_update(store, 1, tier="enterprise")  # to the crm and the desk
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    next_routed(store)

    assert states(store, older) == {"crm": SUPERSEDED, "desk": PENDING}


def test_an_update_of_another_record_drops_nothing(store: Store) -> None:
    publish_ordered(store, NEWEST)
    accept_update(store, 2)
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    other = accept_update(store, 1, number=2)
    next_routed(store)

    assert states(store, other) == {"crm": PENDING}


def test_a_superseded_delivery_is_not_taken_and_its_event_ends_as_delivered(store: Store) -> None:
    publish_ordered(store, NEWEST)
    newer, older = accept_update(store, 2), accept_update(store, 1)
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    group = next_routed(store)

    with store.write() as tx:
        taken = take_deliveries(tx, group.ids, epoch=group.epoch, run_id="r", run_seconds=60)
        standing = load_deliveries(tx, group.ids, group.epoch)
    assert taken == []
    assert [one.state for one in standing[older]] == [SUPERSEDED]
    with store.read() as tx:
        row = next(one for one in list_audit(tx, event_id=older) if one.action == "supersede")
    assert (row.destination, row.target) == ("crm", "superseded")
    assert row.detail == {"by": newer}


def test_a_superseded_delivery_whose_call_may_have_arrived_is_looked_for_after_a_replay(
    store: Store,
) -> None:
    publish_ordered(store, NEWEST)
    accept_update(store, 2)
    older = accept_update(store, 1)
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    with store.write() as tx:
        crm = PlannedDelivery(
            destination="crm", connector="fake", action="record", send={}, confirm=()
        )
        plan_deliveries(tx, {older: [crm]}, again=[])
        look_at = in_the_future(tx)
        tx.execute(
            update(deliveries)
            .where(deliveries.c.event_id == older)
            .values(unknown=True, due_at=look_at)
        )
        supersede(tx, [older], items=False, actor="worker:route")
        assert standing(tx, older) == (SUPERSEDED, True, look_at)

        plan_deliveries(tx, {older: [crm]}, again=[older])

        assert standing(tx, older) == (PENDING, True, look_at)


def in_the_future(tx: Connection) -> int:
    return int(tx.execute(select(later(60))).scalar_one())


def standing(tx: Connection, event_id: str) -> tuple[str, bool, int | None]:
    table = deliveries.c
    found = select(table.state, table.unknown, table.due_at).where(table.event_id == event_id)
    state, unknown, due_at = tx.execute(found).one()
    return state, bool(unknown), due_at


ITEMS = NEWEST.replace("    n: {}\n", """\
    n: {}
    lines: {type: array, items: {type: object, properties: {sku: {type: string}}, required: [sku]}}
""").replace("required: [email, tier]", "required: [email, tier, lines]").replace(
    "crm: {connector: fake, action: record, send: {email: email, tier: tier},"
    " confirm: [email, tier]}",
    "crm: {connector: fake, action: record, each: data.lines, key: line.sku,"
    " send: {email: email}, confirm: [email]}",
)  # fmt: skip


def accept_lines(store: Store, n: int, *skus: str) -> str:
    """Accept one update with these lines, made at `n`."""
    return accept_update(store, n, lines=[{"sku": sku} for sku in skus])  # type: ignore[arg-type]


def forget(store: Store, *ids: str, gone_by: str = RETENTION) -> None:
    with store.write() as tx:
        forget_contents(tx, ids, gone_by=gone_by)


def ranked(store: Store) -> set[str]:
    table = ordered_events.c
    with store.read() as tx:
        return set(tx.execute(select(table.event_id).where(table.rank.is_not(None))).scalars())


def items_of(store: Store, event_id: str) -> list[str | None]:
    with store.read() as tx:
        table = deliveries.c
        return list(tx.execute(select(table.item).where(table.event_id == event_id)).scalars())


def test_an_older_update_of_an_item_is_dropped_also_after_the_newer_ones_item_was_forgotten(
    store: Store,
) -> None:
    publish_ordered(store, ITEMS)
    newer = accept_lines(store, 2, "a", "b")
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    forget(store, newer)
    older = accept_lines(store, 1, "b", "c")
    next_routed(store)

    assert states(store, older) == {"crm.item-1": SUPERSEDED, "crm.item-2": PENDING}
    assert not any(sku in str(items_of(store, newer)) for sku in ('"a"', '"b"'))
    with store.read() as tx:
        shown = show_event(tx, newer)
    assert shown and {one.item for one in shown.deliveries} == {None}


def test_an_update_without_items_is_none_of_those_that_were_forgotten(store: Store) -> None:
    publish_ordered(store, ITEMS)
    newer = accept_lines(store, 2, "a")
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    forget(store, newer)
    publish_ordered(store, NEWEST)
    older = accept_update(store, 1)
    next_routed(store)

    assert states(store, older) == {"crm": PENDING}


def test_retention_leaves_the_newest_update_alone_to_be_compared_with(store: Store) -> None:
    publish_ordered(store, ITEMS)
    ids = [accept_lines(store, 1, "a"), accept_lines(store, 2, "a"), accept_lines(store, 3, "b")]
    for _ in ids:
        finish(store, next_routed(store), DeliveryState.CONFIRMED)
    assert ranked(store) == set(ids)

    forget(store, *ids)

    assert ranked(store) == set(ids[1:])
    assert items_of(store, ids[0]) == [None]


def test_what_was_forgotten_before_a_newer_update_came_is_forgotten_wholly_with_that(
    store: Store,
) -> None:
    publish_ordered(store, ITEMS)
    first = accept_lines(store, 1, "a")
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    forget(store, first)
    then = accept_lines(store, 2, "a")
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    forget(store, then)

    assert ranked(store) == {then}
    assert items_of(store, first) == [None]


def test_of_what_was_confirmed_nowhere_retention_leaves_nothing(store: Store) -> None:
    publish_ordered(store, NEWEST)
    only = accept_update(store, 1)
    finish(store, next_routed(store), DeliveryState.RECEIPTED)

    forget(store, only)

    assert ranked(store) == set()


def test_an_erasure_leaves_no_digest_of_an_item(store: Store) -> None:
    publish_ordered(store, ITEMS)
    event_id = accept_lines(store, 1, "a")
    finish(store, next_routed(store), DeliveryState.CONFIRMED)
    forget(store, event_id)
    assert items_of(store, event_id) != [None]

    forget(store, event_id, gone_by=ERASE)

    assert items_of(store, event_id) == [None]
