"""Transactions that meet in the middle: what one derives, the other is just changing.

PostgreSQL only: a writer of SQLite is alone from its BEGIN IMMEDIATE to its commit.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from sqlalchemy import Connection, select, text, update
from uuid_utils import uuid7

from orchestrator.domain.access.actor import login
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.operations.repair.amend import mend_events
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.operations.replay.run_plan import Ran, run_plan
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import Store
from orchestrator.store.database.locks import hold_events
from orchestrator.store.database.migrate import open_store
from orchestrator.store.database.schema import circuits, deliveries, events, groups
from orchestrator.store.desk.plan_snapshot import Ground, grounds
from orchestrator.store.destinations.breakers import note_failures, note_taken
from orchestrator.store.destinations.held_deliveries import nudge_open_breakers, release_held
from orchestrator.store.destinations.holding import hold_deliveries
from orchestrator.store.drive.accept import Arrival, accept
from orchestrator.store.drive.claim import claim, forget_expired_groups, renew_group
from orchestrator.store.drive.overlooked import wake
from orchestrator.store.drive.stages import Saving, hand_back, save_retry
from orchestrator.store.ordering import turns
from orchestrator.store.ordering.turns import give_turns
from orchestrator.store.quarantine.workflows import WorkflowShelf, live_workflow
from orchestrator.store.views.quarantine.selection import Selection
from tests.cli.desk import validate_leads
from tests.leads import (
    CATALOG,
    LIMITS,
    accept_leads,
    claim_groups,
    drive_to_routed,
    lead,
    lead_workflow,
    publish_leads,
    renamed_lead,
)
from tests.ordered_leads import ORDERED, accept_lead, going
from tests.stores import new_database

pytestmark = pytest.mark.postgres

RECIPE = recipe_of([{"rename": "customer_tier", "to": "tier"}])
_WAITS = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
_PATIENCE = 10.0  # seconds that a test gives the other one to come to its wait


@pytest.fixture
def store(postgres: EmbeddedServer) -> Iterator[Store]:
    opened = open_store(new_database(postgres, migrated=True))
    publish_leads(opened)
    yield opened
    opened.close()


@contextmanager
def met_before_its_commit(
    store: Store, other: Callable[[Connection], object]
) -> Iterator[Connection]:
    """A transaction that stops before its commit until `other`, in one of its own, waits."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            with store.write() as tx:
                other(tx)
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    thread = threading.Thread(target=run)
    with store.write() as tx:
        yield tx
        thread.start()
        end = time.monotonic() + _PATIENCE
        while not _somebody_waits(store) and thread.is_alive() and time.monotonic() < end:
            time.sleep(0.005)
    thread.join()
    if errors:
        raise errors[0]


def _somebody_waits(store: Store) -> bool:
    with store.read() as tx:
        return bool(tx.execute(_WAITS).scalar_one())


def due_in(store: Store) -> list[int]:
    """In how many milliseconds each event is due."""
    with store.read() as tx:
        return list(tx.execute(select(events.c.due_at - now_ms())).scalars())


def states(store: Store) -> set[str]:
    with store.read() as tx:
        return set(tx.execute(select(deliveries.c.state)).scalars())


def hold(tx: Connection, ids: list[str], epoch: int) -> None:
    hold_deliveries(
        tx,
        ids,
        ["crm", "desk"],
        workflow=lead_workflow(),
        epoch=epoch,
        circuit="fake",
        reason="failing",
        actor="worker:dispatch",
    )


def held_in_hand(store: Store) -> tuple[list[str], int]:
    """Leads whose deliveries a run has just held; it has not handed them back yet."""
    ids = accept_leads(store, 3)
    (group,) = claim_groups(store)
    drive_to_routed(store, group)
    with store.write() as tx:
        policy = BreakerPolicy(failures=1, cooldown_seconds=30)
        note_failures(tx, "fake", ["e"], error="503", policy=policy, actor="worker:dispatch")
        hold(tx, ids, group.epoch)
    return ids, group.epoch


