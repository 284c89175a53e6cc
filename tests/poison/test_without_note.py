"""A broker that gives a message and takes no note of it: what a worker held is not lost with it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from kombu.connection import Connection
from redis import Redis

from tests.poison.rig import Rig
from workers import app as _registers  # noqa: F401 - the guarded transport

pytestmark = pytest.mark.processes


class Broker:
    """The rig's broker, as a user of its own sees it, whose rights can be taken away."""

    def __init__(self, rig: Rig) -> None:
        self._admin = Redis.from_url(rig.broker)
        address = urlsplit(rig.broker)
        self.url = f"redis://taker:any@{address.hostname}:{address.port}{address.path}"
        self._allow("on", "nopass", "~*", "&*", "+@all")

    def take_no_notes(self) -> None:
        self._allow("-zadd")

    def take_notes(self) -> None:
        self._allow("+zadd")

    def close(self) -> None:
        self._admin.execute_command("ACL", "DELUSER", "taker")  # type: ignore[no-untyped-call]
        self._admin.close()

    def _allow(self, *rules: str) -> None:
        self._admin.execute_command("ACL", "SETUSER", "taker", *rules)  # type: ignore[no-untyped-call]


@pytest.fixture
def broker(on_redis: Rig) -> Iterator[Broker]:
    broker = Broker(on_redis)
    yield broker
    broker.close()


def test_a_message_that_the_broker_took_no_note_of_is_put_back(broker: Broker) -> None:
    with Connection(broker.url) as first, Connection(broker.url) as second:
        queue = first.SimpleQueue("without-note")
        queue.put({"number": 1})
        broker.take_no_notes()
        taken = queue.get(timeout=10)
        held = dict(queue.channel.qos.held)
        broker.take_notes()

        later = second.SimpleQueue("without-note")
        for tag, message in held.items():
            later.channel.qos.put_back(tag, message)
        again = later.get(timeout=10)

        assert again.payload == taken.payload == {"number": 1}
        again.ack()
        assert later.channel.qos.held == {}


def test_a_message_that_is_done_is_not_put_back(broker: Broker) -> None:
    with Connection(broker.url) as connection:
        queue = connection.SimpleQueue("without-note")
        queue.put({"number": 2})
        broker.take_no_notes()
        taken = queue.get(timeout=10)
        broker.take_notes()
        taken.ack()

        assert queue.channel.qos.held == {}
