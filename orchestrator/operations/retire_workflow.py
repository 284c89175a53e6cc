"""Retire a workflow: propose that no version of it is live any more."""

from __future__ import annotations

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import ChangeKind
from orchestrator.domain.whys import needed_why
from orchestrator.operations.access.allow import allow
from orchestrator.operations.changes.hold import hold_governance
from orchestrator.operations.changes.propose import Proposal, propose
from orchestrator.operations.changes.show import Settled, settled
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.workflows import definition_of, require_live


def retire_workflow(store: Store, client: str, name: str, *, why: str, actor: Actor) -> Settled:
    """Propose it; where the client's changes need no approval, it is done at once.

    Nothing is accepted for it then; events on their way go on, and what is in quarantine can be
    discarded, or replayed when a version is live again. Raises NotFound without a live version,
    Refused without a reason, Forbidden.
    """
    reason = needed_why(why, "a retirement")
    with store.write() as tx:
        allow(tx, actor, Act.RETIRE_WORKFLOW, [client])
        hold_governance(tx, client)
        live = require_live(tx, client, name)
        proposal = Proposal(
            client=client,
            workflow=name,
            kind=ChangeKind.RETIRE,
            definition=orjson.loads(definition_of(tx, live.id)),
            digest=live.digest,
            why=reason,
        )
        return settled(tx, propose(tx, proposal, live, actor).change)
