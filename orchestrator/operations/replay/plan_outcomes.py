"""Plan what becomes of all that a rolled-back version made: undo, send again, or leave it."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import ChangeKind
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.lifecycle import State
from orchestrator.domain.workflows.catalog import Catalog
from orchestrator.domain.workflows.compiled import CompiledWorkflow
from orchestrator.domain.workflows.ordering.keys import Ordering
from orchestrator.operations.access.allow import allow
from orchestrator.operations.replay.freeze_outcomes import OutcomesFreezer, OutcomesPlan
from orchestrator.store.changes.changes import last_change
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.made_snapshot import states_of
from orchestrator.store.quarantine.workflows import (
    KeptVersion,
    LiveWorkflow,
    WorkflowShelf,
    kept_version,
    require_live,
)

_UNDER_WAY = (State.ACCEPTED, State.VALIDATED, State.ROUTED, State.AWAITING_APPROVAL)


def plan_outcomes(
    store: Store,
    client: str,
    name: str,
    *,
    catalog: Catalog,
    actor: Actor,
    made_by: int | None = None,
    progress: Callable[[int, int], None] = lambda _, __: None,
) -> OutcomesPlan:
    """List every delivery that a version made, and freeze what to undo and what to send again.

    Events in quarantine are in the plan where something is to be undone, such as a record that
    differs from what was sent; the others are for a replay, which sends nothing twice.
    `made_by` is the version; without it the one that the last rollback took back. Nothing is sent
    or undone yet: `run_plan` does it by the token. `progress` gets how many of how many events were
    looked at. With an ordering key it takes up the last event of each key that had its turn, which
    holds its place until it is sent again; an earlier one stays, for later ones may rest on it.
    Raises NotFound, Forbidden, Refused for the live version and where the order is another one.
    """
    with store.read() as tx:
        allow(tx, actor, Act.REPLAY, [client])
        live = require_live(tx, client, name)
        bad = _version(tx, live, made_by)
        workflow = WorkflowShelf().take(tx, live.id)
        states = states_of(tx, bad.id)
    _check_order(bad, workflow)
    plan = OutcomesPlan(
        client=client,
        workflow=name,
        made_by=bad.version,
        version=live.version,
        delivered=states.get(State.DELIVERED, 0),
        in_quarantine=states.get(State.QUARANTINED, 0),
        under_way=sum(states.get(one, 0) for one in _UNDER_WAY),
    )
    return OutcomesFreezer(store, plan, bad, live, workflow, catalog).freeze(actor, progress)


def _version(tx: Tx, live: LiveWorkflow, made_by: int | None) -> KeptVersion:
    if made_by is None:
        last = last_change(tx, live)
        if last is None or last.kind is not ChangeKind.ROLLBACK or last.base_version is None:
            raise Refused(
                f"version {live.version} of {live.name!r} is not live by a rollback",
                field="outcomes",
                fix="roll it back first, or name the version whose outcomes you mean: --of N",
            )
        made_by = last.base_version
    found = kept_version(tx, live.client, live.name, made_by)
    if found is None:
        raise NotFound(
            f"{live.name!r} of client {live.client!r} never had a version {made_by}",
            field="of",
            fix="see `meshline workflow list --all-versions`",
        )
    if found.id == live.id:
        raise Refused(
            f"version {made_by} of {live.name!r} is live, so what it made is as it should be",
            field="of",
            fix="roll it back first",
        )
    return found


def _check_order(bad: KeptVersion, workflow: CompiledWorkflow) -> None:
    ordering = None if bad.ordering_text is None else Ordering.from_text(bad.ordering_text)
    if ordering != workflow.workflow.ordering:
        raise Refused(
            "the two versions order their events differently, so no order could be kept",
            field="outcomes",
            fix="look at its events one by one: `meshline events list`",
        )
