"""Stop a rollout: the version before decides alone again, also about what was not routed yet."""

from __future__ import annotations

from collections.abc import Collection

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import ROLLING, ChangeMove
from orchestrator.domain.errors import IllegalMove
from orchestrator.domain.whys import needed_why
from orchestrator.operations.changes.hold import check_seen, held_change
from orchestrator.operations.changes.rollout.begin import abandon_rollout
from orchestrator.operations.changes.show import Settled, settled
from orchestrator.operations.changes.tell import tell_authors, tell_owners
from orchestrator.store.changes.changes import LockedChange, move_change
from orchestrator.store.clocks.alerts import AlertKind
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.drive.repin import Repinned, count_early, repin_some
from orchestrator.store.quarantine.workflows import live_workflow, version_of
from orchestrator.store.rollout.arms import Arm, note_tidy
from orchestrator.store.views.values import iso_time, now_of

_CHUNK = 1_000
_LATECOMERS_MS = 600_000  # a door may have read the share just before it was taken back


def stop_rollout(
    store: Store, token: str, *, why: str, actor: Actor, seen: Collection[str] = ()
) -> Settled:
    """Stop the rollout of a change: it takes no approval, for what was live before stays live.

    A keeper gives the version before what the candidate has not routed yet; what is routed goes on
    as it is. `seen` are digests, one of which it has to have still. Raises NotFound, Forbidden,
    Refused without a reason, IllegalMove where nothing of it is rolled out, ChangedSinceSeen.
    """
    reason = needed_why(why, "whoever stops a rollout")
    with store.write(ring=True) as tx:
        change = held_change(tx, token, actor, Act.STOP_ROLLOUT)
        if change.state not in ROLLING:
            raise IllegalMove(
                f"nothing of change {token} is rolled out: it is"
                f" {change.state.replace('_', ' ')} since {iso_time(change.changed_at)}",
                field="state",
                fix=f"see `meshline change show {token}`",
            )
        check_seen(change, seen)
        go_back(tx, change, reason, actor)
        return settled(tx, token)


def go_back(tx: Tx, change: LockedChange, why: str, actor: Actor) -> None:
    """End its rollout, which has to be held, and tell authors, owner and approver."""
    abandon_rollout(tx, change, why)
    move_change(tx, change, ChangeMove.ROLL_BACK, actor=actor.name, detail={"why": why})
    tell_authors(tx, change, AlertKind.ROLLED_BACK, actor=actor, news=why)
    tell_owners(tx, change, AlertKind.ROLLED_BACK, actor=actor, news=why)


def tidy(tx: Tx, client: str, workflow: str, arm: Arm, actor: Actor) -> bool:
    """Give the live version some of what a candidate that went back has not routed; all done?

    The client has to be held. A door that accepts an event as this commits may still give it to the
    candidate, so a keeper looks for ten minutes more.
    """
    live = live_workflow(tx, client, workflow)
    # With no live version, the one that was live then decides about what it would have had.
    target = arm.base if live is None else live.id
    pair = Repinned(source=arm.version, target=target, version=version_of(tx, target))
    repin_some(tx, pair, actor=actor.name, most=_CHUNK)
    is_late = arm.stopped_at is not None and now_of(tx) >= arm.stopped_at + _LATECOMERS_MS
    done = is_late and not count_early(tx, arm.version)
    if done:
        note_tidy(tx, arm)
    return done
