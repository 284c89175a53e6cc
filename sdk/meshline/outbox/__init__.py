"""Events in the application's own database, in its own transaction, until the door has them."""

from meshline.outbox.adding import add
from meshline.outbox.databases import Database, DatabaseFailed
from meshline.outbox.dialects import ddl
from meshline.outbox.forwarder import Forwarder, Round
from meshline.outbox.table import Backlog, ListedRow, OutboxTable, RefusedRow, Row, Status

__all__ = [
    "Backlog",
    "Database",
    "DatabaseFailed",
    "Forwarder",
    "ListedRow",
    "OutboxTable",
    "RefusedRow",
    "Round",
    "Row",
    "Status",
    "add",
    "ddl",
]
