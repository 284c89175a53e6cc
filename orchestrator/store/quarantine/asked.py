"""Events that wait for a person's yes: how they are found by the index of them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Select, literal_column, select

from orchestrator.domain.approvals.requests import RequestState
from orchestrator.store.database.schema import event_approvals

IS_WAITING: ColumnElement[bool] = event_approvals.c.state == literal_column(
    f"'{RequestState.WAITING.value}'"
)
"""That nobody answered a request yet; spelt out, so that the index of these is used."""


def waiting_of(client: str, workflow: str) -> Select[tuple[str]]:
    """The events of a workflow that wait for a yes: their ids, for `exists` and for counting."""
    table = event_approvals.c
    return select(table.event_id).where(
        IS_WAITING, table.client == client, table.workflow == workflow
    )
