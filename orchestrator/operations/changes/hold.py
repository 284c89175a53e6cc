"""Hold a change before anything about it is decided."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import orjson

from orchestrator.domain.access.actor import Actor, who
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.deciding import Asked, named_approver, stand_in_of
from orchestrator.domain.changes.states import OPEN
from orchestrator.domain.errors import ChangedSinceSeen, IllegalMove, NotFound
from orchestrator.operations.access.allow import allow
from orchestrator.store.changes.absences import away_now
from orchestrator.store.changes.approvers import deciders_of
from orchestrator.store.changes.authors import list_authors
from orchestrator.store.changes.changes import LockedChange, lock_change
from orchestrator.store.changes.views import client_of
from orchestrator.store.database.engine import Tx
from orchestrator.store.database.locks import hold_client, hold_people
from orchestrator.store.quarantine.workflows import definition_of, live_workflow
from orchestrator.store.views.values import iso_time


def hold_governance(tx: Tx, client: str) -> None:
    """Be alone with a client's roles, versions and changes, in one order for everybody."""
    hold_people(tx)
    hold_client(tx, client)


def hold_by_itself(tx: Tx, token: str) -> LockedChange | None:
    """A change that only this transaction moves, for a keeper, who asks nobody; None: not there."""
    client = client_of(tx, token)
    if client is None:
        return None
    hold_governance(tx, client)
    return lock_change(tx, token)


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


def check_seen(change: LockedChange, seen: Collection[str]) -> None:
    """Raises ChangedSinceSeen where its digest is none of those that somebody looked at."""
    if seen and change.subject not in seen:
        raise ChangedSinceSeen(
            f"change {change.token} is not what you looked at: its round {change.round} is by"
            f" {who(change.changed_by)}, of {iso_time(change.changed_at)}",
            field="digest",
            fix="look at it again, and decide then",
        )


def check_open(change: LockedChange) -> None:
    """Raises IllegalMove where it is over, with who did what when."""
    if change.state not in OPEN:
        raise IllegalMove(
            f"change {change.token} is {change.state.replace('_', ' ')} since"
            f" {iso_time(change.changed_at)}, by {who(change.changed_by)}",
            field="state",
            fix="propose it again",
        )


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
    named = named_approver(approver, deciders_of(tx, change.client), asked)
    return replace(asked, named=named, stand_in=stand_in_of(named, away_now(tx), asked))
