"""The difference of SLA, owners, retries and the rest in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from orchestrator.domain.changes.words.wording import (
    Affected,
    Direction,
    Part,
    Wording,
    listed,
    quoted,
)
from orchestrator.domain.documents import strict_json
from orchestrator.domain.text.abbreviate import abbreviate
from orchestrator.domain.text.durations import seconds
from orchestrator.domain.workflows.workflow import Owners, Retries, Workflow

_OWNERS = {
    "owner": "the owner",
    "recovery_lead": "the recovery lead, who heals quarantined events,",
    "approver": "the approver, who decides about the changes after this one,",
    "backstop": "the backstop, who is alerted when nobody else acts,",
}


def owner_words(before: Owners, after: Owners) -> Iterator[Wording]:
    """Who answers for it now."""
    for field, role in _OWNERS.items():
        was, now = getattr(before, field), getattr(after, field)
        if was != now:
            says = f"{role} is {now}, before: {was}"
            yield Wording(part=Part.OWNERS, direction=Direction.CHANGED, says=says)


def sla_words(before: Workflow, after: Workflow) -> Iterator[Wording]:
    """Longer and shorter clocks; the hours in which they run, and who is alerted of a breach."""
    clocks = (
        ("deliver_within", "an event has to be delivered within {}"),
        ("recover_within", "an event may be in quarantine for {}"),
    )
    for field, told in clocks:
        was, now = getattr(before.sla, field), getattr(after.sla, field)
        if was != now:
            shorter = seconds(now) < seconds(was)
            direction = Direction.STRICTER if shorter else Direction.LOOSER
            says = f"{told.format(now)}, before: {was}"
            yield Wording(part=Part.SLA, direction=direction, says=says)
    others = {
        "the hours in which the clocks run": "calendar",
        "when people are alerted after a breach": "escalate",
        "the promised rate of deliveries": "success_rate",
        "clocks that stop while a destination is paused": "pauses_stop",
    }
    old, new = _document(before, "sla"), _document(after, "sla")
    for name, field in others.items():
        yield from _other(Part.SLA, name, old.get(field), new.get(field))


def retry_words(before: Retries, after: Retries) -> Iterator[Wording]:
    """How often and when a failed step is tried again."""
    if before.limit != after.limit:
        more = Direction.LOOSER if after.limit > before.limit else Direction.STRICTER
        says = f"what fails is tried again up to {after.limit} times, before: {before.limit}"
        yield Wording(part=Part.RETRIES, direction=more, says=says)
    waits = {
        "first": "the first wait",
        "factor": "the factor of each wait",
        "ceiling": "the longest wait",
    }
    for field, name in waits.items():
        yield from _other(Part.RETRIES, name, getattr(before, field), getattr(after, field))


def amendment_words(before: Workflow, after: Workflow) -> Iterator[Wording]:
    """Which events that break the contract are mended, and which no longer."""
    old = [told_step(one.describe()) for one in before.amend]
    new = [told_step(one.describe()) for one in after.amend]
    for one in new:
        if one not in old:
            says = f"events that break the contract are amended by {quoted(one)} now"
            yield Wording(part=Part.AMENDMENTS, direction=Direction.ADDED, says=says)
    for one in old:
        if one not in new:
            says = f"events that break the contract are no longer amended by {quoted(one)}"
            yield Wording(
                part=Part.AMENDMENTS,
                direction=Direction.REMOVED,
                says=says,
                breaks=Affected.SENDERS,
            )
    if old != new and sorted(old) == sorted(new):
        says = f"amendments are made in another order: {listed(map(quoted, new))}"
        yield Wording(part=Part.AMENDMENTS, direction=Direction.CHANGED, says=says)


def told_step(step: Mapping[str, object]) -> str:
    """A step in words.

    >>> told_step({"rename": "customer_tier", "to": "tier"})
    'rename customer_tier to tier'
    """
    return " ".join(
        f"{name} {value if isinstance(value, str) and value.strip() else strict_json.dumps(value)}"
        for name, value in step.items()
    )


def other_words(before: Workflow, after: Workflow) -> Iterator[Wording]:
    """The trigger, and what a file says beside its large parts."""
    if before.trigger_type != after.trigger_type:
        says = f"it is started by {quoted(after.trigger_type)}"
        yield Wording(
            part=Part.WORKFLOW,
            direction=Direction.CHANGED,
            says=f"{says}, before: {quoted(before.trigger_type)}",
            breaks=Affected.SENDERS,
        )
    for field, name in _OTHERS.items():
        yield from _other(Part.WORKFLOW, name, getattr(before, field), getattr(after, field))


_OTHERS = {
    "title": "the title",
    "runbook": "what to do when events are stopped (`runbook`)",
    "on_failure": "what follows when a destination fails for good (`on_failure`)",
    "ordering_key": "the field that orders its events (`ordering_key`)",
    "on_stall": "what an event in quarantine does to those behind it (`on_stall`)",
    "latest": "the field by which an older update is known (`latest`)",
}


def _other(part: Part, name: str, was: object, now: object) -> Iterator[Wording]:
    if was == now:
        return
    if now is None:
        yield Wording(
            part=part, direction=Direction.REMOVED, says=f"{name}: none, before: {_told(was)}"
        )
    elif was is None:
        yield Wording(part=part, direction=Direction.ADDED, says=f"{name}: {_told(now)}")
    else:
        says = f"{name}: {_told(now)}, before: {_told(was)}"
        yield Wording(part=part, direction=Direction.CHANGED, says=says)


def _told(value: object) -> str:
    return value if isinstance(value, str) and value.isprintable() else abbreviate(value, 200)


def _document(workflow: Workflow, key: str) -> Mapping[str, object]:
    found = workflow.definition()[key]
    return found if isinstance(found, dict) else {}
