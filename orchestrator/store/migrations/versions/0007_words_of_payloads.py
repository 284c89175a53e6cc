"""What stands in quarantine can be found by the words of its payload."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index, each database's own; a keeper fills in what stands already."""
    if op.get_bind().dialect.name == "sqlite":
        # Accents tell words apart, as in PostgreSQL.
        tokens = "unicode61 remove_diacritics 0"
        op.execute(f'CREATE VIRTUAL TABLE quarantine_words USING fts5(words, tokenize="{tokens}")')
        return
    op.create_table(
        "quarantine_words",
        sa.Column("rowid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("words", postgresql.TSVECTOR(), nullable=False),
        sa.PrimaryKeyConstraint("rowid", name=op.f("pk_quarantine_words")),
    )
    op.create_index("ix_quarantine_words", "quarantine_words", ["words"], postgresql_using="gin")
