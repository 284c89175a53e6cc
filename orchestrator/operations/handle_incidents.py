"""Acknowledge, assign and resolve incidents: a person says that they are on it, or it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from orchestrator.domain.addresses import checked_address
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.incidents import IncidentMove
from orchestrator.store.engine import Store, Tx
from orchestrator.store.incident_moves import move_incident
from orchestrator.store.incident_views import count_open
from orchestrator.store.stays import settle_incident


@dataclass(kw_only=True)
class Handled:
    """What became of incidents, by id."""

    ids: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)  # they were so before


def acknowledge_incidents(
    store: Store, ids: Sequence[int], *, actor: str, why: str | None = None
) -> Handled:
    """Say that somebody is on it; all of them or none. Raises NotFound, IllegalMove."""
    return _handle(store, ids, IncidentMove.ACKNOWLEDGE, actor=actor, why=why)


def assign_incidents(
    store: Store, ids: Sequence[int], *, owner: str, actor: str, why: str | None = None
) -> Handled:
    """Give them to `owner`, an e-mail address; all of them or none.

    Raises Refused for what is no address, NotFound, IllegalMove for one that is resolved.
    """
    address = checked_address(owner, field="to")
    return _handle(store, ids, IncidentMove.ASSIGN, actor=actor, why=why, owner=address)


def resolve_incidents(store: Store, ids: Sequence[int], *, why: str, actor: str) -> Handled:
    """Say that it is over; all of them or none.

    Raises Refused without a `why`, or while its events stand, are held or under way; NotFound.
    """
    if not why.strip():
        raise Refused("a resolution needs a reason", field="why", fix="give --why 'the reason'")
    return _handle(store, ids, IncidentMove.RESOLVE, actor=actor, why=why.strip())


def _handle(
    store: Store,
    ids: Sequence[int],
    move: IncidentMove,
    *,
    actor: str,
    why: str | None,
    owner: str | None = None,
) -> Handled:
    report = Handled()
    numbers = sorted(set(ids))
    if move is IncidentMove.RESOLVE:
        for incident in numbers:
            settle_incident(store, incident)
    with store.write() as tx:
        for incident in numbers:
            _check(tx, incident, move)
            changed = move_incident(tx, incident, move, actor=actor, why=why, owner=owner)
            (report.ids if changed else report.unchanged).append(incident)
    return report


def _check(tx: Tx, incident: int, move: IncidentMove) -> None:
    found = count_open(tx, incident)
    if found is None:
        raise NotFound(f"there is no incident {incident}", fix="see `meshline incidents list`")
    if move is not IncidentMove.RESOLVE:
        return
    if found.held:
        raise Refused(
            f"incident {incident} still has {found.held} held deliveries",
            fix="see `meshline destinations list`; it is resolved by itself when they went out",
        )
    if found.standing:
        raise Refused(
            f"{found.standing} events of incident {incident} still stand in quarantine",
            fix="replay or discard them; it is then resolved by itself",
        )
    if found.under_way:
        raise Refused(
            f"{found.under_way} events of incident {incident} are under way after a replay",
            fix="wait until they are delivered; it is then resolved by itself",
        )
