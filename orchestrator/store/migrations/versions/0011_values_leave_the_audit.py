"""Values leave the audit: they go into a table beside it, and rows keep commitments to them."""

import secrets
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

from orchestrator.domain.commitments import Value, repeats
from orchestrator.store.database.audit_guards import put_guards_up, take_guards_away
from orchestrator.store.database.audit_values import commit_values

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

BATCH = 2_000  # audit rows that are read at once

AUDIT = sa.table("audit", *map(sa.column, ("id", "action", "event_id", "destination", "detail")))
PAYLOADS = sa.table("payloads", sa.column("event_id"))
DELIVERIES = sa.table("deliveries", *map(sa.column, ("event_id", "destination", "send", "error")))
STAYS = sa.table("quarantine", *map(sa.column, ("event_id", "detail", "violations")))
COLUMNS = ("audit_id", "path", "salt", "value", "gone_at", "gone_by")
VALUES = sa.table("audit_values", *map(sa.column, COLUMNS))
KEYS = sa.table("store_keys", sa.column("name"), sa.column("value"))


def upgrade() -> None:
    """Make the tables, and move what the audit holds, batch by batch."""
    op.create_table(
        "audit_values",
        sa.Column("audit_id", SERIAL, nullable=False),
        sa.Column("path", sa.String(length=512), nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("gone_at", sa.BigInteger(), nullable=True),
        sa.Column("gone_by", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(["audit_id"], ["audit.id"], name=op.f("fk_audit_values_audit_id")),
        sa.PrimaryKeyConstraint("audit_id", "path", name=op.f("pk_audit_values")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "store_keys",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_store_keys")),
    )
    op.add_column("events", sa.Column("erased_at", sa.BigInteger(), nullable=True))
    op.add_column("events", sa.Column("erased_by", sa.String(length=255), nullable=True))
    tx = op.get_bind()
    tx.execute(sa.insert(KEYS).values(name="erased_keys", value=secrets.token_hex(32)))
    take_guards_away(tx)
    for rows in _batches(tx):
        _move_values(tx, rows)
    put_guards_up(tx)
    _forget_beside_forgotten_payloads(tx)


def _batches(tx: sa.Connection) -> Iterator[Sequence[Any]]:
    """Audit rows with a detail; a route's holds nothing but what its workflow says."""
    last = 0
    while True:
        some = (
            sa.select(AUDIT)
            .where(AUDIT.c.id > last, AUDIT.c.detail.is_not(None), AUDIT.c.action != "route")
            .order_by(AUDIT.c.id)
            .limit(BATCH)
        )
        rows = tx.execute(some).all()
        if not rows:
            return
        yield rows
        last = rows[-1].id


def _move_values(tx: sa.Connection, rows: Sequence[Any]) -> None:
    ids = sorted({row.event_id for row in rows if row.event_id})
    kept = set(tx.scalars(sa.select(PAYLOADS.c.event_id).where(PAYLOADS.c.event_id.in_(ids))))
    sent = {
        (row.event_id, row.destination): orjson.loads(row.send)
        for row in tx.execute(sa.select(DELIVERIES).where(DELIVERIES.c.event_id.in_(ids)))
    }
    now = int(tx.execute(_now(tx)).scalar_one())
    changed, values = [], []
    for row in rows:
        detail = _marked(orjson.loads(row.detail), row, sent)
        committed = commit_values(detail)
        if not committed.kept:
            continue
        changed.append({"_id": row.id, "_detail": committed.text})
        forgotten = row.event_id is not None and row.event_id not in kept
        for path, salt, value in committed.kept:
            whole = (row.id, path, salt, value, None, None)
            gone = (row.id, path, None, None, now, "retention")
            values.append(dict(zip(COLUMNS, gone if forgotten else whole, strict=True)))
    if changed:
        tx.execute(
            sa.update(AUDIT)
            .where(AUDIT.c.id == sa.bindparam("_id"))
            .values(detail=sa.bindparam("_detail")),
            changed,
        )
        tx.execute(sa.insert(VALUES), values)


def _marked(detail: Any, row: Any, sent: dict[tuple[str, str], dict[str, object]]) -> Any:
    """A detail whose record id is marked as a value where it repeats what was sent."""
    record_id = detail.get("record_id")
    if isinstance(record_id, str) and (
        row.action not in ("confirm", "receipt", "undo")
        or repeats(record_id, sent.get((row.event_id, row.destination), {}))
    ):
        return detail | {"record_id": Value(value=record_id)}
    return detail


def _now(tx: sa.Connection) -> sa.TextClause:
    if tx.dialect.name == "sqlite":
        return sa.text("SELECT CAST(strftime('%s', 'now') AS INTEGER) * 1000")
    return sa.text("SELECT CAST(extract(epoch FROM now()) * 1000 AS BIGINT)")


def _forget_beside_forgotten_payloads(tx: sa.Connection) -> None:
    """What retention left of events whose payload it forgot: errors and details quote values."""
    for table, values in ((DELIVERIES, {"error": None}), (STAYS, {"detail": ""})):
        kept = sa.exists().where(PAYLOADS.c.event_id == table.c.event_id)
        tx.execute(sa.update(table).where(~kept).values(values))
