"""Events in the application's own database, in its own transaction, until the door has them."""

from meshline.outbox.adding import add
from meshline.outbox.databases import Database, DatabaseFailed
from meshline.outbox.dialects import ddl
from meshline.outbox.forwarder import Forwarder, Round
from meshline.outbox.table import OutboxTable, RefusedRow, Row, Status

__all__ = [
    "Database",
    "DatabaseFailed",
    "Forwarder",
    "OutboxTable",
    "RefusedRow",
    "Round",
    "Row",
    "Status",
    "add",
    "ddl",
]
