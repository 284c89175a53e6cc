"""The embedded RabbitMQ keeps what it confirmed, lets nobody in, and leaves no daemon behind."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from amqp.exceptions import AccessRefused
from kombu.connection import Connection
from kombu.entity import Queue

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.processes import Supervisor
from tests.servers import rabbitmq
from tests.servers.rabbitmq import add_vhost, embedded_rabbitmq, start_rabbitmq
from tests.waiting import wait_until

pytestmark = [pytest.mark.processes, pytest.mark.rabbitmq]

KEPT = Queue("kept", durable=True, queue_arguments={"x-queue-type": "quorum"})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def broker(home: Path) -> Iterator[EmbeddedServer]:
    with embedded_rabbitmq(home) as server:
        yield server


def family(server: EmbeddedServer) -> list[psutil.Process]:
    top = psutil.Process(server.process.pid)
    return [top, *top.children(recursive=True)]


def test_what_it_confirmed_survives_a_kill(broker: EmbeddedServer, home: Path) -> None:
    with Connection(broker.url, transport_options={"confirm_publish": True}) as connection:
        KEPT(connection.default_channel).declare()
        wait_until(lambda: knows(home, KEPT.name))
        connection.Producer().publish({"n": 1}, routing_key=KEPT.name, delivery_mode=2)

    broker.process.kill()
    broker.process.start()

    with Connection(broker.url) as connection:
        message = KEPT(connection.default_channel).get()
        assert message is not None and message.payload == {"n": 1}


def knows(home: Path, queue: str) -> bool:
    """Whether the new queue's name is in its file; RabbitMQ writes that about a second late."""
    return any(queue.encode() in one.read_bytes() for one in home.rglob("quorum/*/names.dets"))


def test_nobody_gets_in_without_the_password(broker: EmbeddedServer) -> None:
    where = broker.url.rpartition("@")[2]

    for login in ("guest:guest", "meshline:wrong"):
        with Connection(f"amqp://{login}@{where}") as stranger, pytest.raises(AccessRefused):
            stranger.connect()


def test_the_password_is_readable_by_its_owner_alone(broker: EmbeddedServer, home: Path) -> None:
    password = broker.url.split(":")[2].partition("@")[0]
    config = home / "rabbitmq" / "rabbitmq.conf"

    assert password in config.read_text()
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert stat.S_IMODE(config.parent.stat().st_mode) == 0o700
    assert not any(password in " ".join(one.cmdline()) for one in family(broker))
    assert password not in broker.process.output()


def test_it_listens_on_loopback_only(broker: EmbeddedServer) -> None:
    listening = {
        one.laddr.ip
        for process in family(broker)
        for one in process.net_connections(kind="inet")
        if one.status == psutil.CONN_LISTEN
    }

    assert "127.0.0.1" in listening
    assert listening <= {"127.0.0.1", "::1"}


def test_a_virtual_host_of_its_own_is_empty(broker: EmbeddedServer) -> None:
    with Connection(broker.url) as connection:
        KEPT(connection.default_channel).declare()

    with Connection(add_vhost(broker, "aside")) as connection:
        channel = connection.default_channel
        with pytest.raises(channel.connection.channel_errors, match="NOT_FOUND"):
            channel.queue_declare(KEPT.name, passive=True)


def test_two_of_them_know_nothing_of_each_other_and_leave_nothing(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        one = start_rabbitmq(tmp_path / "one", supervisor)
        two = start_rabbitmq(tmp_path / "two", supervisor)
        every = family(one) + family(two)
        assert sum(process.name() == "epmd" for process in every) == 2
        one.process.kill()

        with Connection(two.url) as connection:
            assert connection.connect()

    assert not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in every)


def test_without_a_server_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rabbitmq, "_UNWRAPPED", tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(StartupFailed, match="install rabbitmq-server"):
        rabbitmq.find_server()
