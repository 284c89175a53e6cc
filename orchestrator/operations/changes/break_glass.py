"""Break the glass: the backstop makes a change live at once, and everybody hears of it."""

from __future__ import annotations

from collections.abc import Collection

import orjson

from orchestrator.domain.access.actor import Actor, mail_of
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import ChangeKind, ChangeMove, change_target
from orchestrator.domain.errors import Forbidden, Refused
from orchestrator.domain.incidents.causes import broken_glass_cause
from orchestrator.domain.whys import needed_why
from orchestrator.operations.changes.go_live import go_live
from orchestrator.operations.changes.hold import check_seen, held_change
from orchestrator.operations.changes.show import Settled, settled
from orchestrator.operations.changes.tell import tell_approvers
from orchestrator.store.changes.changes import LockedChange
from orchestrator.store.clocks.alerts import AlertKind
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.incidents import note_events
from orchestrator.store.quarantine.workflows import definition_of, live_workflow

ANSWER_MS = 86_400_000
"""How long the approver has to answer for it: the clock of the incident."""


def break_glass(
    store: Store, token: str, *, why: str, actor: Actor, seen: Collection[str] = ()
) -> Settled:
    """Make it live though nobody approved it, or its client is frozen.

    Only for the person whom the live version names as its backstop. Every approver of the client
    gets an alert, and the workflow's approver an incident with a clock of 24 hours. `seen` are
    digests, one of which it has to have still. Raises NotFound, Forbidden, Refused without a reason
    and for a change of who approves, ChangedSinceSeen, IllegalMove, WorkflowConflict.
    """
    reason = needed_why(why, "break-glass")
    with store.write() as tx:
        change = held_change(tx, token, actor, Act.BREAK_GLASS)
        owners = _owners(tx, change)
        _check_backstop(owners["backstop"], actor)
        change_target(ChangeMove.BREAK_GLASS, change.state)
        check_seen(change, seen)
        _check_same_owners(change, owners)
        go_live(tx, change, actor, glass=reason)
        tell_approvers(tx, change, AlertKind.BREAK_GLASS, actor=actor, news=reason)
        note_events(
            tx,
            change.client,
            change.workflow,
            broken_glass_cause(change.token),
            0,
            owner=owners["approver"],
            recover_ms=ANSWER_MS,
            actor=actor.name,
        )
        return settled(tx, token)


def _owners(tx: Tx, change: LockedChange) -> dict[str, str]:
    """Whom the version that is live names. Raises Refused where none is live."""
    live = live_workflow(tx, change.client, change.workflow)
    if live is None:
        raise Refused(
            "no version of the workflow is live, so nobody is its backstop",
            field="change",
            fix="have it approved",
        )
    owners: dict[str, str] = orjson.loads(definition_of(tx, live.id))["owners"]
    return owners


def _check_backstop(backstop: str, actor: Actor) -> None:
    if actor.person is None or mail_of(actor.name) != backstop.lower():
        raise Forbidden(
            f"only the backstop breaks the glass, and the live version names {backstop}",
            field="actor",
            fix="ask them, or have the change approved",
        )


def _check_same_owners(change: LockedChange, owners: dict[str, str]) -> None:
    """Raises Refused: else the glass would let somebody choose who approves from then on."""
    if change.kind is ChangeKind.RETIRE:
        return
    after = orjson.loads(change.definition)["owners"]
    if any(after[role] != owners[role] for role in ("approver", "backstop")):
        raise Refused(
            "a change of who approves, or of the backstop, does not go live by break-glass",
            field="change",
            fix="propose what is urgent without it",
        )
