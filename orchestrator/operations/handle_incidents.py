"""Acknowledge, assign and resolve incidents: a person says that they are on it, or it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.errors import IllegalMove, NotFound, Refused
from orchestrator.domain.incidents.incident import (
    IncidentKind,
    IncidentMove,
    length_of_acknowledgement,
)
from orchestrator.domain.text.addresses import checked_address
from orchestrator.domain.whys import needed_why, optional_why
from orchestrator.operations.watch_changes import known_changes
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.locked_incidents import LockedIncident, lock_incident
from orchestrator.store.quarantine.stays import end_stays_of_incident
from orchestrator.store.views.earlier_moves import EarlierMove, who_moved
from orchestrator.store.views.incident_counts import count_open
from orchestrator.store.views.incidents import kinds_of


@dataclass(kw_only=True)
class Handled:
    """What became of incidents, by id."""

    ids: list[int] = field(default_factory=list)  # moved
    unchanged: list[int] = field(default_factory=list)  # they were so before
    already: list[EarlierMove] = field(default_factory=list)  # of these, who did it and when


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What a person said with a move."""

    actor: str
    why: str | None = None
    owner: str | None = None
    lasts_ms: int | None = None
    changes: Mapping[int, str] = field(default_factory=dict)


def acknowledge_incidents(
    store: Store,
    ids: Sequence[int],
    *,
    actor: str,
    why: str | None = None,
    lasts: str | None = None,
) -> Handled:
    """Say that somebody is on it, for `lasts` such as `2h` or without an end; all or none.

    Raises Refused for what is not a duration and for a blank `why`, NotFound, IllegalMove.
    """
    lasts_ms = None if lasts is None else int(length_of_acknowledgement(lasts) * 1000)
    reason = optional_why(why)
    changes = _known_changes(store, sorted(set(ids)))
    given = _Given(actor=actor, why=reason, lasts_ms=lasts_ms, changes=changes)
    return _handle(store, ids, IncidentMove.ACKNOWLEDGE, given)


def assign_incidents(
    store: Store, ids: Sequence[int], *, owner: str, actor: str, why: str | None = None
) -> Handled:
    """Give them to `owner`, an e-mail address; all of them or none.

    Raises Refused for what is not an address and for a blank `why`, NotFound, IllegalMove for one
    that is resolved.
    """
    given = _Given(actor=actor, why=optional_why(why), owner=checked_address(owner, field="to"))
    return _handle(store, ids, IncidentMove.ASSIGN, given)


def resolve_incidents(store: Store, ids: Sequence[int], *, why: str, actor: str) -> Handled:
    """Say that it is over; all of them or none.

    Raises Refused without a `why`, or while its events stand, are held or under way; NotFound.
    """
    reason = needed_why(why, "a resolution")
    for incident in sorted(set(ids)):
        end_stays_of_incident(store, incident)
    return _handle(store, ids, IncidentMove.RESOLVE, _Given(actor=actor, why=reason))


def _known_changes(store: Store, ids: Sequence[int]) -> dict[int, str]:
    """What the person who acknowledges can see, so that they hear of what comes after it."""
    with store.read() as tx:
        kinds = kinds_of(tx, ids)
    sent = [one for one in ids if kinds.get(one) is IncidentKind.CONTRACT]
    return {one: known_changes(store, one) for one in sent[:_MOST_DIAGNOSED]}


_MOST_DIAGNOSED = 10  # at once: of the others the keeper keeps what it finds first


def _handle(store: Store, ids: Sequence[int], move: IncidentMove, given: _Given) -> Handled:
    report = Handled()
    with store.write() as tx:
        for incident in sorted(set(ids)):
            held = _held(tx, incident)
            if move is IncidentMove.RESOLVE:
                _check_ended(tx, held)
            if _move(tx, held, move, given):
                report.ids.append(incident)
            else:
                report.unchanged.append(incident)
                report.already.append(who_moved(tx, held, move))
    return report


def _held(tx: Tx, incident: int) -> LockedIncident:
    """Its row alone: what is decided and counted stays so until it moved."""
    held = lock_incident(tx, incident)
    if held is None:
        raise NotFound(f"there is no incident {incident}", fix="see `meshline incidents list`")
    return held


def _move(tx: Tx, held: LockedIncident, move: IncidentMove, given: _Given) -> bool:
    try:
        return move_incident(
            tx,
            held,
            move,
            actor=given.actor,
            why=given.why,
            owner=given.owner,
            lasts_ms=given.lasts_ms,
            changes=given.changes.get(held.id),
        )
    except IllegalMove as error:
        before = who_moved(tx, held, move)
        if before.was != "resolved":
            raise
        raise IllegalMove(
            f"{error.detail}; {before.by} resolved incident {held.id} at {before.at}",
            field=error.field,
            fix=error.fix,
        ) from None


def _check_ended(tx: Tx, held: LockedIncident) -> None:
    """Raises Refused while events of it stand, are held or under way."""
    found = count_open(tx, held)
    if found.held:
        raise Refused(
            f"incident {held.id} still has {found.held} held deliveries",
            fix="see `meshline destinations list`; it is resolved by itself when they went out",
        )
    if found.standing:
        raise Refused(
            f"{found.standing} events of incident {held.id} still stand in quarantine",
            fix="replay or discard them; it is then resolved by itself",
        )
    if found.under_way:
        raise Refused(
            f"{found.under_way} events of incident {held.id} are under way again",
            fix="wait until they are delivered; it is then resolved by itself",
        )
