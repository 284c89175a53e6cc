"""Whatever a broker answers, a worker and a relay wait, and go on when it can be used again."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from orchestrator.embedded.child import Child, EmbeddedServer
from orchestrator.operations.accept_triggers import accept_batch
from tests.integration import system as clocks
from tests.integration.pairs import Pair, empty_broker_on
from tests.integration.quick_leads import publish, take_quick_connectors
from tests.integration.system import System, running_system
from tests.leads import lead
from tests.servers.rabbitmq import control

pytestmark = pytest.mark.processes

_numbers = itertools.count()


class Running:
    """A system with the clocks of production: what a lease would heal comes too late for a test."""

    def __init__(self, system: System, relay: Child, worker: Child) -> None:
        self.system = system
        self.relay = relay
        self.worker = worker
        self.sent = 0

    def send(self, count: int = 4) -> None:
        """Accept leads."""
        leads = [lead(next(_numbers), tier="enterprise") for _ in range(count)]
        accept_batch(self.system.store, leads, actor="key:test")
        self.sent += count

    def delivered(self) -> bool:
        """Whether every lead arrived before a lease or a visibility timeout could end."""
        return self.system.wait_until_settled(self.sent, within=30)["delivered"] == self.sent

    def wait_until_it_waits(self, said_before: int) -> None:
        """Until the worker or the relay has met the fault."""
        end = time.monotonic() + 20
        while self.complaints() == said_before:
            assert time.monotonic() < end, self.worker.output()
            self.send(1)
            time.sleep(0.1)

    def complaints(self) -> int:
        """How often either said that it waits for the broker."""
        waits = ("the broker cannot be used now", "the broker does not take chains")
        outputs = self.worker.output(), self.relay.output()
        return sum(one.count(f"{words}: ") for one, words in zip(outputs, waits[:2], strict=True))


@contextmanager
def running(home: Path, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    monkeypatch.setattr(clocks, "QUICK", {"MESHLINE_STOP_SECONDS": "5"})
    with running_system(home, pair) as system:
        take_quick_connectors(home / "connectors")
        publish(system)
        system.start_sandbox()
        yield Running(system, system.start_relay(), system.start_worker())


@pytest.fixture(scope="module")
def on_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One worker on a Valkey, which all the faults of this file happen to."""
    folder = tmp_path_factory.mktemp("answers")
    pair = Pair(store_url=f"sqlite:///{folder / 'store.db'}")
    with pytest.MonkeyPatch.context() as patch, running(folder / "home", pair, patch) as found:
        yield found


def _command(*words: str) -> Callable[[redis.Redis], object]:
    return lambda client: client.execute_command(*words)  # type: ignore[no-untyped-call]


