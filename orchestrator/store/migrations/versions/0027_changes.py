"""Changes: proposed versions, their authors, and who decided about them."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables. Where there is an approver already, approvals are required from now on."""
    op.add_column("workflow_versions", sa.Column("change_id", sa.BigInteger(), nullable=True))
    op.add_column("recipes", sa.Column("saved_by", sa.String(length=255), nullable=True))
    _add_changes()
    op.create_table(
        "change_authors",
        sa.Column("change_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("part", sa.String(length=20), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["changes.id"], name=op.f("fk_change_authors_change_id")
        ),
        sa.PrimaryKeyConstraint("change_id", "name", name=op.f("pk_change_authors")),
        sqlite_with_rowid=False,
    )
    _add_decisions()
    op.create_table(
        "approvals_required",
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint("client", name=op.f("pk_approvals_required")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO approvals_required (client, since, cause)"
        " SELECT client, MIN(granted_at), MIN(granted_by) FROM person_roles"
        " WHERE role = 'approver' GROUP BY client"
    )


def _add_changes() -> None:
    op.create_table(
        "changes",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("client", sa.String(length=64), nullable=False),
        sa.Column("workflow", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("base_version", sa.Integer(), nullable=True),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("proposed_by", sa.String(length=255), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=255), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("go_live_at", sa.BigInteger(), nullable=True),
        sa.Column("live_version", sa.Integer(), nullable=True),
        sa.Column("way", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_changes")),
        sa.UniqueConstraint("token", name=op.f("uq_changes_token")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_changes_workflow", "changes", ["client", "workflow", "id"])
    unfinished = sa.text("state IN ('draft', 'awaiting_approval', 'approved')")
    op.create_index(
        "ix_changes_open",
        "changes",
        ["id"],
        unique=False,
        sqlite_where=unfinished,
        postgresql_where=unfinished,
    )


def _add_decisions() -> None:
    op.create_table(
        "change_decisions",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("change_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=255), nullable=False),
        sa.Column("grade", sa.String(length=20), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["change_id"], ["changes.id"], name=op.f("fk_change_decisions_change_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_change_decisions_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_change_decisions")),
    )
    op.create_index("ix_change_decisions_change_id", "change_decisions", ["change_id"])
