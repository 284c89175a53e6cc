"""Amend one quarantined event by hand: a person writes what its payload should be."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.delivery.verdicts import Rejected, Violation
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.recipes.amendment import Amendment, apply_amendments
from orchestrator.domain.recipes.difference import amendments_between
from orchestrator.operations.quarantine.select import changed_meanwhile, select_events
from orchestrator.operations.repair.amend import fix_events
from orchestrator.pipeline.route import route
from orchestrator.pipeline.validate import validate
from orchestrator.store.database.engine import Store
from orchestrator.store.quarantine.actions import effective_payloads
from orchestrator.store.quarantine.amendments import digests_of_amended
from orchestrator.store.quarantine.workflows import WorkflowShelf, require_live
from orchestrator.store.views.events.last_acts import last_acts
from orchestrator.store.views.quarantine.selection import Selection, by_workflow

LONGEST = 100_000
"""Characters of a payload that may be written by hand."""

AS_IT_CAME = "-"
"""What `seen` is of an event that nobody amended."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ByHand:
    """What becomes of one event when its payload is written by hand."""

    id: str
    before: object  # the payload as a replay would take it now
    after: object
    passes: bool  # contract, facts and routes of the live version
    version: int  # the live one
    to: tuple[str, ...]  # the destinations of the route that it would take
    detail: str | None  # why it would not pass
    violations: tuple[Violation, ...]  # of the contract
    seen: str  # the digest of `before`, which the act is compared with


def preview_by_hand(store: Store, event_id: str, text: str, *, actor: Actor) -> ByHand:
    """What the payload `text`, a JSON document, would make of an event. Nothing is changed.

    Raises Refused for what is not JSON or changes nothing, NotFound, Forbidden, ChangedSinceSeen
    for an event that is not in quarantine any more.
    """
    _permitted(store, event_id, actor)
    before, seen = _now(store, event_id)
    after = apply_amendments(before, _wanted(before, text))
    with store.read() as tx:
        (client, name), _ = next(iter(by_workflow(tx, [event_id]).items()))
        live = require_live(tx, client, name)
        workflow = WorkflowShelf().take(tx, live.id)
    verdict = validate(after, workflow)
    routed = verdict if isinstance(verdict, Rejected) else route(after, workflow)
    refused = routed if isinstance(routed, Rejected) else None
    to = () if isinstance(routed, Rejected) else tuple(one.destination for one in routed.deliveries)
    return ByHand(
        id=event_id,
        before=before,
        after=after,
        passes=refused is None,
        version=live.version,
        to=tuple(dict.fromkeys(to)),
        detail=refused.detail if refused else None,
        violations=refused.violations if refused else (),
        seen=seen,
    )


def amend_by_hand(store: Store, event_id: str, text: str, *, seen: str, actor: Actor) -> None:
    """Amend an event so that its payload is `text`, as `fix_events` does; nothing is replayed.

    `seen` is that of the preview: an event that was amended since then, by whomever, is left alone.

    Raises Refused for what would still break the contract, NotFound, Forbidden, ChangedSinceSeen.
    """
    _permitted(store, event_id, actor)
    before, now = _now(store, event_id)
    if now != seen:
        with store.read() as tx:
            raise changed_meanwhile(event_id, last_acts(tx, [event_id]).get(event_id))
    done = fix_events(
        store,
        Selection(ids=(event_id,)),
        _wanted(before, text),
        actor=actor,
        again=True,
        seen={} if seen == AS_IT_CAME else {event_id: seen},
    )
    for act in (*(one.act for one in done.skipped), *(one.act for one in done.changed)):
        raise changed_meanwhile(event_id, act)
    if done.refused:
        raise Refused(
            f"it would still be refused: {done.refused[0].detail}",
            field="payload",
            fix="change it further, or the contract",
        )


def _permitted(store: Store, event_id: str, actor: Actor) -> None:
    """Raises NotFound, Forbidden, ChangedSinceSeen where it is not in quarantine any more."""
    selection = Selection(ids=(event_id,))
    _, skipped = select_events(store, selection, actor=actor, act=Act.AMEND)
    for left in skipped:
        raise changed_meanwhile(event_id, left.act)


def _now(store: Store, event_id: str) -> tuple[object, str]:
    """The payload as a replay would take it, and its digest."""
    with store.read() as tx:
        found = effective_payloads(tx, [event_id])
        digest = digests_of_amended(tx, [event_id]).get(event_id, AS_IT_CAME)
    if event_id not in found:
        raise NotFound(f"the payload of event {event_id!r} was erased, or its time is over")
    return found[event_id], digest


def _wanted(before: object, text: str) -> tuple[Amendment, ...]:
    wanted = amendments_between(before, strict_json.loads(text, field="payload"))
    if not wanted:
        raise Refused("nothing is changed in it", field="payload", fix="change a value first")
    return wanted
