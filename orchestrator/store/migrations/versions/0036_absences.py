"""Who decides about changes while a person is away."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the table, and whom a decision stands in for."""
    op.add_column(
        "change_decisions", sa.Column("stands_in_for", sa.String(length=255), nullable=True)
    )
    op.create_table(
        "absences",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("to_id", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_absences_person_id")),
        sa.ForeignKeyConstraint(["to_id"], ["people.id"], name=op.f("fk_absences_to_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absences")),
    )
    op.create_index("ix_absences_person_id", "absences", ["person_id"])
