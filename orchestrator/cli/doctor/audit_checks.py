"""The doctor's look at the audit: its guards are there, and no row is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.doctor.findings import CheckResult, broken, ok

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store

_FIX = (
    "find out who altered the schema; keep the store as it is, and compare the audit with a backup"
)


def look_at_the_audit(store: Store) -> CheckResult:
    """Whether the database still keeps rows of the audit as they were written."""
    from orchestrator.store.database.audit_guards import look_at_audit

    with store.read() as tx:
        found = look_at_audit(tx)
    if found.faults:
        return broken("audit", "; ".join(found.faults), _FIX)
    whole = "" if found.rows is None else f", {found.rows} rows without a hole"
    return ok("audit", f"its guards are there{whole}")