FAULTS = {
    "UNBLOCKED and READONLY: it becomes a replica": (
        _command("REPLICAOF", "127.0.0.1", "1"),
        _command("REPLICAOF", "NO", "ONE"),
    ),
    "MASTERDOWN: a replica that says nothing old": (
        lambda client: [
            client.config_set("replica-serve-stale-data", "no"),
            _command("REPLICAOF", "127.0.0.1", "1")(client),
        ],
        lambda client: [
            _command("REPLICAOF", "NO", "ONE")(client),
            client.config_set("replica-serve-stale-data", "yes"),
        ],
    ),
    "NOREPLICAS: too few replicas": (
        _command("CONFIG", "SET", "min-replicas-to-write", "1"),
        _command("CONFIG", "SET", "min-replicas-to-write", "0"),
    ),
    "OOM: it is full": (
        _command("CONFIG", "SET", "maxmemory", "1"),
        _command("CONFIG", "SET", "maxmemory", "0"),
    ),
    "NOPERM: a right was taken away": (
        _command("ACL", "SETUSER", "default", "-brpop", "-lpush", "-sadd"),
        _command("ACL", "SETUSER", "default", "+@all"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_redis_that_answers_with_an_error_ends_no_worker(on_valkey: Running, fault: str) -> None:
    breaks, mends = FAULTS[fault]
    pid, said = on_valkey.worker.pid, on_valkey.complaints()
    on_valkey.send()
    with redis.Redis.from_url(on_valkey.system.broker.url) as client:
        breaks(client)
        on_valkey.wait_until_it_waits(said)
        on_valkey.send()
        time.sleep(1)  # so that it also fails when it tries again
        mends(client)

    assert on_valkey.delivered()
    assert on_valkey.worker.running and on_valkey.relay.running
    assert on_valkey.worker.pid == pid


def test_a_redis_with_another_password_for_a_while_ends_no_worker(on_valkey: Running) -> None:
    pid, said = on_valkey.worker.pid, on_valkey.complaints()
    url = on_valkey.system.broker.url
    password = url.split(":")[2].partition("@")[0]
    with redis.Redis.from_url(url) as client:
        client.config_set("requirepass", "another")
        _command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")(client)
        on_valkey.wait_until_it_waits(said)
        client.config_set("requirepass", password)

    assert on_valkey.delivered()
    assert on_valkey.worker.running and on_valkey.worker.pid == pid


def test_an_outage_is_one_line_and_no_traceback(on_valkey: Running) -> None:
    said = on_valkey.worker.output()

    assert "the broker cannot be used now" in said
    assert "Traceback" not in said
    assert "Traceback" not in on_valkey.relay.output()


@pytest.fixture(scope="module")
def on_rabbitmq(
    rabbitmq: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One worker on a part of a RabbitMQ, which all the faults happen to."""
    folder = tmp_path_factory.mktemp("answers")
    pair = Pair(store_url=f"sqlite:///{folder / 'store.db'}", broker=empty_broker_on(rabbitmq))
    with pytest.MonkeyPatch.context() as patch, running(folder / "home", pair, patch) as found:
        yield found


def _vhost(running: Running) -> str:
    return running.system.broker.url.rpartition("/")[2]


def _close_connections(running: Running) -> None:
    control(running.system.broker, "close_all_connections", "--vhost", _vhost(running), "a test")


def _take_rights_away(running: Running) -> None:
    control(running.system.broker, "clear_permissions", "-p", _vhost(running), "meshline")
    _close_connections(running)


def _give_rights_back(running: Running) -> None:
    words = ("set_permissions", "-p", _vhost(running), "meshline", ".*", ".*", ".*")
    control(running.system.broker, *words)


def _delete_queue(running: Running) -> None:
    with running.system.broker_connection() as connection:
        connection.default_channel.queue_delete("meshline")


def _fill_memory(running: Running) -> None:
    control(running.system.broker, "set_vm_memory_high_watermark", "absolute", "1")


def _free_memory(running: Running) -> None:
    control(running.system.broker, "set_vm_memory_high_watermark", "0.6")


def _do_nothing(_: Running) -> None:
    pass


RABBITMQ_FAULTS = {
    "403 and 530: a right was taken away": (_take_rights_away, _give_rights_back),
    "404: somebody deletes the queue": (_delete_queue, _do_nothing),
    "320: somebody closes all connections": (_close_connections, _do_nothing),
    "a memory alarm blocks those who publish": (_fill_memory, _free_memory),
}


@pytest.mark.parametrize("fault", RABBITMQ_FAULTS)
def test_a_rabbitmq_that_answers_with_an_error_ends_no_worker(
    on_rabbitmq: Running, fault: str
) -> None:
    breaks, mends = RABBITMQ_FAULTS[fault]
    pid, said = on_rabbitmq.worker.pid, on_rabbitmq.complaints()
    on_rabbitmq.send()
    assert on_rabbitmq.delivered()  # what lies on a queue that is deleted waits for its lease
    breaks(on_rabbitmq)
    if mends is not _do_nothing:
        on_rabbitmq.wait_until_it_waits(said)
    on_rabbitmq.send()
    mends(on_rabbitmq)

    assert on_rabbitmq.delivered()
    assert on_rabbitmq.worker.running and on_rabbitmq.relay.running
    assert on_rabbitmq.worker.pid == pid
