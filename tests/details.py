"""The detail of a row of the audit, for tests that know that it has one."""

from __future__ import annotations

from typing import Any

from orchestrator.store.views.audit import AuditRow


def detail_of(row: AuditRow) -> dict[str, Any]:
    """The detail, which has to be there."""
    assert row.detail is not None
    return dict(row.detail)
