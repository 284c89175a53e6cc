"""One worker on each broker, for all the stories of a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.valkey import start_valkey
from tests.poison.rig import Rig
from tests.servers.rabbitmq import start_rabbitmq

START = {"valkey": start_valkey, "rabbitmq": start_rabbitmq}


@contextmanager
def running(home: Path, broker: str) -> Iterator[Rig]:
    with Supervisor(home) as supervisor:
        server = START[broker](home / broker, supervisor)
        rig = Rig(supervisor, home, server)
        yield rig
        rig.store.close()


@pytest.fixture(scope="session")
def valkey_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("poison"), "valkey") as rig:
        yield rig


@pytest.fixture(scope="session")
def rabbitmq_rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("poison"), "rabbitmq") as rig:
        yield rig


@pytest.fixture(params=["valkey", "rabbitmq"])
def rig(request: pytest.FixtureRequest) -> Iterator[Rig]:
    """A worker on each broker in turn, with nothing kept so far."""
    found: Rig = request.getfixturevalue(f"{request.param}_rig")
    yield found
    found.forget()


@pytest.fixture
def on_redis(valkey_rig: Rig) -> Iterator[Rig]:
    """A worker on Valkey, with nothing kept so far."""
    yield valkey_rig
    valkey_rig.forget()
