"""Hold a change before anything about it is decided."""

from __future__ import annotations

from dataclasses import replace

import orjson

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.deciding import Asked, named_approver
from orchestrator.domain.errors import NotFound
from orchestrator.operations.access.allow import allow
from orchestrator.store.changes.approvers import deciders_of
from orchestrator.store.changes.authors import list_authors
from orchestrator.store.changes.changes import LockedChange, lock_change
from orchestrator.store.changes.views import client_of
from orchestrator.store.database.engine import Tx
from orchestrator.store.database.locks import hold_client, hold_people
from orchestrator.store.quarantine.workflows import definition_of, live_workflow


def hold_governance(tx: Tx, client: str) -> None:
    """Be alone with a client's roles, versions and changes, in one order for everybody."""
    hold_people(tx)
    hold_client(tx, client)


def held_change(tx: Tx, token: str, actor: Actor, act: Act) -> LockedChange:
    """A change that only this transaction moves, for an actor who may. Raises NotFound, Forbidden.

    Roles are held with it: nobody gets or loses one until the transaction ends.
    """
    client = client_of(tx, token)
    if client is None:
        raise no_change(token)
    hold_governance(tx, client)
    allow(tx, actor, act, [client], unseen=no_change(token))
    change = lock_change(tx, token)
    if change is None:
        raise no_change(token)
    return change


def held_again(tx: Tx, change: LockedChange) -> LockedChange:
    """The change as this transaction left it."""
    found = lock_change(tx, change.token)
    if found is None:
        raise no_change(change.token)
    return found


def no_change(token: str) -> NotFound:
    """What is said of a change that is not there, or is not the asker's to see."""
    return NotFound(
        f"there is no change {token!r}", field="change", fix="see `meshline change list`"
    )


def asked_of(tx: Tx, change: LockedChange) -> Asked:
    """What the change asks of whoever decides about it; its client has to be held."""
    found = list_authors(tx, change.id)
    asked = Asked(
        authors=frozenset(one.name for one in found),
        proven=frozenset(one.name for one in found if one.proven),
        proposed_at=change.proposed_at,
        named=None,
    )
    live = live_workflow(tx, change.client, change.workflow)
    # The version that is live says who decides, also about a change that names somebody else.
    text = change.definition if live is None else definition_of(tx, live.id)
    approver = orjson.loads(text)["owners"]["approver"]
    return replace(asked, named=named_approver(approver, deciders_of(tx, change.client), asked))
