"""Escalate late incidents: tell the next person, until somebody says that they are on it."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.domain.incidents.escalation import due_steps, recipient_of
from orchestrator.store.clocks.escalation import climbing_incidents, take_step, tell_step
from orchestrator.store.database.engine import Tx
from orchestrator.store.quarantine.workflow_terms import Terms


def escalate_incidents(tx: Tx, newest: Mapping[tuple[str, str], Terms]) -> list[tuple[int, int]]:
    """Take every step that is due, with its audit row and its alert; incident and step of each.

    `newest` are the terms of each client's workflow. Steps count from the breach. Who acknowledges
    an incident stops it. What fell due while no keeper ran is taken at once.
    """
    taken = []
    for one in climbing_incidents(tx):
        terms = newest.get((one.client, one.workflow))
        if terms is None:
            continue
        due = due_steps(one.step, breached_at=one.breached_at, now=one.now, waits=terms.escalate)
        for step in due:
            lead = take_step(tx, one, step)
            if lead is None:
                break
            told = recipient_of(step, lead=lead, owner=terms.owner, backstop=terms.backstop)
            tell_step(tx, one, step, told)
            taken.append((one.id, step))
    return taken
