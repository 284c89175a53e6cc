"""Erase what events carried: everywhere in the store, in chunks, and told in the audit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.lifecycle import AT_END, STAGE_OF, State
from orchestrator.domain.recipes.amendment import steps_of
from orchestrator.domain.recipes.personal_values import Strike, has_value
from orchestrator.domain.whys import needed_why
from orchestrator.operations.access.allow import allow, allow_for_events, scope_of
from orchestrator.operations.check_filters import check_filters
from orchestrator.store.database import audit
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.desk.erasing import (
    Found,
    erase_contents,
    find_events,
    give_up,
    payloads_of_client,
    scrub,
    telling_values,
)
from orchestrator.store.desk.striking import strike_elsewhere, versions_that_name
from orchestrator.store.views.quarantine.selection import states_of
from orchestrator.store.views.values import iso_time

_CHUNK = 200  # events in one transaction: other writers wait for it
_READ = 500  # payloads that are looked through at once
_PATIENCE_SECONDS = 10.0  # for others to let go of SQLite's log

BEYOND = (
    "the records that tools made of the events: erase them there, by the record ids that are kept",
    "messages on the broker: they hold event ids, and no payload",
    "backups and copies of the store, and alerts and logs that have left it",
    "pages that PostgreSQL has not written over yet: its VACUUM does that",
)
"""What no erasure in the store reaches; said with every one."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which events: by id, or by what is at a path of a payload of one client."""

    ids: tuple[str, ...] = ()
    client: str | None = None
    path: str | None = None  # dotted, or a JSON Pointer; `*` is any entry
    value: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ErasedBefore:
    """An event that carries nothing any more."""

    id: str
    erased_at: str  # ISO 8601 in UTC


@dataclass(frozen=True, kw_only=True, slots=True)
class NotErased:
    """An event that is not at its end."""

    id: str
    state: str  # as `State`
    detail: str  # what to do first, in a sentence


@dataclass(kw_only=True)
class Erased:
    """What was erased, or with `dry_run` would be."""

    dry_run: bool
    ids: list[str] = field(default_factory=list)
    already: list[ErasedBefore] = field(default_factory=list)
    refused: list[NotErased] = field(default_factory=list)
    elsewhere: int = 0  # texts that belong to no event, from which a value was struck
    versions: list[str] = field(default_factory=list)  # published ones that name such a value
    scrubbed: bool = True  # False: SQLite's log is still read by others


def erase_events(
    store: Store,
    wanted: Wanted,
    *,
    why: str,
    actor: Actor,
    discard: bool = False,
    dry_run: bool = False,
    tell: Callable[[int], None] = lambda _: None,
) -> Erased:
    """Empty payloads, what was sent, errors, violations, words and audit values of these events.

    Their rows stay, with states, ids, times and commitments; a repeat of an erased key is still a
    duplicate. An event that is not at its end is refused, unless `discard` gives it up. Each chunk
    is one transaction, so what is interrupted goes on by the same call, and what is done says so.

    Raises Refused without a `why`, unless it is a dry run, without a condition, and for a client
    that never was there; NotFound for an id that does not exist and where no payload of the client
    has the value.
    """
    reason = "" if dry_run else needed_why(why, "an erasure")
    report = Erased(dry_run=dry_run)
    for chunk in _chunks(store, wanted, actor):
        if dry_run:
            with store.read() as tx:
                _sort(find_events(tx, chunk), report, discard=discard)
        else:
            with store.write() as tx:
                _erase(tx, chunk, report, reason=reason, actor=actor, discard=discard)
        tell(len(report.ids))
    if not dry_run and (report.ids or report.already):
        report.scrubbed = scrub(store, seconds=_PATIENCE_SECONDS)
    return report


def _chunks(store: Store, wanted: Wanted, actor: Actor) -> Iterator[Sequence[str]]:
    ids = _known(store, wanted.ids, actor) if wanted.ids else _matching(store, wanted, actor)
    for at in range(0, len(ids), _CHUNK):
        yield ids[at : at + _CHUNK]


