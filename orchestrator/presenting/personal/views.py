"""Views: which fields hold our own words, which are masked by place, and what each tells of."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from orchestrator.domain.delivery.blockers import Blocker
from orchestrator.domain.delivery.verdicts import Violation
from orchestrator.domain.drift.finding import ChangeKind, Finding
from orchestrator.domain.drift.naming import bare_finding
from orchestrator.domain.personal.masking import DOTS, mask_of
from orchestrator.domain.recipes.acting import PayloadChange
from orchestrator.domain.recipes.step_rules import FORMS
from orchestrator.domain.workflows.personal.event import PersonalEvent
from orchestrator.operations.changes.backtesting.examples import ExampleEvent, ExampleField
from orchestrator.operations.repair.amend import NotFixed
from orchestrator.operations.repair.find import Repair
from orchestrator.operations.repair.preview_recipe import Preview
from orchestrator.operations.repair.try_on_payload import Tried
from orchestrator.operations.replay.judge import AdvisedEvent
from orchestrator.operations.replay.plan import LeftOut
from orchestrator.operations.replay.show_plan import ShownEffect, ShownEvent, ShownPlan
from orchestrator.store.approvals.list import ApprovalRow
from orchestrator.store.approvals.views import ApprovalView, AskedDelivery
from orchestrator.store.desk.job_items import JobItem
from orchestrator.store.desk.plans import PlanRow, StoredPlan
from orchestrator.store.desk.recipes import SavedRecipe
from orchestrator.store.views.audit import AuditRow
from orchestrator.store.views.destinations.failures import Failure
from orchestrator.store.views.destinations.list import DestinationRow
from orchestrator.store.views.events.show import Delivery, EventHead, EventRow, EventView, Payload
from orchestrator.store.views.incidents.page import OldestEvent, OldestHeld
from orchestrator.store.views.quarantine.dead_letters import LetterView
from orchestrator.store.views.quarantine.list import QuarantinedEvent

OURS = frozenset({
    "action", "actor", "after", "amended_by", "approver", "author", "block", "breaker", "by",
    "circuit", "client", "command",
    "confirm", "connector", "decided_by", "destination", "digest", "due_at", "effect", "event",
    "event_id", "grade", "group", "pending",
    "held_by", "held_since", "id", "ids", "key", "kind", "last_at", "name", "names", "next_probe",
    "order_by", "outcome", "outcomes", "over", "owner", "place", "planned_by", "postponed_until",
    "published_by", "reason", "recover_by", "recovery_lead", "replays", "role", "runbook",
    "schema_path", "since", "source", "stage", "started_by", "state", "target", "title", "to",
    "token", "type", "until", "version", "was", "what", "workflow", "zone", "accepted_at",
    "acknowledged_at", "acknowledged_by", "acknowledged_until", "asked_at", "at", "breached_at",
    "decide_by", "decided_at", "erased_at",
    "finished_at", "opened_at", "planned_at", "replayed_at", "resolved_at", "resolved_by",
    "saved_at", "started_at", "stopped_at", "updated_at", "used_at",
})  # fmt: skip
"""Texts of our own words, names that a workflow declares, ids, codes, actors and times."""

_PLAIN = frozenset({str, int, float, bool, type(None)})

WITHHELD = f"{DOTS} (personal)"
_QUOTED = re.compile(r"`[^`]*`")
_OF_TOOLS = ("detail", "error")  # in a row about no event: what a tool said of some event
_VALUES = ("value", "values", "if")

Changes = dict[str, object]


def event_of(view: object) -> str | None:
    """The id of the event that a view is about; None where it is about no one event."""
    match view:
        case AdvisedEvent():
            return view.event.id
        case AuditRow():
            return view.event_id
        case ApprovalRow():
            return view.event
    return view.id if isinstance(view, _ABOUT_EVENTS) else None


_ABOUT_EVENTS = (
    EventHead, EventRow, EventView, ExampleEvent, Failure, JobItem, LeftOut, NotFixed, OldestEvent,
    OldestHeld,
    QuarantinedEvent, ShownEvent, Tried,
)  # fmt: skip


def workflows_of(view: object) -> list[tuple[str, str]] | None:
    """Clients and names of the workflows that a view tells of; None: of any, as a circuit does."""
    if isinstance(view, Blocker | DestinationRow | LetterView):
        return None
    if isinstance(view, ShownPlan):
        return workflows_of(view.plan)
    if isinstance(view, AuditRow) and view.workflow is None:
        return None
    if isinstance(view, StoredPlan | Preview):
        return [(one.client, one.workflow) for one in view.workflows]
    client, name = getattr(view, "client", None), getattr(view, "workflow", None)
    return [(client, name)] if isinstance(client, str) and isinstance(name, str) else []


def _payload(view: Payload, about: PersonalEvent) -> Changes:
    return {"payload": about.payload(view.payload), "amended": about.payload(view.amended)}


def _delivery(view: Delivery, about: PersonalEvent) -> Changes:
    return {
        "send": about.send(view.destination, view.send),
        "item": about.item(view.destination, view.item),
    }


def _asked(view: AskedDelivery, about: PersonalEvent) -> Changes:
    return {
        "send": about.send(view.destination, view.send),
        "item": about.item(view.destination, view.item),
    }


def _approval(view: ApprovalView, about: PersonalEvent) -> Changes:
    return {"facts": about.facts(view.facts)}


def _effect(view: ShownEffect, about: PersonalEvent) -> Changes:
    sent = None if view.fields is None else about.send(view.destination, view.fields)
    return {"fields": sent, "item": about.item(view.destination, view.item)}


def _violation(view: Violation, about: PersonalEvent) -> Changes:
    masked = about.violation(view)
    return {"path": masked.path, "message": masked.message, "hint": masked.hint}


def _change(view: PayloadChange, about: PersonalEvent) -> Changes:
    where = view.path, view.to or view.path
    before, after = view.before, view.after
    for place in where:  # a value that goes elsewhere is as personal there as it was
        before, after = about.at(place, before), about.at(place, after)
    return {
        "path": about.path(view.path),
        "to": None if view.to is None else about.path(view.to),
        "before": before,
        "after": after,
    }


def _tried(_view: Tried, _about: PersonalEvent) -> Changes:
    return {"payload": None}  # it is for those who go on with it, and never shown


def _audit_row(view: AuditRow, about: PersonalEvent) -> Changes:
    if view.detail is None:
        return {"reason": _text(view.reason, about)}
    detail: Changes = {}
    for name, value in view.detail.items():
        if name in ("amendments", "steps") and isinstance(value, list | tuple):
            detail[name] = [step(one, about) for one in value]
        elif view.event_id is None and name in _OF_TOOLS:
            detail[name] = WITHHELD
        else:
            detail[name] = about.said(value)
    return {"reason": _text(view.reason, about), "detail": detail}


def _text(text: str | None, about: PersonalEvent) -> str | None:
    return None if text is None else about.text(text)


def step(one: object, about: PersonalEvent) -> object:
    """One step of a recipe, or one amendment: what it puts at a personal place is masked."""
    if not isinstance(one, Mapping):
        return about.said(one)
    named = next((one[word] for word in ("path", *FORMS) if isinstance(one.get(word), str)), "")
    return {
        name: _masked_values(value, str(named), about) if name in _VALUES else about.said(value)
        for name, value in one.items()
    }


def _masked_values(value: object, path: str, about: PersonalEvent) -> object:
    if isinstance(value, Mapping):  # of a map: old values to new ones
        masked = [(about.at(path, old), about.at(path, new)) for old, new in value.items()]
        return {
            old if old == given else f"{old} {number}": new
            for number, ((old, new), given) in enumerate(zip(masked, value, strict=True), start=1)
        }
    if isinstance(value, list):
        return [about.at(path, one) for one in value]
    return about.at(path, value)


def _saved(view: SavedRecipe, about: PersonalEvent) -> Changes:
    return {"steps": tuple(step(one, about) for one in view.steps)}


def _preview(view: Preview, about: PersonalEvent) -> Changes:
    steps = view.recipe.get("steps")
    masked = [step(one, about) for one in steps] if isinstance(steps, list) else steps
    return {"recipe": view.recipe | {"steps": masked}}


def _example(view: ExampleField, about: PersonalEvent) -> Changes:
    """What the proposed version would send may be made of anything, whatever its field is today."""
    changes: Changes = {"new": None if view.new is None else mask_of(view.new)}
    if view.old is not None:
        changes["old"] = about.send(view.destination, {view.name: view.old})[view.name]
    return changes


def _finding(view: Finding, about: PersonalEvent) -> Changes:
    """Evidence quotes values, or what they look like, in backticks."""
    bare = bare_finding(view, None)
    changes: Changes = {"path": about.path(bare.path) if bare.path == view.path else bare.path}
    if view.to is not None and bare.to is not None:
        changes["to"] = about.path(bare.to) if bare.to == view.to else bare.to
    if any(about.is_personal(one) for one in (view.path, view.to) if one is not None):
        changes["evidence"] = tuple(_QUOTED.sub(f"`{DOTS}`", one) for one in view.evidence)
    return changes


def _repair(view: Repair, about: PersonalEvent) -> Changes:
    """A command that maps values has them in it."""
    told = any(
        about.is_personal(one.path) for one in view.findings if one.kind == ChangeKind.NEW_VALUE
    )
    saved = any(_saved(one, about)["steps"] != one.steps for one in view.saved)
    return {"fix": ()} if told or saved else {}


def _plan(view: StoredPlan, _about: PersonalEvent) -> Changes:
    sought = {"words": WITHHELD} if "words" in view.selection else {}
    return {"selection": {**view.selection, **sought}}


def _circuit(view: Blocker | DestinationRow, _about: PersonalEvent) -> Changes:
    """What a tool said of an event, which is nobody knows which; why a person paused it is kept."""
    changes: Changes = {}
    if view.error and view.block != "pause":
        changes["error"] = WITHHELD
    if isinstance(view, DestinationRow) and view.pause_error:
        changes["pause_error"] = WITHHELD
    return changes


def _letter(view: LetterView, _about: PersonalEvent) -> Changes:
    """Nobody could read it, so nobody knows what is in it."""
    return {"body": WITHHELD.encode(), "headers": WITHHELD if view.headers else view.headers}


MASKED: Mapping[type, Callable[[Any, PersonalEvent], Changes]] = {
    ApprovalView: _approval, AskedDelivery: _asked, AuditRow: _audit_row, Blocker: _circuit,
    Delivery: _delivery, DestinationRow: _circuit, ExampleField: _example, Finding: _finding,
    LetterView: _letter,
    Payload: _payload, PayloadChange: _change, PlanRow: _plan, Preview: _preview, Repair: _repair,
    SavedRecipe: _saved, ShownEffect: _effect, StoredPlan: _plan, Tried: _tried,
    Violation: _violation,
}  # fmt: skip
"""What of a view is masked by its place; its other texts are covered."""


def events_in(value: object) -> Iterator[str]:
    """The ids of all events that a view, or the views in it, are about."""
    todo = [value]
    while todo:
        one = todo.pop()
        if type(one) in _PLAIN:
            continue
        if names := names_in(one):
            if (event_id := event_of(one)) is not None:
                yield event_id
            todo += [getattr(one, name) for name in names]
        elif isinstance(one, list | tuple):
            todo += one
        elif isinstance(one, Mapping):
            todo += one.values()


def names_in(view: object) -> tuple[str, ...]:
    """The names of the fields of a view; none where it is not a view."""
    kind = type(view)
    if kind not in _NAMES:
        _NAMES[kind] = tuple(one.name for one in fields(kind)) if is_dataclass(kind) else ()
    return _NAMES[kind]


_NAMES: dict[type, tuple[str, ...]] = {}
