"""Findings of the drift diagnosis as JSON documents."""

from __future__ import annotations

from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.drift.finding import Finding
from orchestrator.store.views.values import iso


def finding_document(finding: Finding) -> dict[str, object]:
    """A finding as a document; `since` is ISO 8601 in UTC."""
    return fields_of(finding) | {"since": iso(finding.since)}
