"""The ways of a dead letter: it waits for the store, goes back to its queue, or is returned."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from kombu.connection import Connection

from orchestrator.broker import declare_dead_letters, open_broker, queue_depth
from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import BrokerUnavailable
from orchestrator.operations.quarantine.close_dead_letters import requeue_dead_letters
from orchestrator.settings import settings
from orchestrator.store.quarantine.dead_letters import DeadLetter
from tests.poison.bodies import body_of
from tests.poison.rig import CHAINS, COPIES, JSON, Rig, Sent, ours
from tests.servers.rabbitmq import add_vhost
from tests.waiting import eventually

pytestmark = pytest.mark.processes

GHOST = Sent(headers=ours("ghost", since=1), body=b"[[], {}, \xff]")


@pytest.fixture
def same_broker(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rig]:
    """The worker, and settings of ours that name its broker."""
    with named(monkeypatch, rig.broker):
        yield rig


@contextmanager
def named(monkeypatch: pytest.MonkeyPatch, broker: str) -> Iterator[None]:
    monkeypatch.setenv("MESHLINE_BROKER_URL", broker)
    settings.cache_clear()
    yield
    monkeypatch.delenv("MESHLINE_BROKER_URL")
    settings.cache_clear()


def test_while_the_store_is_away_poison_waits(rig: Rig) -> None:
    said = "waits for the store"
    with rig.store_away():
        rig.put(GHOST)
        assert eventually(lambda: said in rig.worker.output())
        assert rig.letters() == []

    assert eventually(lambda: bool(rig.letters()))
    assert rig.works()
    assert len(rig.letters()) == 1


def test_while_the_store_is_away_an_item_that_is_no_message_waits(on_redis: Rig) -> None:
    with on_redis.store_away():
        on_redis.put_item(b"junk")
        assert eventually(lambda: "goes back on its list" in on_redis.worker.output())
        assert on_redis.letters() == []

    assert eventually(lambda: bool(on_redis.letters()))
    assert on_redis.works()
    assert [body_of(on_redis, one.id) for one in on_redis.letters()] == [b"junk"]


def test_a_worker_that_dies_while_poison_waits_loses_nothing(rabbitmq_rig: Rig) -> None:
    with rabbitmq_rig.store_away():
        rabbitmq_rig.worker.kill()
        rabbitmq_rig.worker.start()
        rabbitmq_rig.put(GHOST)
        assert eventually(lambda: "waits for the store" in rabbitmq_rig.worker.output())
        rabbitmq_rig.worker.kill()

    rabbitmq_rig.worker.start()

    assert eventually(lambda: bool(rabbitmq_rig.letters()))
    assert rabbitmq_rig.works()
    rabbitmq_rig.forget()


def test_a_requeued_letter_comes_back_as_it_was(same_broker: Rig) -> None:
    rig = same_broker
    rig.put(GHOST)
    assert eventually(lambda: bool(rig.letters()))
    (first,) = rig.letters()

    with open_broker() as post:
        requeue_dead_letters(rig.store, [first.id], post, actor=login("cli:ada"))

    assert eventually(lambda: bool(rig.letters()))
    assert rig.works()
    (second,) = rig.letters()
    assert second.id > first.id
    for part in ("headers", "content_type", "content_encoding", "queue", "task", "error"):
        assert getattr(second, part) == getattr(first, part)
    assert body_of(rig, second.id) == GHOST.body


def test_rabbitmq_does_not_swallow_a_letter_for_a_queue_that_it_has_not(
    rabbitmq_rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    letter = DeadLetter(queue="nowhere", error="", headers="{}", content_type=JSON, body=b"")

    with (
        named(monkeypatch, rabbitmq_rig.broker),
        open_broker() as post,
        pytest.raises(BrokerUnavailable, match="NO_ROUTE"),
    ):
        post(letter)


@pytest.fixture
def alone(rabbitmq_rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A channel to a RabbitMQ that no worker listens to."""
    address = add_vhost(rabbitmq_rig.server, "alone")
    options = rabbitmq_rig.config.celery_config()["broker_transport_options"]
    with (
        named(monkeypatch, address),
        Connection(address, transport_options=options) as connection,
    ):
        channel = connection.default_channel
        yield channel
        channel.queue_delete(CHAINS)
        channel.queue_delete(COPIES)


def test_the_depth_of_the_queue_is_what_no_worker_took(alone: Any) -> None:
    assert queue_depth(alone) == 0

    for _ in range(3):
        publish(alone, b"[]")

    assert eventually(lambda: queue_depth(alone) == 3)
    alone.basic_get(CHAINS)
    assert eventually(lambda: queue_depth(alone) == 2)


def test_a_message_that_comes_back_without_end_is_taken_off_its_queue(alone: Any) -> None:
    declare_dead_letters(alone)
    queue_depth(alone)
    publish(alone, b"[1]")

    for _ in range(21):
        returned = None
        while returned is None:
            returned = alone.basic_get(CHAINS)
        alone.basic_reject(returned.delivery_tag, requeue=True)

    assert eventually(lambda: declare_dead_letters(alone) == 1)
    assert queue_depth(alone) == 0


def publish(channel: Any, body: bytes) -> None:
    message = channel.prepare_message(body, content_type=JSON, properties={"delivery_mode": 2})
    channel.basic_publish(message, exchange="", routing_key=CHAINS)
