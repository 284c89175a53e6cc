"""Changes of workflows, who decides about them, and when none goes live."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from orchestrator.store.database.tables.access import signing_keys
from orchestrator.store.database.tables.metadata import metadata, partial_index, serial

# A proposed version of a workflow; its states are in domain/changes/states.py.
changes = Table(
    "changes",
    metadata,
    Column("id", serial, primary_key=True),
    Column("token", String(32), nullable=False, unique=True),  # by which people name it
    Column("client", String(64), nullable=False),
    Column("workflow", String(64), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("state", String(20), nullable=False),
    Column("round", Integer, nullable=False),  # from 1; each edit begins a new one
    Column("base_version", Integer),  # that was live when it was proposed; null: none was
    Column("definition", Text, nullable=False),  # JSON; of a retirement, of the live version
    Column("digest", String(64), nullable=False),  # of the definition, as versions have it
    Column("subject", String(64), nullable=False),  # what an approval covers, see subject.py
    Column("why", Text),
    Column("proposed_at", BigInteger, nullable=False),
    Column("proposed_by", String(255), nullable=False),
    Column("changed_at", BigInteger, nullable=False),  # its state
    Column("changed_by", String(255), nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("go_live_at", BigInteger),  # null: as soon as it is approved
    Column("live_version", Integer),  # that it made
    Column("ended_why", Text),  # why it was withdrawn, rejected, expired, or broke the glass
    Column("way", String(20)),  # how it went live: approved, unapproved or break_glass
    Column("connectors", Text),  # digests of their definitions, by name, as JSON; null: not known
    Column("evidence", Text),  # digests of this round's, by kind, as JSON; null: none was recorded
    Column("rollout", Text),  # its steps, see rollout.py; null: live for all events at once
    sqlite_autoincrement=True,
)
Index("ix_changes_workflow", changes.c.client, changes.c.workflow, changes.c.id)
partial_index(
    "ix_changes_open",
    changes.c.id,
    where="state IN ('draft', 'awaiting_approval', 'approved', 'shadow', 'canary')",
)

# Everybody whose steps are in a change.
change_authors = Table(
    "change_authors",
    metadata,
    Column("change_id", ForeignKey(changes.c.id), primary_key=True),
    Column("name", String(255), primary_key=True),  # an actor without its way
    Column("part", String(20), nullable=False),  # proposed, edited, steps or key
    Column("proven", Boolean, nullable=False),  # by a session or a key
    Column("at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

change_decisions = Table(
    "change_decisions",
    metadata,
    Column("id", serial, primary_key=True),
    Column("change_id", ForeignKey(changes.c.id), nullable=False),
    Column("round", Integer, nullable=False),
    Column("decision", String(20), nullable=False),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    Column("grade", String(20), nullable=False),  # session, api_key or key
    Column("subject", String(64), nullable=False),  # that was decided about
    Column("why", Text),
    Column("at", BigInteger, nullable=False),
    Column("stands_in_for", String(255)),  # the approver who was away; null: nobody
    Index("ix_change_decisions_change_id", "change_id"),
)

change_signatures = Table(
    "change_signatures",
    metadata,
    Column("decision_id", ForeignKey(change_decisions.c.id), primary_key=True),
    Column("key_id", ForeignKey(signing_keys.c.id), nullable=False),
    Column("message", Text, nullable=False),  # to the byte
    Column("signature", Text, nullable=False),
    sqlite_with_rowid=False,
)

# Who decides about changes while a person is away.
absences = Table(
    "absences",
    metadata,
    Column("id", serial, primary_key=True),
    Column("person_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("to_id", BigInteger, ForeignKey("people.id"), nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    Column("ended_at", BigInteger),  # before its time; null: it lasts, or lasted, until then
    Index("ix_absences_person_id", "person_id"),
)

# When no version of a client goes live.
change_freezes = Table(
    "change_freezes",
    metadata,
    Column("id", serial, primary_key=True),
    Column("client", String(64), nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", String(255), nullable=False),  # an actor
    Column("at", BigInteger, nullable=False),  # when it was written
    Column("ended_at", BigInteger),  # before its time; null: it lasts, or lasted, until then
    Column("ended_by", String(255)),
    Index("ix_change_freezes_client", "client", "until"),
)

# The clients whose changes need an approval. A row is never taken away: once required, always.
approvals_required = Table(
    "approvals_required",
    metadata,
    Column("client", String(64), primary_key=True),  # "*" is every client
    Column("since", BigInteger, nullable=False),
    Column("cause", String(255), nullable=False),  # a setting, or who gave the first role
    sqlite_with_rowid=False,
)
