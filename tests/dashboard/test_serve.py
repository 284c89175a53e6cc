"""Flower as a process: how it starts, what it does without its neighbours, how it ends."""

from __future__ import annotations

import asyncio
import socket
import threading
import uuid
from contextlib import closing
from pathlib import Path

import psutil
import psycopg
import pytest
from celery import Celery
from pydantic import SecretStr
from sqlalchemy import text

from orchestrator.dashboard.reader import StoreReader
from orchestrator.dashboard.serve import serve
from orchestrator.domain.errors import SchemaMismatch, StartupFailed, StoreUnavailable
from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.processes import Supervisor
from orchestrator.embedded.valkey import start_valkey
from orchestrator.settings import Settings
from orchestrator.store.database.migrate import open_store
from tests.dashboard.filled import Filled
from tests.dashboard.rig import PASSWORD, running_flower
from tests.waiting import wait_until

pytestmark = pytest.mark.processes


def settings(tmp_path: Path, **changed: object) -> Settings:
    given: dict[str, object] = {
        "home": tmp_path,
        "broker_url": SecretStr("redis://127.0.0.1:1/0"),
        "flower_password": SecretStr("secret"),
        "flower_port": 0,
        **changed,
    }
    return Settings.model_validate(given)


def test_without_a_password_it_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(StartupFailed, match="MESHLINE_FLOWER_PASSWORD"):
        serve(settings(tmp_path, flower_password=None))


def test_a_port_in_use_is_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = listener.getsockname()[1]

        with pytest.raises(StartupFailed, match=f"port {taken} on 127.0.0.1 is in use") as refused:
            serve(settings(tmp_path, flower_port=taken))

    assert "MESHLINE_FLOWER_PORT" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_an_address_of_another_machine_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(StartupFailed, match="MESHLINE_FLOWER_"):
        serve(settings(tmp_path, flower_host="192.0.2.1"))


def test_a_store_of_a_newer_release_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    with store.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    store.close()

    with pytest.raises(SchemaMismatch, match="9999"):
        serve(settings(tmp_path, database_url=SecretStr(url)))


def test_it_says_where_it_is_and_hides_its_password(
    tmp_path: Path, filled_store: tuple[str, Filled], valkey: EmbeddedServer
) -> None:
    with running_flower(tmp_path, store_url=filled_store[0], broker_url=valkey.url) as flower:
        command = psutil.Process(flower.process.pid).cmdline()
        listening = psutil.Process(flower.process.pid).net_connections(kind="inet")
        flower.process.terminate()
        said, _ = flower.process.communicate(timeout=60)

    assert said == f"flower: {flower.url}\n"
    assert flower.process.returncode == 0
    assert {one.laddr.ip for one in listening if one.status == "LISTEN"} == {"127.0.0.1"}
    assert PASSWORD not in " ".join(command) + flower.log.read_text()
    assert "Traceback" not in flower.log.read_text()


@pytest.mark.postgres
def test_a_store_that_is_not_there_is_a_page_until_it_is_there(
    tmp_path: Path, postgres: EmbeddedServer, valkey: EmbeddedServer
) -> None:
    name = f"late_{uuid.uuid4().hex}"
    url = f"{postgres.url.rpartition('/')[0]}/{name}"

    with running_flower(tmp_path, store_url=url, broker_url=valkey.url) as flower:
        without = [flower.get(path) for path in ("/events", f"/events/{'0' * 32}")]
        with psycopg.connect(postgres.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        found = flower.get("/events")

    assert [one.status_code for one in without] == [503, 503]
    assert all("The store cannot be read" in one.text for one in without)
    assert all(one.headers["Retry-After"] for one in without)
    assert "Traceback" not in flower.log.read_text()
    assert found.status_code == 200
    assert "No event was accepted yet." in found.text


def test_it_hears_of_workers_when_the_broker_is_back(
    tmp_path: Path, filled_store: tuple[str, Filled]
) -> None:
    with Supervisor(tmp_path / "home") as supervisor:
        broker = start_valkey(tmp_path / "valkey", supervisor)
        broker.process.kill()
        with running_flower(tmp_path, store_url=filled_store[0], broker_url=broker.url) as flower:
            wait_until(lambda: "the broker does not tell of tasks" in flower.log.read_text())
            assert flower.get("/events").status_code == 200

            broker.process.start()
            celery = Celery("meshline", set_as_current=False)
            celery.conf.update(settings(tmp_path, broker_url=broker.url).celery_config())

            wait_until(lambda: _announce(celery) and "w1@test" in flower.get("/workers").text)
        celery.close()


def _announce(celery: Celery) -> bool:
    """Say what a worker says at its start."""
    with (
        celery.connection() as connection,
        celery.events.Dispatcher(connection, hostname="w1@test") as dispatcher,
    ):
        dispatcher.send("worker-online", freq=2, sw_ident="py-celery", sw_ver="5.7.0")
    return True


def test_a_store_that_hangs_is_said_to_after_a_while(tmp_path: Path) -> None:
    answer = threading.Event()

    with closing(StoreReader(f"sqlite:///{tmp_path / 'store.db'}", patience=0.05)) as reader:
        reader.open()  # else its thread would still make the tables while the next test does

        with pytest.raises(StoreUnavailable, match="did not answer"):
            asyncio.run(reader.read(lambda _: answer.wait(30)))
        answer.set()
