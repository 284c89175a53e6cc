"""What was found out about a change before a person decides."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from orchestrator.store.database.tables.changes import changes
from orchestrator.store.database.tables.metadata import metadata, serial

# What a change would have decided about past events.
backtests = Table(
    "backtests",
    metadata,
    Column("id", serial, primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("round", Integer, nullable=False),
    Column("base_version", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),  # events that were accepted then or later,
    Column("until", BigInteger, nullable=False),  # and before
    Column("seed", BigInteger, nullable=False),
    Column("most", Integer, nullable=False),  # of more events a sample is looked at
    Column("cursor", String(32), nullable=False),  # the last event that was counted
    Column("sums", Text),  # so far, as JSON; null: there are none, or it is done
    Column("result", Text),  # as JSON; null: it is not done
    Column("digest", String(64)),  # of the result
    Column("begun_at", BigInteger, nullable=False),
    Column("begun_by", String(255), nullable=False),
    Column("ended_at", BigInteger),
    Column("ended_by", String(255)),
    Column("job", BigInteger),  # that carries it out, or did last; null: a terminal did
    Index("ix_backtests_change_id", "change_id"),
)

# What was found out about each round of a change when it was proposed.
change_evidence = Table(
    "change_evidence",
    metadata,
    Column("change_id", ForeignKey(changes.c.id), primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(20), primary_key=True),  # an EvidenceKind
    Column("body", Text, nullable=False),  # JSON: counts, names and ids, no value of a payload
    Column("digest", String(64), nullable=False),  # of the body
    Column("at", BigInteger, nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    sqlite_with_rowid=False,
)

# Gates that an approver lets fail for some time.
gate_waivers = Table(
    "gate_waivers",
    metadata,
    Column("id", serial, primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("round", Integer, nullable=False),  # an edit is another round: it is not waived
    Column("gate", String(64), nullable=False),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    Column("grade", String(20), nullable=False),  # session, api_key or key
    Column("why", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("ix_gate_waivers_change_id", "change_id"),
)
