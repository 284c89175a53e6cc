"""A database of an older release is brought up to date with all that it holds."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import orchestrator.store
from orchestrator.domain.delivery.breakers import Block, BreakerState
from orchestrator.store.database.audit_guards import look_at_audit
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store, schema_version
from orchestrator.store.database.schema import HEAD
from orchestrator.store.destinations.circuits import lock_circuit
from orchestrator.store.views.audit import list_audit

MIGRATIONS = Path(orchestrator.store.__file__).parent / "migrations"

ROWS = """
INSERT INTO workflow_versions (client, name, version, trigger_type, definition, digest, live,
    published_at, published_by)
VALUES ('acme', 'leads', 1, 'lead.created', '{}', 'd', true, 1, 'cli:tester');

INSERT INTO events (id, client, workflow, workflow_id, idempotency_key, digest, state, epoch,
    attempt, starts, replays, accepted_at, updated_at)
VALUES ('e1', 'acme', 'leads', 1, 'k', 'd', 'delivered', 1, 0, 0, 0, 1, 1);

INSERT INTO deliveries (event_id, destination, connector, action, send, confirm, state, attempt,
    unknown, record_id, updated_at)
VALUES ('e1', 'crm', 'fake', 'record', '{}', '[]', 'confirmed', 1, false, 'r-1', 1)
"""


def older(url: str, revision: str, rows: str = ROWS) -> None:
    """Make the database as an older release left it, with one delivered event."""
    with closing(Store(url)) as store, store.write() as tx:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = tx
        command.upgrade(config, revision)
        for row in rows.split(";"):
            tx.execute(text(row))


@pytest.mark.parametrize("revision", ["0001", "0002"])
def test_deliveries_of_an_older_release_are_as_they_were(store_url: str, revision: str) -> None:
    older(store_url, revision)

    with closing(open_store(store_url)) as store, store.read() as tx:
        assert schema_version(tx) == HEAD
        row = tx.execute(text("SELECT * FROM deliveries")).one()
    assert (row.state, row.record_id) == ("confirmed", "r-1")
    assert (row.held_by, bool(row.undo), row.generation) == (None, False, 0)
    assert (row.name, row.destination, row.item) == ("crm", "crm", None)


AUDITED = (
    ROWS
    + """;
INSERT INTO events (id, client, workflow, workflow_id, idempotency_key, digest, state, epoch,
    attempt, starts, replays, accepted_at, updated_at)
VALUES ('e2', 'acme', 'leads', 1, 'k2', 'd', 'discarded', 1, 0, 0, 0, 1, 1);

INSERT INTO payloads (event_id, body) VALUES ('e1', '{}');

INSERT INTO quarantine (event_id, client, workflow, stage, reason, detail, violations, owner,
    recovery_lead, since, recover_by)
VALUES ('e2', 'acme', 'leads', 'validate', 'contract_violation', 'bob@example.com', '[]', 'o', 'l',
    1, 1)
