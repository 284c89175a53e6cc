"""All tables, gathered from `tables/`, so that whoever imports one has the metadata whole.

Times are milliseconds since 1970 by the database's clock; JSON is kept as text. `HEAD` is the
newest migration. A change of a table goes with a migration; a test compares the two.
"""

from __future__ import annotations

from orchestrator.store.database.tables.access import (
    invites,
    key_usage,
    keys,
    login_failures,
    people,
    person_roles,
    sessions,
    signing_keys,
    source_usage,
)
from orchestrator.store.database.tables.approvals import event_approvals
from orchestrator.store.database.tables.audit import audit, audit_values, store_keys
from orchestrator.store.database.tables.changes import (
    absences,
    approvals_required,
    change_authors,
    change_decisions,
    change_freezes,
    change_signatures,
    changes,
)
from orchestrator.store.database.tables.clocks import alerts, breaches, heartbeats
from orchestrator.store.database.tables.deliveries import deliveries
from orchestrator.store.database.tables.desk import job_items, jobs, plan_events, plans, recipes
from orchestrator.store.database.tables.destinations import circuits, oauth_tokens
from orchestrator.store.database.tables.events import (
    events,
    groups,
    hook_requests,
    payloads,
    traces,
)
from orchestrator.store.database.tables.evidence import backtests, change_evidence, gate_waivers
from orchestrator.store.database.tables.metadata import metadata
from orchestrator.store.database.tables.ordering import line_looks, ordered_events
from orchestrator.store.database.tables.quarantine import (
    dead_letters,
    incidents,
    quarantine,
    quarantine_words,
)
from orchestrator.store.database.tables.rollout import rollout_arms, rollout_events, shadow_diffs
from orchestrator.store.database.tables.workflows import workflow_versions

HEAD = "0047"

__all__ = [
    "HEAD",
    "absences",
    "add_postgresql_options",
    "alerts",
    "approvals_required",
    "audit",
    "audit_values",
    "backtests",
    "breaches",
    "change_authors",
    "change_decisions",
    "change_evidence",
    "change_freezes",
    "change_signatures",
    "changes",
    "circuits",
    "dead_letters",
    "deliveries",
    "event_approvals",
    "events",
    "gate_waivers",
    "groups",
    "heartbeats",
    "hook_requests",
    "incidents",
    "invites",
    "job_items",
    "jobs",
    "key_usage",
    "keys",
    "line_looks",
    "login_failures",
    "metadata",
    "oauth_tokens",
    "ordered_events",
    "payloads",
    "people",
    "person_roles",
    "plan_events",
    "plans",
    "quarantine",
    "quarantine_words",
    "recipes",
    "rollout_arms",
    "rollout_events",
    "sessions",
    "shadow_diffs",
    "signing_keys",
    "source_usage",
    "store_keys",
    "traces",
    "workflow_versions",
]


def add_postgresql_options() -> None:
    """Give the indexes which options only PostgreSQL gets, for who makes or compares them."""
    for table in metadata.tables.values():
        for index in table.indexes:
            for name, value in index.info.items():
                index.dialect_kwargs[name] = value
