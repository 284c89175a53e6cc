"""Acknowledge, assign and resolve incidents: a person says that they are on it, or it is over."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor, who
from orchestrator.domain.access.roles import Role
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import ChangedSinceSeen, IllegalMove, NotFound, Refused
from orchestrator.domain.incidents.incident import (
    IncidentKind,
    IncidentMove,
    length_of_acknowledgement,
)
from orchestrator.domain.incidents.seen import digest_of_seen
from orchestrator.domain.text.addresses import checked_address
from orchestrator.domain.whys import needed_why, optional_why
from orchestrator.operations.access.allow import allow, is_unknown, may_view, scope_of
from orchestrator.operations.incidents.watch_changes import known_changes
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.incident_moves import move_incident
from orchestrator.store.quarantine.locked_incidents import LockedIncident, lock_incident
from orchestrator.store.quarantine.stays import end_stays_of_incident
from orchestrator.store.views.incidents.counts import count_open
from orchestrator.store.views.incidents.earlier_moves import EarlierMove, last_decision, who_moved
from orchestrator.store.views.incidents.list import kinds_of


@dataclass(kw_only=True)
class Handled:
    """What became of incidents, by id."""

    ids: list[int] = field(default_factory=list)  # moved
    unchanged: list[int] = field(default_factory=list)  # they were so before
    already: list[EarlierMove] = field(default_factory=list)  # of these, who did it and when
    unseen: list[int] = field(default_factory=list)  # moved to a person who may not see them
    owner_unknown: bool = False  # there are people, and the new owner is none of them


@dataclass(frozen=True, kw_only=True)
class _Given:
    """What a person said with a move."""

    actor: Actor
    why: str | None = None
    owner: str | None = None
    lasts_ms: int | None = None
    changes: Mapping[int, str] = field(default_factory=dict)
    seen: Collection[str] = ()  # digests, one of which it still has to have; none: any


def acknowledge_incidents(
    store: Store,
    ids: Sequence[int],
    *,
    actor: Actor,
    why: str | None = None,
    lasts: str | None = None,
    seen: Collection[str] = (),
) -> Handled:
    """Say that somebody is on it, for `lasts` such as `2h` or without an end; all or none.

    `seen` are digests by `digest_of_seen`: one of them each has to have still; without one it is
    not compared.

    Raises Refused for what is not a duration and for a blank `why`, NotFound, IllegalMove,
    ChangedSinceSeen.
    """
    lasts_ms = None if lasts is None else int(length_of_acknowledgement(lasts) * 1000)
    reason = optional_why(why)
    changes = _known_changes(store, _permitted(store, ids, IncidentMove.ACKNOWLEDGE, actor))
    given = _Given(actor=actor, why=reason, lasts_ms=lasts_ms, changes=changes, seen=seen)
    return _handle(store, ids, IncidentMove.ACKNOWLEDGE, given)


def assign_incidents(
    store: Store,
    ids: Sequence[int],
    *,
    owner: str,
    actor: Actor,
    why: str | None = None,
    seen: Collection[str] = (),
) -> Handled:
    """Give them to `owner`, an e-mail address; all of them or none.

    The report names those whose new owner is a person who may not see them; they are theirs now. It
    also says where the address is nobody's here, as that of a mailbox of a team, or a wrong one.

    Raises Refused for what is not an address and for a blank `why`, NotFound, IllegalMove for one
    that is resolved, ChangedSinceSeen.
    """
    given = _Given(
        actor=actor,
        why=optional_why(why),
        owner=checked_address(owner, field="owner"),
        seen=seen,
    )
    return _handle(store, ids, IncidentMove.ASSIGN, given)


def resolve_incidents(
    store: Store,
    ids: Sequence[int],
    *,
    why: str,
    actor: Actor,
    seen: Collection[str] = (),
) -> Handled:
    """Say that it is over; all of them or none.

    Raises Refused without a `why`, or while events are quarantined, held or under way; NotFound,
    ChangedSinceSeen.
    """
    reason = needed_why(why, "a resolution")
    for incident in _permitted(store, ids, IncidentMove.RESOLVE, actor):
        end_stays_of_incident(store, incident)
    given = _Given(actor=actor, why=reason, seen=seen)
    return _handle(store, ids, IncidentMove.RESOLVE, given)


def _permitted(
    store: Store, ids: Sequence[int], move: IncidentMove, actor: Actor
) -> dict[int, IncidentKind]:
    """The kinds of those that the actor may move: for the others nothing is prepared."""
    with store.read() as tx:
        found = kinds_of(tx, set(ids), clients=scope_of(tx, actor, _ACTS[move]).names)
    return dict(sorted(found.items()))


def _known_changes(store: Store, kinds: Mapping[int, IncidentKind]) -> dict[int, str]:
    """What the person who acknowledges can see, so that they hear of what comes after it."""
    sent = [one for one, kind in kinds.items() if kind is IncidentKind.CONTRACT]
    return {one: known_changes(store, one) for one in sent[:_MOST_DIAGNOSED]}


_MOST_DIAGNOSED = 10  # at once: of the others the keeper keeps what it finds first


def _handle(store: Store, ids: Sequence[int], move: IncidentMove, given: _Given) -> Handled:
    report = Handled()
    with store.write() as tx:
        report.owner_unknown = given.owner is not None and is_unknown(tx, given.owner)
        for incident in sorted(set(ids)):
            held = _held(tx, incident, move, given.actor)
            _check_seen(tx, held, given.seen)
            if move is IncidentMove.RESOLVE:
                _check_ended(tx, held)
            if _move(tx, held, move, given):
                report.ids.append(incident)
                if given.owner is not None and not may_view(tx, given.owner, held.client):
                    report.unseen.append(incident)
            else:
                report.unchanged.append(incident)
                report.already.append(who_moved(tx, held, move))
    return report


def _held(tx: Tx, incident: int, move: IncidentMove, actor: Actor) -> LockedIncident:
    """Its row alone: what is decided and counted stays so until it moved."""
    unseen = NotFound(f"there is no incident {incident}", fix="see `meshline incidents list`")
    held = lock_incident(tx, incident)
    if held is None:
        raise unseen
    # Whoever broke the glass does not end what an approver is to look at.
    looked_at = move is IncidentMove.RESOLVE and held.kind == IncidentKind.GOVERNANCE
    role = Role.APPROVER if looked_at else None
    allow(tx, actor, _ACTS[move], [held.client], role=role, unseen=unseen)
    return held


def _check_seen(tx: Tx, held: LockedIncident, seen: Collection[str]) -> None:
    """Raises ChangedSinceSeen where somebody decided otherwise since a person saw it."""
    if not seen or digest_of_seen(held) in seen:
        return
    last = last_decision(tx, held.id)
    told = f"{who(last.by)} {last.did} it at {last.at}" if last else "it was decided upon"
    raise ChangedSinceSeen(
        f"incident {held.id} changed since you saw it: {told}",
        fix="look at it again, and decide then",
    )


_ACTS = {
    IncidentMove.ACKNOWLEDGE: Act.ACKNOWLEDGE,
    IncidentMove.ASSIGN: Act.ASSIGN,
    IncidentMove.RESOLVE: Act.RESOLVE,
}


def _move(tx: Tx, held: LockedIncident, move: IncidentMove, given: _Given) -> bool:
    try:
        return move_incident(
            tx,
            held,
            move,
            actor=given.actor.name,
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
    """Raises Refused while events of it are quarantined, held or under way."""
    found = count_open(tx, held)
    if found.held:
        raise Refused(
            f"incident {held.id} still has {found.held} held deliveries",
            fix="see `meshline destinations list`; it is resolved by itself when they went out",
        )
    if found.standing:
        raise Refused(
            f"{found.standing} events of incident {held.id} are still in quarantine",
            fix="replay or discard them; it is then resolved by itself",
        )
    if found.under_way:
        raise Refused(
            f"{found.under_way} events of incident {held.id} are under way again",
            fix="wait until they are delivered; it is then resolved by itself",
        )
