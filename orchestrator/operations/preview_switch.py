"""What a pause or a resumption of a destination would do, and whether it is as somebody saw it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.breakers import Block
from orchestrator.domain.errors import ChangedSinceSeen, NotFound
from orchestrator.store.database.engine import Tx
from orchestrator.store.views.destinations.list import DestinationRow, blocked_circuits
from orchestrator.store.views.destinations.page import (
    DestinationView,
    last_switch,
    names_of,
    show_destination,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SwitchPreview:
    """What would happen to deliveries."""

    paused: Blocker | None  # the pause by a person that a new one would change
    under_way: int  # deliveries that a pause would hold, those that are sent now among them
    ended: tuple[Blocker, ...]  # what a resumption ends: its pause, its circuit breakers
    released: int  # deliveries that wait for these
    kept: tuple[Blocker, ...]  # what holds deliveries there back after a resumption too
    seen: str  # the digest of what stops it, which the act is compared with


def preview_switch(tx: Tx, found: DestinationView) -> SwitchPreview:
    """What a pause or a resumption of a destination, a connector or an action would do now."""
    theirs = {found.name} | {name for row in _concerned(found) for name in names_of(row)}
    blocked = [
        one for one in blocked_circuits(tx) if _is_of(one.name, found.name) or one.name in theirs
    ]
    ended = tuple(one for one in blocked if _is_of(one.name, found.name))
    return SwitchPreview(
        paused=next((one for one in ended if _is_pause_of(one, found.name)), None),
        under_way=sum(row.waiting for row in _concerned(found)),
        ended=ended,
        released=sum(one.held for one in ended),
        kept=tuple(one for one in blocked if one not in ended),
        seen=digest_of_blocks(found),
    )


def digest_of_blocks(found: DestinationView) -> str:
    """The digest of what stops a destination: the deliveries that wait there come and go."""
    stopped = [replace(one, held=0, error=None, next_probe=None) for one in found.blockers]
    decided = [found.name, *(asdict(one) for one in stopped)]
    return hashlib.sha256(json.dumps(decided).encode()).hexdigest()[:32]


def compare_destination(tx: Tx, name: str, seen: str) -> None:
    """Raises ChangedSinceSeen where what stops it is not as somebody saw it, NotFound."""
    found = show_destination(tx, name)
    if found is None:
        raise NotFound(f"no live workflow has the connector or destination {name!r}")
    if digest_of_blocks(found) != seen:
        raise ChangedSinceSeen(
            f"{name} changed since you saw it: {last_act_on(tx, found)}",
            fix="look at it again, and decide then",
        )


def last_act_on(tx: Tx, found: DestinationView) -> str:
    """Who stopped it, or let it go on, and when."""
    if found.blockers:
        last = max(found.blockers, key=lambda one: one.since)
        return f"{last.by} stopped {last.name} at {last.since} ({last.error or last.reason})"
    last_time = last_switch(tx, found.name)
    if last_time is None:
        return "nothing stops it any more"
    return f"{last_time.by} let it go on at {last_time.at}"


def _is_of(circuit: str, name: str) -> bool:
    """Whether a resumption of `name` ends what this circuit stops: with a connector its actions."""
    return circuit == name or circuit.startswith(f"{name}.")


def _is_pause_of(one: Blocker, name: str) -> bool:
    return one.name == name and one.block == Block.PAUSE


def _concerned(found: DestinationView) -> list[DestinationRow]:
    """The destinations whose calls go through it: itself, or all that a connector serves."""
    return [found.destination] if found.destination else list(found.destinations)
