"""The versions of workflows."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Integer, String, Table, Text, UniqueConstraint

from orchestrator.store.database.tables.metadata import metadata, partial_index, serial

workflow_versions = Table(
    "workflow_versions",
    metadata,
    Column("id", serial, primary_key=True),
    Column("client", String(64), nullable=False),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("trigger_type", String(255), nullable=False),
    Column("definition", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("live", Boolean, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("published_by", String(255), nullable=False),
    Column("ordering", Text),  # how its events are ordered, as JSON; null: they are not
    Column("change_id", BigInteger),  # by which it went live; null: before there were changes
    Column("connectors", Text),  # approved definitions, by name, as JSON; null: any will do
    Column("trial", String(10)),  # of a candidate: running or stopped; null: it is, or was, live
    Column("canary", Text),  # of a live version: the candidate beside it, see canary.py
    UniqueConstraint("client", "name", "version"),
)
partial_index(
    "ix_workflow_versions_live_name",
    workflow_versions.c.client,
    workflow_versions.c.name,
    unique=True,
    where="live",
)
partial_index(
    "ix_workflow_versions_live_trigger",
    workflow_versions.c.client,
    workflow_versions.c.trigger_type,
    unique=True,
    where="live",
)
