"""One event on the screen, in the order in which people ask about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.terminal.advice import put_advice
from orchestrator.cli.terminal.screen import put, put_field, put_source, put_table
from orchestrator.domain.delivery.blockers import told_hold
from orchestrator.domain.lifecycle import State
from orchestrator.presenting.audit_lines import what, why
from orchestrator.presenting.lines import told_followers, told_wait, told_waiting
from orchestrator.presenting.moments import age, left, moment, moment_and_distance

if TYPE_CHECKING:
    from orchestrator.domain.delivery.blockers import Hold
    from orchestrator.operations.replay.judge import AdvisedEvent
    from orchestrator.store.views.events.show import Delivery, EventView, Payload
    from orchestrator.store.views.quarantine.list import QuarantinedEvent


def put_event(advised: AdvisedEvent, now: int) -> None:
    """The page; `now` is the store's time in milliseconds. The payload only where it was read."""
    event = advised.event
    _put_head(event, now)
    if event.quarantine:
        _quarantine(event.quarantine, now)
    _following(advised)
    if event.content:
        _payload(event.content)
    _deliveries(event)
    _history(event)


def _put_head(event: EventView, now: int) -> None:
    at = f" at {event.stage}" if event.stage else ""
    why_not = f": {event.reason}" if event.reason else ""
    _line("event", event.id)
    held = ", held" if event.held else ""
    _line("state", f"{event.state}{held}{at}{why_not}")
    _line("client", event.client)
    _line("workflow", f"{event.workflow} version {event.version} ({event.type})")
    _line("key", event.idempotency_key)
    if (came := event.request) is not None:
        _line("source", f"{came.source} ({came.type or 'no type'}), proven by {came.verified_by}")
    if (trace := event.trace) is not None:
        _line("trace", f"{trace.trace_id}, sent by {trace.parent_id}")
    accepted = event.accepted_at
    _line("accepted", f"{moment(accepted)} ({age(accepted, now)} ago)")
    if event.state == State.AWAITING_APPROVAL:
        _line("waits", f"for a person's yes: meshline approvals show {event.id}")
    for hold in event.held:
        _line("held", f"{hold.destination}: {_told_hold(hold, now)}")
    if event.waits_for:
        _line("waits", told_wait(event.waits_for, moment))
    if event.followers:
        _line("followers", told_followers(event.followers))
    if event.due_at:
        _line("due", f"{moment(event.due_at)}, after {event.attempt} failed tries")
    if event.replays:
        _line("replays", event.replays)
    if event.erased_at:
        _line("erased", f"{moment(event.erased_at)}; what it carried is gone")


def _told_hold(hold: Hold, now: int) -> str:
    until = f", until {moment_and_distance(hold.until, now)}" if hold.until else ""
    return told_hold(hold, lambda at: f"for {age(at, now)}") + until


def _quarantine(standing: QuarantinedEvent, now: int) -> None:
    put()
    _line("why", standing.detail)
    _line("since", f"{moment(standing.since)} ({age(standing.since, now)} ago)")
    recover_by = standing.recover_by
    _line("recover by", f"{moment(recover_by)} ({left(recover_by, now)})")
    _line("recovery lead", standing.recovery_lead)
    _line("owner", standing.owner)
    if standing.violations:
        put()
        put_table(
            ("VIOLATION AT", "KIND", "MESSAGE", "HINT"),
            [(one.path or "/", one.kind, one.message, one.hint) for one in standing.violations],
            below=("MESSAGE", "HINT"),
        )


def _following(advised: AdvisedEvent) -> None:
    """What to look at and do next."""
    event = advised.event
    for one in event.incidents:
        put()
        _line("incident", f"{one.id}: {one.title} ({one.state})")
        _line("see", f"meshline incidents show {one.id}")
    if replay := advised.replay:
        put()
        other = replay.version != event.version
        under = f", under version {replay.version}" if other else ""
        _line("replay", f"{replay.told}{under}")
        if replay.command:
            put_source(f"{'run':14} {replay.command}")
    put_advice(advised.advice)


def _payload(content: Payload) -> None:
    put()
    put("payload as it came")
    put(_pretty(content.payload))
    if content.amended is not None:
        put("payload as amended")
        put(_pretty(content.amended))


def _deliveries(event: EventView) -> None:
    put()
    if not event.deliveries:
        put("no deliveries")
        return
    put_table(
        ("DELIVERY", "STATE", "TO", "RECORD", "TRIES", "ERROR"),
        [
            (
                one.destination if one.item is None else f"{one.destination}, item {one.item}",
                one.state,
                f"{one.connector}.{one.action}",
                one.record_id,
                one.attempt,
                "; ".join(filter(None, (_held(one, event), one.reason, one.error))),
            )
            for one in event.deliveries
        ],
        below=("ERROR",),
    )


def _held(delivery: Delivery, event: EventView) -> str | None:
    if delivery.state == "waiting":
        return f"waits {told_waiting(delivery, event.deliveries)}"
    return f"waits at {delivery.held_by}" if delivery.held_by else None


def _history(event: EventView) -> None:
    put()
    put_table(
        ("WHEN", "WHO", "WHAT", "TO", "WHY"),
        [(moment(row.at), row.actor, what(row), row.target, why(row)) for row in event.history],
        below=("WHY",),
    )


def _line(name: str, value: object) -> None:
    put_field(name, value)


def _pretty(value: object) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
