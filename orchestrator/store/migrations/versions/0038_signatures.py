"""Keys by which people sign decisions, and the signatures."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Add the tables. A decision by a key of HTTP is not a signed one, so it gets its own word."""
    op.create_table(
        "signing_keys",
        sa.Column("id", _SERIAL, nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("label", sa.String(length=255), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("added_by", sa.String(length=255), nullable=False),
        sa.Column("counts_from", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by", sa.String(length=255), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_signing_keys_person_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_signing_keys_fingerprint")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "change_signatures",
        sa.Column("decision_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("key_id", _SERIAL, autoincrement=False, nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["decision_id"], ["change_decisions.id"], name=op.f("fk_change_signatures_decision_id")
        ),
        sa.ForeignKeyConstraint(
            ["key_id"], ["signing_keys.id"], name=op.f("fk_change_signatures_key_id")
        ),
        sa.PrimaryKeyConstraint("decision_id", name=op.f("pk_change_signatures")),
        sqlite_with_rowid=False,
    )
    for table in ("change_decisions", "gate_waivers", "event_approvals"):
        rows = sa.table(table, sa.column("grade", sa.String))
        op.execute(rows.update().where(rows.c.grade == "key").values(grade="api_key"))