def _known(store: Store, ids: Sequence[str], actor: Actor) -> list[str]:
    """The ids, each once. Raises NotFound for one that is not an event, before anything is done."""
    unique = sorted(set(ids))
    for at in range(0, len(unique), _READ):
        some = tuple(unique[at : at + _READ])
        with store.read() as tx:
            there = states_of(tx, some, scope_of(tx, actor).names)
            allow_for_events(tx, actor, Act.ERASE, there)
        for event_id in some:
            if event_id not in there:
                raise NotFound(f"there is no event {event_id!r}", fix="see `meshline events list`")
    return unique


def _matching(store: Store, wanted: Wanted, actor: Actor) -> list[str]:
    """The events of a client with the value, in what came or in what was made of it."""
    if not (wanted.client and wanted.path and wanted.value.strip()):
        raise Refused(
            "an erasure needs events",
            field="match",
            fix="name them by id, or give --match field=value and --client NAME",
        )
    steps = steps_of(wanted.path)
    with store.read() as tx:
        check_filters(tx, client=wanted.client)
        allow(tx, actor, Act.ERASE, [wanted.client])
    found: list[str] = []
    last = ""
    while True:
        with store.read() as tx:
            rows = payloads_of_client(tx, wanted.client, after=last, most=_READ)
        if not rows:
            break
        found += [
            event_id
            for event_id, bodies in rows
            if any(has_value(body, steps, wanted.value) for body in bodies)
        ]
        last = rows[-1][0]
    if not found:
        raise NotFound(
            f"no payload of client {wanted.client!r} has this value at {wanted.path!r}",
            field="match",
            fix="look at one with `meshline events show ID --payload`; what was erased has none",
        )
    return found


def _erase(
    tx: Tx, ids: Sequence[str], report: Erased, *, reason: str, actor: Actor, discard: bool
) -> None:
    """One chunk: events first, then what belongs to them, then what may repeat their values."""
    allow_for_events(tx, actor, Act.ERASE, ids)
    ready = _sort(find_events(tx, ids, lock=True), report, discard=discard)
    by_state: dict[State, list[str]] = {}
    for one in ready:
        if one.state not in AT_END:
            by_state.setdefault(one.state, []).append(one.id)
    for state, some in by_state.items():
        give_up(tx, some, source=state, actor=actor.name)
    if not ready:
        return
    gone = [one.id for one in ready]
    strike = Strike(telling_values(tx, gone))
    erase_contents(tx, ready, actor=actor.name)
    report.elsewhere += strike_elsewhere(tx, strike, gone, actor=actor.name)
    known = set(report.versions)
    report.versions += [one for one in versions_that_name(tx, strike) if one not in known]
    for client in sorted({one.client for one in ready}):
        mine = [one.id for one in ready if one.client == client]
        told = {"events": len(mine), "from": mine[0], "to": mine[-1], "why": strike.text(reason)}
        audit.record(tx, actor=actor.name, action="erase", client=client, detail=told)


def _sort(found: Sequence[Found], report: Erased, *, discard: bool) -> list[Found]:
    """Those that are to be erased now; the others are said to be done, or refused."""
    ready = []
    for one in found:
        if one.erased_at is not None:
            report.already.append(ErasedBefore(id=one.id, erased_at=iso_time(one.erased_at)))
        elif why := _refusal(one, discard=discard):
            report.refused.append(NotErased(id=one.id, state=one.state.value, detail=why))
        else:
            ready.append(one)
            report.ids.append(one.id)
    return ready


def _refusal(one: Found, *, discard: bool) -> str | None:
    if one.state in AT_END:
        return None
    if one.calling:
        return "a call of it is out at this moment: wait until it has an answer"
    if discard:
        return None
    if one.state is State.AWAITING_APPROVAL:
        return "it waits for a person's yes: approve or refuse it, or give it up with --discard"
    if one.state in STAGE_OF:
        return "it is on its way: wait until it is delivered, or give it up with --discard"
    return "it is still to be decided on: deliver or discard it, or give it up with --discard"
