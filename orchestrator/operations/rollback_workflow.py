"""Roll a workflow back: a version that was live before is live again, at once."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

import orjson

from orchestrator.domain.access.actor import Actor, Proof
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import ChangeKind
from orchestrator.domain.changes.subject import Subject, definition_digest
from orchestrator.domain.errors import NotFound, Refused, WorkflowConflict
from orchestrator.domain.whys import needed_why
from orchestrator.operations.access.allow import allow, check_proven
from orchestrator.operations.changes.go_live import Way, go_live_again
from orchestrator.operations.changes.hold import hold_governance, no_change
from orchestrator.operations.changes.required import needs_approval
from orchestrator.store.changes.authors import Part, add_author
from orchestrator.store.changes.changes import (
    NewChange,
    add_change,
    base_of_live,
    last_change,
    lock_change,
    way_of,
)
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.drive.repin import Repinned, count_early, repin_some
from orchestrator.store.quarantine.workflows import (
    KeptVersion,
    LiveWorkflow,
    kept_version,
    live_workflow,
    require_live,
)
from orchestrator.store.views.values import now_of

_CHUNK = 1_000
_EXPIRES_MS = 60_000  # it is live in the same transaction


@dataclass(frozen=True, kw_only=True)
class RolledBack:
    """What a rollback did, or would do."""

    client: str
    workflow: str
    version: int  # that is live again
    instead_of: int  # that was live until then
    change: str | None  # the token of the rollback; None: nothing was done yet
    early: int  # events of the other version that nothing was routed of when it began
    repinned: int  # of these, the ones that the version decides about from the beginning


def rollback_workflow(  # noqa: PLR0913 - each is one thing that a rollback says
    store: Store,
    client: str,
    name: str,
    *,
    why: str,
    actor: Actor,
    to: int | None = None,
    repin: bool = False,
    outcomes: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> RolledBack:
    """Make the version `to` live again; without it the one that the live version took the place of.

    It takes no approval, for that version was live before; its approver and owner get an alert.
    Events that are routed finish with the version they began with. With `repin` those that are not
    routed begin again with the version that is live then, in chunks: one that was stopped goes on
    by the same call. With `outcomes` the caller goes on with what the other version made, so a
    rollback that is done already is answered again. With `dry_run` nothing changes. Raises NotFound
    without a live version or for one that never was, Refused without a reason, WorkflowConflict
    where another workflow has its trigger by now, Forbidden.
    """
    reason = needed_why(why, "a rollback")
    with store.write() as tx:
        allow(tx, actor, Act.ROLLBACK_WORKFLOW, [client])
        hold_governance(tx, client)
        live = require_live(tx, client, name)
        bad, target, change = _versions(tx, live, to, goes_on=repin or outcomes)
        if repin and target.ordering_text != bad.ordering_text:
            raise _other_order(bad, target)
        done = RolledBack(
            client=client,
            workflow=name,
            version=target.version,
            instead_of=bad.version,
            change=change,
            early=count_early(tx, bad.id, ordered=bad.ordering_text is not None),
            repinned=0,
        )
        if dry_run:
            return done
        if needs_approval(tx, client) and actor.proof is not Proof.PROCESS:
            check_proven(actor, "take back what somebody approved")
        if change is None:
            done = replace(done, change=_rolled_back(tx, live, target, reason, actor))
    if repin:
        pair = Repinned(
            source=bad.id,
            target=target.id,
            version=target.version,
            ordered=bad.ordering_text is not None,
        )
        done = replace(done, repinned=_repin(store, client, name, pair, actor, progress))
    return done


def _versions(
    tx: Tx, live: LiveWorkflow, to: int | None, *, goes_on: bool
) -> tuple[KeptVersion, KeptVersion, str | None]:
    """The version that goes, the one that comes, and the rollback that was done already."""
    last = last_change(tx, live)
    rolled_back = last is not None and last.kind is ChangeKind.ROLLBACK
    if last is not None and rolled_back and to in (None, live.version):
        if not goes_on:
            raise Refused(
                f"version {live.version} of {live.name!r} is live again already, by change"
                f" {last.token}",
                field="to",
                fix="name another one, see `meshline workflow list --all-versions`",
            )
        bad = _kept(tx, live, last.base_version)
        return bad, _kept(tx, live, live.version), last.token
    target = _target(tx, live, to)
    if target.is_candidate:
        raise Refused(
            f"version {target.version} of {live.name!r} was only tried in a rollout: it was never"
            " live",
            field="to",
            fix="propose it with `meshline change propose`",
        )
    if way_of(tx, target.id) == Way.BREAK_GLASS:
        raise Refused(
            f"version {target.version} of {live.name!r} went live by break-glass: nobody approved"
            " it",
            field="to",
            fix="propose it with `meshline change propose`, and have it approved",
        )
    return _kept(tx, live, live.version), target, None


def _target(tx: Tx, live: LiveWorkflow, to: int | None) -> KeptVersion:
    number = base_of_live(tx, live) if to is None else to
    if number == live.version:
        raise Refused(
            f"version {number} of {live.name!r} is live already",
            field="to",
            fix="name another one, see `meshline workflow list --all-versions`",
        )
    return _kept(tx, live, number)


def _kept(tx: Tx, live: LiveWorkflow, number: int | None) -> KeptVersion:
    found = None if number is None else kept_version(tx, live.client, live.name, number)
    if found is None:
        which = "an earlier version" if number is None else f"a version {number}"
        raise NotFound(
            f"{live.name!r} of client {live.client!r} never had {which}",
            field="to",
            fix="see `meshline workflow list --all-versions`",
        )
    return found


def _rolled_back(tx: Tx, live: LiveWorkflow, target: KeptVersion, why: str, actor: Actor) -> str:
    """The token of the change that did it."""
    definition = orjson.loads(target.definition)
    subject = Subject(
        client=live.client,
        workflow=live.name,
        kind=ChangeKind.ROLLBACK.value,
        definition=definition_digest(definition),
        base=live.version,
        round=1,
        go_live_at=None,
    )
    new = NewChange(
        token=secrets.token_hex(6),
        client=live.client,
        workflow=live.name,
        kind=ChangeKind.ROLLBACK,
        base_version=live.version,
        definition=target.definition,
        digest=target.digest,
        subject=subject.digest(),
        why=why,
        expires_at=now_of(tx) + _EXPIRES_MS,
        go_live_at=None,
        connectors=None,
        evidence=None,
        rollout=None,
    )
    add_author(tx, add_change(tx, new, actor=actor.name), actor, Part.PROPOSED)
    change = lock_change(tx, new.token)
    if change is None:
        raise no_change(new.token)
    go_live_again(tx, change, target.version, actor)
    return new.token


def _repin(
    store: Store,
    client: str,
    name: str,
    pair: Repinned,
    actor: Actor,
    progress: Callable[[int], None],
) -> int:
    done = 0
    while True:
        with store.write(ring=True) as tx:
            hold_governance(tx, client)  # so that the target stays live while some change over
            live = live_workflow(tx, client, name)
            if live is None or live.id != pair.target:
                raise WorkflowConflict(
                    f"version {pair.version} of {name!r} is not live any more, so {done} events"
                    " changed over to it and the others keep their version",
                    field="version",
                    fix="see `meshline workflow list` for the version that is",
                )
            moved = repin_some(tx, pair, actor=actor.name, most=_CHUNK)
        done += moved
        progress(done)
        if not moved:
            return done


def _other_order(bad: KeptVersion, target: KeptVersion) -> Refused:
    return Refused(
        f"versions {bad.version} and {target.version} order their events by different keys, so"
        " events on their way cannot change over",
        field="in-flight",
        fix="roll back without it: they finish with the version that they began with",
    )
