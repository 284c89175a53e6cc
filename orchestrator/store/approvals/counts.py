"""How many events wait for a yes, and which live workflows ask for one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, case, func, literal, select

from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.schema import event_approvals, workflow_versions
from orchestrator.store.quarantine.asked import IS_WAITING

_T = event_approvals.c

PARTS = ("first_half", "second_half", "over")
"""How much of the time to decide is over; of `over` a keeper makes a quarantine."""


def count_waiting(tx: Connection) -> Mapping[str, int]:
    """How many events wait for a yes, by how much of their time is over; every part is named."""
    part = case(
        (_T.decide_by <= now_ms(), literal("over")),
        (_T.remind_at <= now_ms(), literal("second_half")),
        else_=literal("first_half"),
    )
    rows = tx.execute(select(part, func.count()).where(IS_WAITING).group_by(part))
    return dict.fromkeys(PARTS, 0) | {row[0]: row[1] for row in rows}


@dataclass(frozen=True, kw_only=True, slots=True)
class AskingWorkflow:
    """A live workflow with a route that asks."""

    client: str
    workflow: str
    approver: str  # the address that it names


def asking_workflows(tx: Connection) -> list[AskingWorkflow]:
    """The live workflows that wait for a yes on some route, by client and name."""
    table = workflow_versions.c
    live = select(table.client, table.name, table.definition).where(table.live)
    found = []
    for row in tx.execute(live.order_by(table.client, table.name)):
        if '"approve"' not in row.definition:  # few do: the others are not read
            continue
        said = orjson.loads(row.definition)
        if any(route.get("approve") for route in said["routes"]):
            approver = said["owners"]["approver"]
            found.append(AskingWorkflow(client=row.client, workflow=row.name, approver=approver))
    return found
