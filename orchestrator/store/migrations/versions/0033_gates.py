"""What was found out about changes, and the gates that approvers waived."""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables. Of changes that are open nothing was recorded, and their gates say so."""
    op.add_column("changes", sa.Column("evidence", sa.Text(), nullable=True))
    op.create_table(
        "change_evidence",
        sa.Column("change_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["changes.id"], name=op.f("fk_change_evidence_change_id")
        ),
        sa.PrimaryKeyConstraint("change_id", "round", "kind", name=op.f("pk_change_evidence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gate_waivers",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("change_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("gate", sa.String(length=64), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("grade", sa.String(length=20), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["changes.id"], name=op.f("fk_gate_waivers_change_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_gate_waivers_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_waivers")),
    )
    op.create_index("ix_gate_waivers_change_id", "gate_waivers", ["change_id"])
