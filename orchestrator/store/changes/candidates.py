"""The version that a change would make, before it is live, and which change made a live one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from orchestrator.store.database.schema import changes, workflow_versions

_T = changes.c


@dataclass(frozen=True, kw_only=True, slots=True)
class CandidateRow:
    """What a change proposes, as it is now."""

    token: str
    client: str
    workflow: str
    state: str  # a ChangeState
    subject: str  # what an approval of it covers
    base_version: int | None
    definition: str  # JSON


_ROW = (_T.token, _T.client, _T.workflow, _T.state, _T.subject, _T.base_version, _T.definition)


def find_candidate(tx: Connection, token: str) -> CandidateRow | None:
    """What a change proposes; None where there is no such change."""
    row = tx.execute(select(*_ROW).where(_T.token == token)).one_or_none()
    return None if row is None else CandidateRow(**row._mapping)


def made_by(tx: Connection, version: int) -> CandidateRow | None:
    """The change by which a version, named by its id, went live; None: there was none."""
    live = workflow_versions.c
    found = select(*_ROW).join(workflow_versions, live.change_id == _T.id).where(live.id == version)
    row = tx.execute(found).one_or_none()
    return None if row is None else CandidateRow(**row._mapping)
