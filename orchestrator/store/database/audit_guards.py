"""What keeps rows of the audit as they were written: triggers of the database itself.

They stop a program or a person that changes the audit by mistake or by the ordinary statements. A
user who may alter the schema can take them away; the doctor sees that.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, and_, exists, func, select, text

from orchestrator.store.database.schema import audit, events

_SAID = "the audit is append-only"

_SQLITE = {
    "audit_no_update": "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit"
    f" BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    "audit_no_delete": "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit"
    f" BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    # REPLACE takes a row away without a DELETE trigger. It needs the row's id; an id that the
    # statement does not give is -1 here.
    "audit_no_given_id": "CREATE TRIGGER audit_no_given_id BEFORE INSERT ON audit"
    f" WHEN NEW.id > 0 BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
    "audit_no_low_id": "CREATE TRIGGER audit_no_low_id AFTER INSERT ON audit"
    f" WHEN NEW.id < 1 BEGIN SELECT RAISE(ABORT, '{_SAID}'); END",
}

_BODY = f" BEGIN RAISE EXCEPTION '{_SAID}'; END "
_FUNCTION = (
    "CREATE OR REPLACE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS"
    f" $${_BODY}$$"
)
_POSTGRESQL = {
    "audit_no_change": "CREATE TRIGGER audit_no_change BEFORE DELETE OR UPDATE ON audit"
    " FOR EACH ROW EXECUTE FUNCTION audit_is_append_only()",
    "audit_no_truncate": "CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON audit"
    " FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only()",
}

_NEWEST = 100_000  # events whose beginning is looked for in the audit


def take_guards_away(tx: Connection) -> None:
    """For a migration, which puts them back in the same transaction."""
    if tx.dialect.name == "sqlite":
        for name in _SQLITE:
            tx.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
        return
    for name in _POSTGRESQL:
        tx.execute(text(f"DROP TRIGGER IF EXISTS {name} ON audit"))


def put_guards_up(tx: Connection) -> None:
    """Guard the audit."""
    if tx.dialect.name == "sqlite":
        for statement in _SQLITE.values():
            tx.exec_driver_sql(statement)
        return
    tx.exec_driver_sql(_FUNCTION)
    for name, statement in _POSTGRESQL.items():
        tx.exec_driver_sql(statement)
        # Otherwise `session_replication_role = replica` passes them by.
        tx.exec_driver_sql(f"ALTER TABLE audit ENABLE ALWAYS TRIGGER {name}")


@dataclass(frozen=True, kw_only=True)
class AuditState:
    """Whether the audit is as its writers left it, as far as the database can tell."""

    faults: tuple[str, ...]
    rows: int | None  # None: ids may have holes here, so that a count says nothing


def look_at_audit(tx: Connection) -> AuditState:
    """Look whether the guards are there as they were made, and whether rows are missing.

    On SQLite the ids have no holes, because a transaction that is rolled back gives its ids back.
    On PostgreSQL it does not, so a hole is not proof there; on both, each of the newest 100,000
    events must have the row of its acceptance, which is written in its own transaction.
    """
    faults = list(_missing_guards(tx))
    rows = None
    if tx.dialect.name == "sqlite":
        rows, hole = _holes(tx)
        faults += hole
    lost = _without_beginning(tx)
    if lost:
        faults.append(f"{lost} of the newest {_NEWEST} events have no row of their acceptance")
    return AuditState(faults=tuple(faults), rows=rows)


def _missing_guards(tx: Connection) -> list[str]:
    known, found = (
        (_SQLITE, _sqlite_guards(tx))
        if tx.dialect.name == "sqlite"
        else (_POSTGRESQL, _postgresql_guards(tx))
    )
    faults = [
        f"the guard {name} is {'not as it was made' if name in found else 'gone'}"
        for name, made in known.items()
        if found.get(name) != made
    ]
    return faults + [
        f"{name} is not a guard of ours" for name in sorted(found.keys() - known.keys())
    ]


def _sqlite_guards(tx: Connection) -> dict[str, str]:
    rows = tx.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'")
    )
    return {row.name: row.sql for row in rows}


def _postgresql_guards(tx: Connection) -> dict[str, str]:
    rows = tx.execute(
        text(
            "SELECT t.tgname AS name, pg_get_triggerdef(t.oid, true) AS made, t.tgenabled AS how,"
            " p.prosrc AS body FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid"
            " WHERE t.tgrelid = 'audit'::regclass AND NOT t.tgisinternal"
        )
    )
    found = {}
    for row in rows:
        whole = row.how in ("A", b"A") and row.body == _BODY
        found[row.name] = row.made if whole else f"{row.made}, but off or with another body"
    rules = tx.execute(
        text(
            "SELECT rulename FROM pg_rules"
            " WHERE tablename = 'audit' AND schemaname = current_schema()"
        )
    )
    return found | {f"the rule {row.rulename}": "" for row in rules}


def _holes(tx: Connection) -> tuple[int, list[str]]:
    """How many rows there are, and what is wrong with their ids; in one look."""
    row = tx.execute(
        text(
            "SELECT count(*) AS rows, coalesce(min(id), 1) AS low, coalesce(max(id), 0) AS high,"
            " (SELECT seq FROM sqlite_sequence WHERE name = 'audit') AS given FROM audit"
        )
    ).one()
    given = row.given or 0
    if (row.low, row.high, row.rows) == (1, given, given):
        return row.rows, []
    hole = _first_hole(tx, given)
    missing = given - row.rows
    return row.rows, [f"of {given} rows {missing} are missing; the first is number {hole}"]


def _first_hole(tx: Connection, given: int) -> int:
    """The lowest id up to the last one given that no row has."""
    low, high = 1, max(given, 1)
    while low < high:
        middle = (low + high) // 2
        until = select(func.count()).where(audit.c.id.between(1, middle))
        if tx.execute(until).scalar_one() == middle:
            low = middle + 1
        else:
            high = middle
    return low


def _without_beginning(tx: Connection) -> int:
    """How many of the newest events have no row that they were accepted."""
    newest = select(events.c.id).order_by(events.c.id.desc()).limit(_NEWEST).subquery("newest")
    begun = exists().where(and_(audit.c.event_id == newest.c.id, audit.c.action == "accept"))
    found: int = tx.execute(select(func.count()).select_from(newest).where(~begun)).scalar_one()
    return found
