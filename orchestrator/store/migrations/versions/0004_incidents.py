"""Incidents: quarantined and held events of one cause, owned by one person."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STANDING = sa.text("released_at IS NULL")
OF_ONE = sa.text("incident_id IS NOT NULL")
UNRESOLVED = sa.text("state <> 'resolved'")


def upgrade() -> None:
    """Add what groups events by their cause; rows from before are grouped by the keeper."""
    op.create_table(
        "incidents",
        sa.Column("id", SERIAL, nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("workflow", sa.String(length=64), nullable=False),
        sa.Column("cause", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("stage", sa.String(length=20), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=True),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("notes", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("recover_by", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=255), nullable=True),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("resolved_by", sa.String(length=255), nullable=True),
        sa.Column("step", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("breached_at", sa.BigInteger(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incidents")),
        sa.UniqueConstraint(
            "client", "workflow", "cause", name=op.f("uq_incidents_client_workflow_cause")
        ),
    )
    op.create_index(
        "ix_incidents_unresolved",
        "incidents",
        ["recover_by"],
        sqlite_where=UNRESOLVED,
        postgresql_where=UNRESOLVED,
    )
    op.add_column("quarantine", sa.Column("incident_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_quarantine_incident",
        "quarantine",
        ["incident_id", "id"],
        sqlite_where=STANDING,
        postgresql_where=STANDING,
    )
    op.add_column("audit", sa.Column("incident_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_audit_incident_id",
        "audit",
        ["incident_id"],
        sqlite_where=OF_ONE,
        postgresql_where=OF_ONE,
    )