def test_a_run_that_hands_back_what_is_just_let_go_leaves_it_due(store: Store) -> None:
    # Given leads that a run holds, and whose system is well again
    ids, epoch = held_in_hand(store)
    with store.write() as tx:
        note_taken(tx, "fake", "worker:dispatch")

    # When the relay lets them go, and the run hands them back before the relay has committed
    with met_before_its_commit(store, lambda tx: hand_back(tx, ids, epoch)) as tx:
        assert release_held(tx) == 3

    # Then they are due at once, not when a forgotten delivery would be looked for
    assert states(store) == {"pending"}
    assert max(due_in(store)) <= 0


def test_a_retry_of_what_is_just_let_go_leaves_it_due(store: Store) -> None:
    ids, epoch = held_in_hand(store)
    with store.write() as tx:
        note_taken(tx, "fake", "worker:dispatch")
    saving = Saving(actor="worker:dispatch", epoch=epoch, lease_seconds=90)

    with met_before_its_commit(store, lambda tx: save_retry(tx, ids, saving, detail={})) as tx:
        release_held(tx)

    assert max(due_in(store)) <= 0


def test_a_worker_that_stands_still_in_its_transaction_keeps_no_relay_waiting(store: Store) -> None:
    # Given a run that has its group, its events and its breaker in hand, and whose lease is over
    ids, epoch = held_in_hand(store)
    with store.write() as tx:
        tx.execute(update(groups).values(lease_until=after(-1)))
        tx.execute(update(circuits).values(probe_at=after(-1)))

    with store.write() as frozen:
        renew_group(frozen, epoch, 60)
        note_taken(frozen, "fake", "worker:dispatch")
        hold_events(frozen, ids)

        # Then a relay's turn comes to its end: where it waits, the server ends its statement
        with store.write() as tx:
            tx.execute(text("SET LOCAL lock_timeout = '2s'"))
            assert forget_expired_groups(tx) == 0
            assert nudge_open_breakers(tx) == release_held(tx) == 0
            assert wake(tx, ids) == []
            assert not claim(tx, LIMITS, WorkflowShelf()).groups


def test_a_run_that_meets_another_is_told_of_it_and_not_refused(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    accept_batch(store, [renamed_lead(n) for n in range(3)], actor="key:test")
    validate_leads(store)
    wanted = Selection(workflow="leads")
    mend_events(store, wanted, RECIPE, actor=login("cli:ada"))
    plan = plan_replay(store, wanted, actor=login("cli:ada"), catalog=CATALOG)
    others: list[Ran] = []

    def after_the_other(tx: Connection, ids: list[str], **more: bool) -> dict[str, Ground]:
        if not others:  # between what is open and its state
            others.append(Ran(token=plan.token, events=0, outcomes={}))
            others[0] = run_plan(store, plan.token, actor=login("cli:ada"))
        return grounds(tx, ids, **more)

    monkeypatch.setattr("orchestrator.operations.replay.run_plan.grounds", after_the_other)
    ran = run_plan(store, plan.token, actor=login("cli:bob"))

    assert (others[0].replayed, ran.replayed, ran.before) == (3, 0, 3)
    assert ran.finished is not None and ran.finished.by == "cli:ada"


def test_two_relays_never_give_two_turns_of_one_line(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a second event whose place is visible before that of the first
    monkeypatch.setattr(turns, "MOST_LOOKS", 1)  # as where more is asked for than one looks at
    publish_leads(store, ORDERED)
    with ExitStack() as stack:
        accept_slowly(stack.enter_context(store.write()))
        quick = accept_lead(store, 1)
        # When one relay gave it the turn, and another sees both
        with met_before_its_commit(store, give_turns) as relay:
            assert give_turns(relay) == 1
            stack.close()

    # Then one of them goes
    assert going(store) == [quick]


def accept_slowly(tx: Connection) -> None:
    live = live_workflow(tx, "acme", "leads")
    assert live
    accept(tx, [Arrival(id=uuid7().hex, trigger=lead(1), workflow=live, actor="key:test")])
