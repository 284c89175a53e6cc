"""Keep what a rehearsal found beside its change: from then on an approval covers that too."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.gates.evidence import Evidence, recorded
from orchestrator.domain.changes.rehearsing.result import Rehearsal
from orchestrator.domain.errors import ChangedSinceSeen
from orchestrator.operations.changes.hold import held_change
from orchestrator.operations.changes.keep_evidence import keep_evidence_of
from orchestrator.operations.changes.rehearsing.material import Material, check_rehearsable
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What became of a rehearsal."""

    change: str  # its token
    client: str
    workflow: str
    digest: str  # of what was found: 64 hex digits
    subject: str  # what an approval of the change is of from now on
    result: Rehearsal


def keep_rehearsal(store: Store, ran: Material, found: Rehearsal, *, actor: Actor) -> Rehearsed:
    """Keep the evidence; one of an earlier rehearsal of this round goes.

    Raises NotFound, Forbidden, Refused where it was decided about meanwhile, ChangedSinceSeen where
    it was edited.
    """
    piece = recorded(Evidence(rehearsal=found))[0]
    with store.write() as tx:
        change = held_change(tx, ran.change, actor, Act.REHEARSE_CHANGE)
        check_rehearsable(change)
        if change.round != ran.round or change.definition != ran.definition:
            raise ChangedSinceSeen(
                f"change {ran.change} was edited while it was rehearsed",
                field="change",
                fix="rehearse it again",
            )
        subject = keep_evidence_of(tx, change, piece, by=actor.name)
        told = {
            "change": change.token,
            "round": change.round,
            "digest": piece.digest,
            "subject": subject,
            "events": found.events,
        }
        audit.record(
            tx,
            actor=actor.name,
            action="rehearse_change",
            client=change.client,
            workflow=change.workflow,
            detail=told,
        )
    return Rehearsed(
        change=change.token,
        client=change.client,
        workflow=change.workflow,
        digest=piece.digest,
        subject=subject,
        result=found,
    )
