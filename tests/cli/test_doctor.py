"""The doctor finds what is broken, and says what to do."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from orchestrator.embedded.child import EmbeddedServer
from orchestrator.settings import Settings
from orchestrator.store.gates import pause_gate
from tests.cli.desk import CommandLine

NOWHERE = {"MESHLINE_BROKER_URL": "redis://:secret@127.0.0.1:1/0"}


def findings(meshline: CommandLine, **environment: str) -> dict[str, Any]:
    """The checks by name."""
    ran = meshline("doctor", "--json", **environment)
    checks = ran.document["checks"]
    broken = any(one["health"] == "broken" for one in checks)
    assert ran.code == (1 if broken else 0)
    assert ran.document["ok"] is not broken
    assert all(one["fix"] for one in checks if one["health"] != "ok")
    return {one["check"]: one for one in checks}


def test_a_new_machine_is_told_what_to_do_first(meshline: CommandLine) -> None:
    found = findings(meshline)

    assert found["store"]["health"] == "broken"
    assert "meshline workflow publish" in found["store"]["fix"]
    assert "meshline up" in found["broker"]["fix"]
    assert not (meshline.folder / ".meshline").exists()


@pytest.mark.processes
def test_where_everything_is_there_it_is_content(
    meshline: CommandLine, valkey: EmbeddedServer
) -> None:
    meshline.publish()

    found = findings(meshline, MESHLINE_BROKER_URL=valkey.url)

    assert {one["health"] for one in found.values()} == {"ok"}
    assert meshline("doctor", MESHLINE_BROKER_URL=valkey.url).code == 0


def test_a_broker_that_does_not_answer_is_found_without_its_password(
    meshline: CommandLine,
) -> None:
    meshline.publish()

    broker = findings(meshline, **NOWHERE)["broker"]

    assert broker["health"] == "broken"
    assert "secret" not in str(broker)


def test_without_a_live_workflow_nothing_can_be_accepted(meshline: CommandLine) -> None:
    with meshline.store():
        pass

    assert findings(meshline)["workflows"]["health"] == "broken"


def test_a_workflow_whose_connector_is_unknown_here_is_found(meshline: CommandLine) -> None:
    meshline.publish()
    database = meshline.folder / ".meshline" / "meshline.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "UPDATE workflow_versions SET definition = replace(definition, 'fake', 'crm')"
        )

    leads = findings(meshline)["acme/leads"]

    assert leads["health"] == "broken"
    assert "crm.record" in leads["found"]


def test_events_that_nobody_drives_on_are_pointed_out(meshline: CommandLine) -> None:
    meshline.leads(2)
    database = meshline.folder / ".meshline" / "meshline.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE events SET due_at = due_at - 600000")

    progress = findings(meshline)["progress"]

    assert progress["health"] == "attention"
    assert progress["found"].endswith("a minute: 2")


def test_a_destination_that_is_held_back_is_pointed_out(meshline: CommandLine) -> None:
    meshline.leads(1)
    with meshline.store() as store, store.write() as tx:
        pause_gate(tx, "acme/leads/desk", why="they move house", actor="cli:tester")

    found = findings(meshline)["destination acme/leads/desk"]

    assert found["health"] == "attention"
    assert "they move house" in found["found"]


@pytest.mark.parametrize(("version", "health"), [("9999", "broken"), ("0000", "attention")])
def test_a_schema_of_another_release_is_found_and_left_alone(
    meshline: CommandLine, version: str, health: str
) -> None:
    meshline.publish()
    database = meshline.folder / ".meshline" / "meshline.db"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", [version])

    assert findings(meshline)["store"]["health"] == health
    assert version in findings(meshline)["store"]["found"]


def test_a_setting_that_is_wrong_ends_the_visit(meshline: CommandLine) -> None:
    found = findings(meshline, MESHLINE_PORT="high")

    assert list(found) == ["settings"]
    assert "MESHLINE_PORT" in found["settings"]["found"]


def test_an_empty_variable_counts_as_not_set(meshline: CommandLine) -> None:
    meshline.publish()
    (meshline.folder / "broken.yaml").write_text("this is no connector\n")
    empty = {f"MESHLINE_{name.upper()}": "" for name in Settings.model_fields}

    assert findings(meshline, **empty) == findings(meshline)


def test_a_key_of_links_that_can_be_guessed_is_refused(meshline: CommandLine) -> None:
    found = findings(meshline, MESHLINE_LINK_KEY="fifteen-letters")["settings"]

    assert found["health"] == "broken"
    assert found["found"] == (
        "MESHLINE_LINK_KEY: it is under 16 characters; make one with `openssl rand -hex 24`"
    )
    long_enough = findings(meshline, MESHLINE_LINK_KEY="sixteen-letters!")["settings"]
    assert long_enough["health"] == "ok"


def test_a_folder_of_connectors_that_is_not_there_is_found(meshline: CommandLine) -> None:
    found = findings(meshline, MESHLINE_CONNECTORS="nowhere")

    assert found["connectors"]["health"] == "broken"
    assert "nowhere" in found["connectors"]["found"]


def test_a_secret_that_a_live_workflow_needs_is_missed(meshline: CommandLine) -> None:
    (meshline.folder / "connectors").mkdir()
    meshline.write(
        "connectors/fake.yaml",
        """\
connector: fake
kind: http
base_url: env:CRM_URL
actions:
  record:
    idempotency: none
    proof: receipt
    open_fields: true
    create: {path: /records, json: {fields: "{send}"}}
""",
    )
    meshline.publish()

    leads = findings(meshline, MESHLINE_CONNECTORS="connectors")["acme/leads"]

    assert leads["health"] == "attention"
    assert "env:CRM_URL" in leads["found"]


@pytest.mark.parametrize(
    ("free", "health"), [(10**12, "ok"), (5 * 10**8, "attention"), (10**7, "broken")]
)
def test_a_disk_that_is_nearly_full_is_found(
    meshline: CommandLine, monkeypatch: pytest.MonkeyPatch, free: int, health: str
) -> None:
    full = shutil.disk_usage(meshline.folder)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)

    assert findings(meshline)["disk"]["health"] == health
