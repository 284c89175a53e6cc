"""Hold deliveries back at destinations or connectors, and let them pass again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.access.roles import EVERY_CLIENT
from orchestrator.domain.acts import Act
from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.pauses import end_of_pause
from orchestrator.domain.errors import NotFound
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.whys import needed_why
from orchestrator.operations.access.allow import allow
from orchestrator.store.database.clock import in_ms, time_of
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.destinations.circuits import pause_circuit, resume_circuit
from orchestrator.store.destinations.ending_pauses import change_pause
from orchestrator.store.destinations.named import circuit_names
from orchestrator.store.destinations.stopped_clocks import tend_stopped_clocks
from orchestrator.store.views.destinations.list import blocked_circuits
from orchestrator.store.views.values import iso


@dataclass(kw_only=True)
class Switched:
    """What became of destinations and connectors."""

    names: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)  # they were so before
    changed: list[str] = field(default_factory=list)  # paused before, with another end or reason
    until: str | None = None  # when the pauses end, ISO 8601 in UTC
    already_paused: list[Blocker] = field(default_factory=list)  # of `unchanged`


def pause_destination(
    store: Store,
    names: Sequence[str],
    *,
    why: str,
    actor: Actor,
    until: str | None = None,
    compare: Callable[[Tx], None] = lambda _: None,
) -> Switched:
    """Pause each, by connector or by client/workflow/destination; all of them or none.

    `until` is when the pause ends by itself: a duration, or a time with its zone; without it, or
    with `resumed`, somebody has to resume it. A paused destination keeps its end and its reason
    unless `until` is given. A call that is under way is not broken off. `compare` looks before
    anything is written, and raises where it is not as the person saw it.

    Raises Refused without a `why` or for a wrong `until`, NotFound.
    """
    reason = needed_why(why, "a pause")
    report = Switched()
    with store.write() as tx:
        known = checked_names(tx, names)
        _allow(tx, actor, Act.PAUSE, known)
        compare(tx)
        end = None if until is None else end_of_pause(until, time_of(tx))
        ends_at = None if end is None else in_ms(end)
        report.until = iso(ends_at)
        given: dict[str, Any] = {"why": reason, "actor": actor.name, "until": ends_at}
        for name in known:
            if pause_circuit(tx, name, **given):
                report.names.append(name)
            elif until is not None and change_pause(tx, name, **given):
                report.changed.append(name)
            else:
                report.unchanged.append(name)
        tend_stopped_clocks(tx)
        report.already_paused = [
            one for one in blocked_circuits(tx) if one.name in report.unchanged
        ]
    return report


def resume_destination(
    store: Store,
    names: Sequence[str],
    *,
    why: str,
    actor: Actor,
    compare: Callable[[Tx], None] = lambda _: None,
) -> Switched:
    """Resume each; all of them or none. A relay releases what was held, the oldest first.

    `compare` looks before anything is written, and raises where it is not as the person saw it.
    Raises Refused without a `why`, NotFound.
    """
    reason = needed_why(why, "a resumption")
    report = Switched()
    with store.write(ring=True) as tx:
        tend_stopped_clocks(tx)  # before a pause ends: nobody may have stopped them yet
        known = checked_names(tx, names)
        _allow(tx, actor, Act.RESUME, known)
        compare(tx)
        for name in known:
            changed = resume_circuit(tx, name, why=reason, actor=actor.name)
            (report.names if changed else report.unchanged).append(name)
    return report


def checked_names(tx: Tx, names: Sequence[str]) -> list[str]:
    """The names, each once. Raises NotFound for one that is not a connector or destination."""
    known = circuit_names(tx)
    for name in names:
        if name not in known:
            raise NotFound(
                f"no live workflow has the connector or destination {name!r}",
                fix=f"{_instead(name, known)}; `meshline destinations list` has them all",
            )
    return list(dict.fromkeys(names))


def client_of(name: str) -> str:
    """For whom a role has to be held: a destination is its client's, a connector everybody's."""
    client, _, rest = name.partition("/")
    return client if rest else EVERY_CLIENT


def _allow(tx: Tx, actor: Actor, act: Act, names: Sequence[str]) -> None:
    for name in names:
        unseen = NotFound(f"no live workflow has the connector or destination {name!r}")
        allow(tx, actor, act, [client_of(name)], unseen=unseen)


def _instead(name: str, known: set[str]) -> str:
    # `desk` alone is not enough: two workflows may have one.
    ends = sorted(one for one in known if one.endswith(f"/{name}"))
    if ends:
        return f"write {' or '.join(f'`{one}`' for one in ends)}"
    return did_you_mean(name, sorted(known)) if known else "publish a workflow first"
