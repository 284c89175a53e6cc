"""The door as a process: it says where it is, and ends without dropping what it began."""

from __future__ import annotations

import signal
import socket
import threading
from pathlib import Path

import httpx
import pytest

from orchestrator.api.serve import listen, serve
from orchestrator.domain.access.actor import login
from orchestrator.domain.errors import SchemaMismatch, StartupFailed, StoreUnavailable
from orchestrator.operations.access.keys import create_key
from orchestrator.settings import LOOPBACK, Settings
from orchestrator.store.database.engine import Store
from tests.api.door_process import process_of_a_door
from tests.api.doors import WAITING, RunningDoor, nobody_can_write
from tests.waiting import wait_until

pytestmark = pytest.mark.processes


def test_it_prints_one_line_and_leaves_its_port_in_a_file(leads: Store, tmp_path: Path) -> None:
    with process_of_a_door(leads, tmp_path) as process:
        wait_until((tmp_path / "door.port").exists)
        port = int((tmp_path / "door.port").read_text())
        assert httpx.get(f"http://{LOOPBACK}:{port}/healthz", trust_env=False).status_code == 200

        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=20)

    assert out == f"door: http://{LOOPBACK}:{port}\n"
    assert (process.returncode, errors) == (0, "")


def test_it_finishes_what_it_began_when_it_is_told_to_end(leads: Store, tmp_path: Path) -> None:
    key = create_key(leads, clients=["acme"], label="tests", actor=login("cli:tester"))
    with process_of_a_door(leads, tmp_path) as process:
        wait_until((tmp_path / "door.port").exists)
        door = RunningDoor(int((tmp_path / "door.port").read_text()), key)
        answers: list[httpx.Response] = []
        sender = threading.Thread(target=lambda: answers.append(door.emit()))
        with nobody_can_write(leads):
            sender.start()
            wait_until(lambda: door.metric(WAITING) == 1)
            process.send_signal(signal.SIGTERM)
            wait_until(lambda: not takes_connections(door.port))
            assert process.poll() is None
        sender.join(20)
        door.close()
        _, errors = process.communicate(timeout=20)

    assert [one.status_code for one in answers] == [202]
    assert (process.returncode, errors) == (0, "")


def takes_connections(port: int) -> bool:
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def test_a_port_in_use_is_told_in_one_line(leads: Store) -> None:
    with listen(LOOPBACK, 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartupFailed) as refused:
            serve(Settings(port=port, database_url=url(leads)))

    assert f"port {port} on {LOOPBACK} is in use" in str(refused.value)
    assert "MESHLINE_PORT" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_address_of_another_machine_is_told_in_one_line(leads: Store) -> None:
    for host in ("192.0.2.1", "nowhere.invalid"):
        with pytest.raises(StartupFailed, match=host):
            serve(Settings(host=host, port=0, database_url=url(leads)))


def test_it_does_not_start_without_its_store(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()

    with pytest.raises(StoreUnavailable):
        serve(Settings(port=0, database_url=f"sqlite:///{tmp_path / 'folder'}"))


def test_it_does_not_start_on_a_newer_schema(leads: Store) -> None:
    with leads.write() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaMismatch, match="9999"):
        serve(Settings(port=0, database_url=url(leads)))


def url(store: Store) -> str:
    return store.url.render_as_string(hide_password=False)
