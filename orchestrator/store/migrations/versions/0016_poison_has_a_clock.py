"""Dead letters that have a clock and an incident, and are known again when they come back."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_RECOVER_MS = 72 * 3_600 * 1_000


def upgrade() -> None:
    """Add the clock, which runs since the letter came, and the incident, which a keeper gives."""
    op.add_column(
        "dead_letters",
        sa.Column("recover_by", sa.BigInteger(), nullable=False, server_default="0"),
    )
    letters = sa.table(
        "dead_letters", sa.column("at", sa.BigInteger), sa.column("recover_by", sa.BigInteger)
    )
    op.execute(letters.update().values(recover_by=letters.c.at + _RECOVER_MS))
    op.add_column("dead_letters", sa.Column("incident_id", sa.BigInteger(), nullable=True))
    op.create_index("ix_dead_letters_digest", "dead_letters", ["digest"])
    op.create_index("ix_dead_letters_incident", "dead_letters", ["incident_id"])
