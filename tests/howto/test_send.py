"""The guides for senders are carried out as they are, from an empty folder, with a real door."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.embedded.ports import free_port
from orchestrator.embedded.processes import Supervisor
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import events, payloads
from tests.api.doors import RunningDoor, leads_store, open_door
from tests.house.pages import blocks
from tests.howto.reader import ROOT, Reader, Step, steps
from tests.sdk.outbox.apps import run
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(not shutil.which("curl"), reason="no curl here: `apt-get install curl`"),
]

FOLDER = ROOT / "docs" / "howto" / "send"
ADA = {"email": "ada@example.com", "tier": "pro"}
BO = {"email": "bo@example.com", "tier": "enterprise"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with leads_store(tmp_path / "door") as store:
        yield store


@pytest.fixture
def door(store: Store) -> Iterator[RunningDoor]:
    with open_door(store) as door:
        yield door


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path / "terminals") as supervisor:
        yield supervisor


@pytest.fixture
def reader(tmp_path: Path, door: RunningDoor, supervisor: Supervisor) -> Reader:
    """Somebody with an empty folder, a door and a key."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Reader(folder, supervisor, instead=_instead(door))


def _instead(door: RunningDoor) -> dict[str, str]:
    return {
        "MESHLINE_URL": f"http://127.0.0.1:{door.port}",
        "MESHLINE_KEY": door.key,
        "PYTHONUNBUFFERED": "1",  # a server says at once that it is ready
    }


def _accepted(store: Store) -> list[tuple[str, dict[str, Any]]]:
    """The idempotency key and the payload of each event, in the order of the door."""
    query = select(events.c.idempotency_key, payloads.c.body).join(payloads).order_by(events.c.id)
    with store.read() as connection:
        return [(key, json.loads(body)) for key, body in connection.execute(query)]


@pytest.mark.parametrize(
    ("page", "port", "sent"),
    [
        ("django.md", "8000", [("lead-1", ADA), ("notice-2", BO)]),
        ("flask.md", "5000", [("lead-1", ADA)]),
        ("fastapi.md", "8000", [("form-1", ADA)]),
        ("function.md", "8000", [("m-1", ADA)]),
        ("cron-script.md", "8000", [("crm-lead-101", ADA), ("crm-lead-102", BO)]),
    ],
)
def test_a_reader_who_follows_the_page_has_sent_the_event(
    page: str,
    port: str,
    sent: list[tuple[str, dict[str, str]]],
    tmp_path: Path,
    store: Store,
    door: RunningDoor,
    supervisor: Supervisor,
) -> None:
    (tmp_path / "work").mkdir()
    free = (port, str(free_port()))
    reader = Reader(tmp_path / "work", supervisor, instead=_instead(door), port=free)

    for step in steps(FOLDER / page):
        reader.do(step)

    assert _accepted(store) == sent


def test_fastapi_keeps_an_event_in_the_spool_while_the_door_is_away(
    tmp_path: Path, store: Store, supervisor: Supervisor
) -> None:
    (tmp_path / "work").mkdir()
    with open_door(store) as door:
        instead = _instead(door)
    reader = Reader(tmp_path / "work", supervisor, instead=instead, port=("8000", str(free_port())))
    *before, _ = steps(FOLDER / "fastapi.md")

    for step in before:
        reader.do(step)

    assert reader.output.count('"spooled":true') == 2
    assert _accepted(store) == []
    reader.do(Step(file="", kind="sh", text="python -m meshline.spool list --json events.spool"))
    assert "lead.created" in reader.output


def test_a_celery_task_that_runs_twice_sends_one_event(
    tmp_path: Path,
    store: Store,
    door: RunningDoor,
    supervisor: Supervisor,
    valkey: EmbeddedServer,
) -> None:
    (tmp_path / "work").mkdir()
    instead = {**_instead(door), "BROKER_URL": valkey.url}
    reader = Reader(tmp_path / "work", supervisor, instead=instead)

    for step in steps(FOLDER / "celery.md"):
        reader.do(step)

    log = tmp_path / "terminals" / "logs" / "solo.log"
    wait_until(lambda: len(re.findall(r"send_lead\[.*\] succeeded", log.read_text())) == 2)
    assert _accepted(store) == [("form-1", ADA)]


def test_any_language_sends_by_a_post_and_by_an_insert(reader: Reader, store: Store) -> None:
    *before, forward = steps(FOLDER / "another-language.md")
    for step in before:
        reader.do(step)
    (statement,) = blocks("docs/howto/send/another-language.md", "sql")
    run(f"sqlite:///{reader.folder / 'app.db'}", statement)
    reader.do(forward)

    assert _accepted(store) == [("form-1", ADA), ("lead-17", BO)]
