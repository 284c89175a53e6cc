"""What relay, worker and door say of themselves while they do their work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from connectors.fake import FakeConnector, Mishap
from orchestrator.domain.errors import DestinationUnavailable, StoreUnavailable
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from orchestrator.settings import settings
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.drive.claim import Group
from orchestrator.store.drive.stages import Saving, save_valid
from orchestrator.telemetry import (
    CallEnded,
    ClaimMade,
    IncidentOpened,
    RequestAccepted,
    RequestRefused,
    StageSaved,
    TriggersCommitted,
)
from tests.api.doors import open_door
from tests.leads import TEXT, accept_leads, claim_groups, lead, publish_leads, renamed_lead
from tests.seen import Seen, seeing
from tests.stores import make_file
from workers import app as workers_app
from workers import chain
from workers.app import Process, process
from workers.relay import Relay

pytestmark = pytest.mark.processes

AMENDS = """\
amend:
  - {rename: customer_tier, to: tier}
"""


@pytest.fixture
def worker(
    tmp_path: Path, valkey: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Process]:
    """This process as a worker, with the shipped fake for a destination."""
    make_file(tmp_path / "store.db")
    monkeypatch.setenv("MESHLINE_DATABASE_URL", f"sqlite:///{tmp_path / 'store.db'}")
    monkeypatch.setenv("MESHLINE_BROKER_URL", valkey.url)
    settings.cache_clear()
    process.cache_clear()
    monkeypatch.setitem(workers_app.app.conf, "broker_url", valkey.url)
    yield process()
    process().close()
    process.cache_clear()
    settings.cache_clear()


def fake_of(worker: Process) -> FakeConnector:
    fake = worker.connectors["fake"]
    assert isinstance(fake, FakeConnector)
    return fake


def claimed(store: Store) -> Group:
    (group,) = claim_groups(store)
    return group


def validate(group: Group) -> None:
    chain.validate(list(group.ids), group.epoch)


def drive(store: Store, group: Group) -> None:
    """What a worker does with a group's chain."""
    left = list(group.ids)
    for link in (chain.validate, chain.route):
        left = link(left, group.epoch)
    chain.dispatch(left, group.epoch)


def saved(seen: Seen) -> list[tuple[str, dict[str, int]]]:
    for one in seen.of(StageSaved):
        assert (one.client, one.workflow) == ("acme", "leads")
        assert one.seconds >= 0
    return [(one.stage, dict(one.outcomes)) for one in seen.of(StageSaved)]


def test_a_relay_says_what_it_claimed_and_how_long_that_had_waited(worker: Process) -> None:
    publish_leads(worker.store)
    accept_leads(worker.store, 3)
    relay = Relay(worker.store, settings())
    with seeing() as seen:
        relay.turn()
        relay.turn()  # nothing is due

    relay._open_producer().channel.queue_purge("meshline")
    (made,) = seen.of(ClaimMade)
    assert (made.groups, made.events) == (1, 3)
    assert 0 <= made.waited_seconds < 60


def test_a_group_says_what_each_stage_made_of_it(worker: Process) -> None:
    publish_leads(worker.store)
    good = [lead(number, tier="enterprise") for number in range(3)]
    accept_batch(worker.store, [*good, lead(9, tier="unheard of")], actor="key:test")

    with seeing() as seen:
        drive(worker.store, claimed(worker.store))

    assert saved(seen) == [
        ("validate", {"validated": 3, "quarantined": 1}),
        ("route", {"routed": 3}),
        ("dispatch", {"confirmed": 6}),
    ]
    assert [one.reason for one in seen.of(IncidentOpened)] == ["contract_violation"]


def test_each_call_says_how_it_ended_and_what_was_tried_again_is_pending(
    worker: Process,
) -> None:
    publish_leads(worker.store)
    accept_leads(worker.store, 2)
    down = DestinationUnavailable("it is down")
    fake_of(worker).mishaps.append(Mishap(at="create", error=down))

    with seeing() as seen:
        drive(worker.store, claimed(worker.store))

    calls = seen.of(CallEnded)
    assert {(one.connector, one.action) for one in calls} == {("fake", "record")}
    assert sorted(str(dict(one.outcomes)) for one in calls) == [
        "{'confirmed': 1}",
        "{'failed_system': 1}",
    ]
    assert saved(seen)[-1] == ("dispatch", {"confirmed": 1, "pending": 1})


def test_a_decision_that_breaks_is_tried_again(
    worker: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_leads(worker.store)
    accept_leads(worker.store, 2)
    monkeypatch.setattr(chain, "decide_valid", lambda *_: 1 / 0)

    with seeing() as seen:
        validate(claimed(worker.store))

    assert saved(seen) == [("validate", {"retried": 2})]


def test_what_an_amendment_mended_is_counted_apart(worker: Process) -> None:
    publish_leads(worker.store, TEXT + AMENDS)
    accept_batch(worker.store, [lead(1), renamed_lead(2)], actor="key:test")

    with seeing() as seen:
        validate(claimed(worker.store))

    assert saved(seen) == [("validate", {"validated": 1, "amended": 1})]


def test_a_message_that_comes_twice_is_told_once(worker: Process) -> None:
    publish_leads(worker.store)
    accept_leads(worker.store, 2)
    group = claimed(worker.store)
    with seeing() as seen:
        validate(group)
        validate(group)

    assert saved(seen) == [("validate", {"validated": 2})]


def test_a_stage_that_is_rolled_back_says_nothing(
    worker: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_leads(worker.store)
    accept_leads(worker.store, 2)
    group = claimed(worker.store)
    once = [StoreUnavailable("the disk is full")]

    def save_late(tx: Tx, ids: Sequence[str], saving: Saving) -> list[str]:
        moved = save_valid(tx, ids, saving)
        if once:
            raise once.pop()
        return moved

    monkeypatch.setattr(chain, "save_valid", save_late)
    with seeing() as seen:
        validate(group)

    assert not once
    assert saved(seen) == [("validate", {"validated": 2})]


def test_a_door_says_what_it_committed_answered_and_refused(worker: Process) -> None:
    publish_leads(worker.store)
    with open_door(worker.store) as door, seeing() as seen:
        door.emit(idempotency_key="a")
        door.emit(idempotency_key="a")
        door.emit(type="nobody.knows.it")
        door.get("/healthz")

    assert [(one.accepted, one.duplicates) for one in seen.of(TriggersCommitted)] == [
        (1, 0),
        (0, 1),
    ]
    assert len(seen.of(RequestAccepted)) == 2
    assert [one.code for one in seen.of(RequestRefused)] == ["unknown_trigger"]
