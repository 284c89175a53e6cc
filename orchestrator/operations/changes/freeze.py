"""Freeze a client for a while, so that no version of its workflows goes live; and thaw it."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor, who
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import GRACE_MS, ChangeState
from orchestrator.domain.changes.timing import time_ahead
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.domain.whys import needed_why
from orchestrator.operations.access.allow import allow
from orchestrator.operations.changes.hold import hold_governance
from orchestrator.store.changes.changes import LockedChange, lock_open, prolong_change
from orchestrator.store.changes.freezes import (
    Freeze,
    Window,
    add_freeze,
    end_freezes,
    freeze_at,
    list_freezes,
)
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.quarantine.workflows import has_workflows
from orchestrator.store.views.values import iso, iso_time, now_of


@dataclass(frozen=True, kw_only=True, slots=True)
class HeldBack:
    """A change that would go live in a freeze."""

    change: str  # its token
    workflow: str
    state: str
    go_live_at: str | None  # None: once it is approved


@dataclass(frozen=True, kw_only=True, slots=True)
class Frozen:
    """What a freeze is, or would be, and what it holds back."""

    freeze: Freeze
    holds: tuple[HeldBack, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Thawed:
    """What a thaw did."""

    client: str
    ended: tuple[Freeze, ...]  # none: it was not frozen


def freeze_changes(
    store: Store,
    client: str,
    *,
    until: str,
    why: str,
    actor: Actor,
    since: str | None = None,
    dry_run: bool = False,
) -> Frozen:
    """Let nothing of a client go live from `since`, or from now on, until then.

    Changes are proposed and approved meanwhile; what is approved goes live when it ends. With
    `dry_run` nothing changes. Raises Refused for wrong times, without a reason; Forbidden; NotFound
    for a client without workflows.
    """
    reason = needed_why(why, "a freeze")
    with store.write() as tx:
        allow(tx, actor, Act.FREEZE_CHANGES, [client], unseen=_no_client(client))
        if not has_workflows(tx, client):
            raise _no_client(client)
        hold_governance(tx, client)
        window = _window(tx, since, until, reason, actor)
        held = [one for one in lock_open(tx, client) if _is_held(one, window, now_of(tx))]
        if not dry_run:
            add_freeze(tx, client, window)
            for one in held:
                keep_approval(tx, one, window)
        return Frozen(
            freeze=Freeze(
                client=client,
                since=iso_time(window.since),
                until=iso_time(window.until),
                why=reason,
                by=actor.name,
            ),
            holds=tuple(_held_back(one) for one in held),
        )


def thaw_changes(store: Store, client: str, *, why: str, actor: Actor) -> Thawed:
    """End every freeze of a client, also one that is to come; a keeper makes live what waited.

    Raises Refused without a reason, Forbidden, NotFound.
    """
    reason = needed_why(why, "a thaw")
    with store.write() as tx:
        allow(tx, actor, Act.THAW_CHANGES, [client], unseen=_no_client(client))
        hold_governance(tx, client)
        ended = list_freezes(tx, client=client)
        end_freezes(tx, client, why=reason, actor=actor.name)
    return Thawed(client=client, ended=ended)


def check_not_frozen(tx: Tx, change: LockedChange) -> None:
    """Raises Refused where the change's client is frozen now; it has to be held."""
    window = freeze_at(tx, change.client, now_of(tx))
    if window is not None:
        raise Refused(
            f"changes of client {change.client!r} are frozen until {iso_time(window.until)},"
            f" by {who(window.by)}: {window.why}",
            field="client",
            fix="wait for its end; in an emergency the backstop has `meshline change break-glass`",
        )


def is_frozen_now(tx: Tx, client: str) -> bool:
    """Whether nothing of a client goes live now; it has to be held."""
    return freeze_at(tx, client, now_of(tx)) is not None


def wait_for_thaw(tx: Tx, change: LockedChange) -> bool:
    """Let an approved change wait for the end of a freeze; whether it has to wait now.

    Its approval then lasts a day longer than the freeze.
    """
    now = now_of(tx)
    at = max(now, change.go_live_at or 0)
    window = freeze_at(tx, change.client, at)
    if window is not None:
        keep_approval(tx, change, window)
    return window is not None and at == now


def keep_approval(tx: Tx, change: LockedChange, window: Window) -> None:
    """Let an approved change that a freeze holds back expire no sooner than a day after it."""
    if change.state is ChangeState.APPROVED:
        prolong_change(tx, change, window.until + GRACE_MS)


def _window(tx: Tx, since: str | None, until: str, why: str, actor: Actor) -> Window:
    now = now_of(tx)
    begins = now if since is None else time_ahead(since, now, field="since")
    ends = time_ahead(until, now, field="until")
    if ends <= begins:
        raise Refused(f"{until!r} is not after its begin", field="until", fix="write a later time")
    return Window(since=begins, until=ends, why=why, by=actor.name)


def _is_held(change: LockedChange, window: Window, now: int) -> bool:
    """Whether it would go live in the window, or may be approved in it."""
    at = max(now, change.go_live_at or 0)
    if change.state is ChangeState.APPROVED:
        return window.since <= at < window.until
    return at < window.until and change.expires_at > window.since


def _held_back(change: LockedChange) -> HeldBack:
    return HeldBack(
        change=change.token,
        workflow=change.workflow,
        state=change.state.value,
        go_live_at=iso(change.go_live_at),
    )


def _no_client(client: str) -> NotFound:
    return NotFound(
        f"there is no client {client!r}", field="client", fix="see `meshline workflow list`"
    )