"""
)

OLD_AUDIT = [
    ("accept", "e1", None),
    ("route", "e1", {"route": 1, "when": "true", "to": ["crm"]}),
    ("confirm", "e1", {"record_id": "r-1"}),
    ("confirm", "e1", {"record_id": "people/ada@example.com"}),
    ("retry", "e1", {"destination": "crm", "detail": "422: ada@example.com is taken"}),
    ("amend", "e1", {"amendments": [{"action": "set", "path": "tier", "value": "pro"}]}),
    ("quarantine", "e2", {"detail": "bob@example.com"}),
    ("pause", None, {"gate": "crm", "why": "cleaning up"}),
    ("break", None, {"gate": "crm", "failures": 3}),
    ("publish", None, {"version": 1, "digest": "d"}),
]


def older_audit(url: str, times: int) -> None:
    """The store of a release that kept values in the audit, with so many of each row."""
    older(url, "0010", AUDITED)
    with closing(Store(url)) as store, store.write() as tx:
        sent = json.dumps({"email": "ada@example.com"})
        tx.execute(text("UPDATE deliveries SET send = :sent"), {"sent": sent})
        tx.execute(
            text(
                "INSERT INTO audit (at, client, workflow, event_id, destination, actor, action,"
                " detail) VALUES (1, 'acme', 'leads', :event, :destination, 'cli', :action,"
                " :detail)"
            ),
            [
                {
                    "event": event,
                    "destination": "crm" if action == "confirm" else None,
                    "action": action,
                    "detail": None if detail is None else json.dumps(detail),
                }
                for _ in range(times)
                for action, event, detail in OLD_AUDIT
            ],
        )


def test_values_leave_the_audit_of_an_older_release(store_url: str) -> None:
    older_audit(store_url, 1)

    with closing(open_store(store_url)) as store, store.read() as tx:
        held = "".join(str(row) for row in tx.execute(text("SELECT * FROM audit")))
        shown = [(row.action, row.detail) for row in list_audit(tx, newest_first=False)]
        stays = list(tx.execute(text("SELECT detail FROM quarantine")).scalars())
        everything = "".join(str(row) for row in tx.execute(text("SELECT * FROM audit_values")))
        faults = look_at_audit(tx).faults
    for value in ("ada@", "bob@", '"pro"', "cleaning up"):
        assert value not in held
    assert '"r-1"' in held
    # The payload of e2 was forgotten before: so is now what the audit kept of it.
    assert shown[:6] == [(action, detail) for action, _, detail in OLD_AUDIT[:6]]
    assert str((shown[6][1] or {})["detail"]).startswith("(forgotten by retention on 20")
    assert shown[7:] == [
        ("pause", {"circuit": "crm", "why": "cleaning up"}),
        ("trip", {"circuit": "crm", "failures": 3}),
        ("publish", {"version": 1, "digest": "d"}),
    ]
    assert stays == [""]
    assert "bob@" not in everything
    assert not any("guard" in one for one in faults)


def test_a_large_audit_is_moved_batch_by_batch(store_url: str) -> None:
    older_audit(store_url, 600)  # more rows than one batch has

    with closing(open_store(store_url)) as store, store.read() as tx:
        left = text("SELECT count(*) FROM audit WHERE detail LIKE '%@%' OR detail LIKE '%clean%'")
        assert tx.execute(left).scalar_one() == 0
        moved = tx.execute(text("SELECT count(*) FROM audit_values")).scalar_one()
    assert moved == 600 * 5


STAYS = """
INSERT INTO quarantine (id, event_id, client, workflow, stage, reason, detail, violations, owner,
    recovery_lead, since, recover_by, released_at, incident_id)
VALUES (1, 'e2', 'acme', 'leads', 'validate', 'no_route', '', '[]', 'o', 'l', 1, 9, 2, 1),
    (2, 'e2', 'acme', 'leads', 'validate', 'no_route', '', '[]', 'o', 'l', 3, 9, 4, 1),
    (3, 'e1', 'acme', 'leads', 'validate', 'no_route', '', '[]', 'o', 'l', 3, 9, 4, 1)
"""
DISCARDED = """
INSERT INTO events (id, client, workflow, workflow_id, idempotency_key, digest, state, epoch,
    attempt, starts, replays, accepted_at, updated_at)
VALUES ('e2', 'acme', 'leads', 1, 'k2', 'd', 'discarded', 1, 0, 0, 0, 1, 1)
"""


def test_what_an_older_release_discarded_can_be_put_back_on_its_last_stay(store_url: str) -> None:
    older(store_url, "0014", f"{ROWS};{DISCARDED};{STAYS}")

    with closing(open_store(store_url)) as store, store.read() as tx:
        found = tx.execute(text("SELECT id, outcome, ended_at FROM quarantine ORDER BY id")).all()
    assert [tuple(row) for row in found] == [(1, None, None), (2, "discarded", 4), (3, None, None)]


def test_an_audit_of_old_words_is_found_by_the_new_ones(store_url: str) -> None:
    older_audit(store_url, 1)

    with closing(open_store(store_url)) as store, store.read() as tx:
        (row,) = list_audit(tx, action="trip")
        kept = tx.execute(text("SELECT count(*) FROM audit WHERE action = 'break'")).scalar_one()
    assert row.detail == {"circuit": "crm", "failures": 3}
    assert kept == 1, "what is written stays as it is"


GATES = """
INSERT INTO gates (name, state, reason, since, actor, updated_at, paused_until)
VALUES ('crm', 'paused', 'paused', 1, 'cli:ann', 1, 9),
    ('desk.open', 'broken', 'failing', 2, 'worker:dispatch', 2, null),
    ('mail', 'flowing', null, 3, 'rate', 3, null)
"""


def test_pauses_and_open_breakers_of_an_older_release_still_hold(store_url: str) -> None:
    older(store_url, "0016", f"{ROWS};{GATES}")

    with closing(open_store(store_url)) as store, store.write() as tx:
        found = {name: lock_circuit(tx, name) for name in ("crm", "desk.open", "mail")}
    assert {name: one and (one.block, one.breaker) for name, one in found.items()} == {
        "crm": (Block.PAUSE, BreakerState.CLOSED),
        "desk.open": (Block.BREAKER, BreakerState.OPEN),
        "mail": (None, BreakerState.CLOSED),
    }
    assert found["crm"] and (found["crm"].actor, found["crm"].until) == ("cli:ann", 9)
