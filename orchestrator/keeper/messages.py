"""What an alert says: which incident, which clock, by when in local time, and what to do.

It holds names and counts, never a value of a payload.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.domain.incidents.incident import AWAITING, LATE, LOW_RATE
from orchestrator.domain.text.links import signed
from orchestrator.domain.text.visible import visible
from orchestrator.presenting.moments import left, local_moment
from orchestrator.settings import Settings
from orchestrator.store.clocks.alerts import Alert, AlertKind
from orchestrator.store.views.incidents.page import IncidentView

FIELDS_VERSION = 1
"""Of the fields that a web hook gets; it rises if one is removed or changes its meaning."""

MOST_DIAGNOSED = 3  # lines of a diagnosis in a message
_ROLES = {"recovery_lead": "recovery lead", "owner": "owner", "backstop": "backstop"}


class Urgency(StrEnum):
    """How soon somebody has to look."""

    LOW = "low"  # nothing to do
    NORMAL = "normal"
    HIGH = "high"  # a clock broke
    CRITICAL = "critical"  # a clock broke, and nobody is left to ask but the backstop


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message, as every way can carry it."""

    subject: str  # one line
    text: str
    urgency: Urgency = Urgency.LOW
    fields: dict[str, object] = field(
        default_factory=dict
    )  # for programs; see docs/reference/alerts.md


@dataclass(frozen=True, kw_only=True)
class Reader:
    """What the words depend on beside the incident."""

    now: int  # the store's time, in milliseconds
    zone: str | None = None  # of the recipient; None: of the workflow's calendar, or UTC
    diagnosis: Sequence[str] = ()  # what the sender changed, without values


def compose(
    alert: Alert, incident: IncidentView | None, config: Settings, reader: Reader
) -> Message:
    """The words of an alert; `incident` as it is now, None for a test."""
    if incident is None:
        return Message(
            subject="Meshline: a test",
            text="This is how alerts reach you. There is nothing to do.\n",
            fields={"fields_version": FIELDS_VERSION, "id": alert.id, "kind": alert.kind.value},
        )
    where = f"{incident.client}/{incident.workflow}"
    head = _first_line(alert, incident)
    link = link_to(f"/incidents/{alert.incident_id}", config)
    lines = [
        f"{where}: {head}",
        "",
        f"what: {incident.title}",
        f"kind: {incident.kind}",
        *(f"changed: {line}" for line in reader.diagnosis[:MOST_DIAGNOSED]),
        f"events: {incident.standing + incident.held} stopped now, {incident.events} in all",
        *_rate(incident),
        f"owner: {incident.owner}",
        *_clock(alert, incident, reader),
        *_why_you(alert),
        *_steps(incident),
        *_runbook(incident),
        "",
        link,
        "",
        f"meshline incidents show {alert.incident_id}",
    ]
    return Message(
        subject=one_line(f"[{where}] {head}"),
        text="\n".join(map(visible, lines)) + "\n",
        urgency=urgency_of(alert),
        fields=_fields(alert, incident, link),
    )


def compose_digest(
    told: Sequence[tuple[Alert, IncidentView]], config: Settings, reader: Reader
) -> Message:
    """One message for several alerts of one person, a line and a link each, the rest counted."""
    urgency = max((urgency_of(alert) for alert, _ in told), key=list(Urgency).index)
    lines = []
    for alert, incident in told[:_MOST_LISTED]:
        zone, by = reader.zone or incident.zone, incident.recover_by
        lines += [
            f"{incident.client}/{incident.workflow}: {_first_line(alert, incident)}",
            f"  heal by: {local_moment(by, zone)}, {left(by, reader.now)}",
            f"  {link_to(f'/incidents/{alert.incident_id}', config)}",
            "",
        ]
    if (more := len(told) - _MOST_LISTED) > 0:
        lines += [f"and {more} more", ""]
    lines.append("meshline incidents list")
    return Message(
        subject=one_line(f"[Meshline] {len(told)} alerts: {_counted(told)}"),
        text="\n".join(map(visible, lines)) + "\n",
        urgency=urgency,
        fields={
            "fields_version": FIELDS_VERSION,
            "kind": "digest",
            "urgency": urgency.value,
            "alerts": [
                _fields(alert, incident, link_to(f"/incidents/{alert.incident_id}", config))
                for alert, incident in told[:_MOST_LISTED]
            ],
        },
    )


_MOST_LISTED = 50  # alerts in a digest


def _counted(told: Sequence[tuple[Alert, IncidentView]]) -> str:
    counts = Counter(alert.kind.value for alert, _ in told)
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def link_to(path: str, config: Settings) -> str:
    """The address of a page; signed where there is a key, so that it opens for a week."""
    if not config.link_key:
        return config.pages_url + path
    key = config.link_key.get_secret_value()
    return config.pages_url + signed(path, now=time.time(), key=key)


def urgency_of(alert: Alert) -> Urgency:
    """How urgent an alert is, by its kind and its step."""
    if alert.kind is AlertKind.ESCALATED:
        return Urgency.CRITICAL if alert.role == "backstop" else Urgency.HIGH
    return Urgency.LOW if alert.kind in _NO_ACT else Urgency.NORMAL


_NO_ACT = (AlertKind.RESOLVED, AlertKind.TEST)


def clock_of(incident: IncidentView) -> str:
    """The clock that an incident is about, by its key in the workflow's file."""
    return _CLOCKS.get(incident.reason, "recover_within")


_CLOCKS = {LATE: "deliver_within", LOW_RATE: "success_rate", AWAITING: "approve.within"}


def _first_line(alert: Alert, incident: IncidentView) -> str:
    number = f"incident {alert.incident_id}"
    if alert.kind is AlertKind.OPENED:
        again = alert.round > 0
        return f"{number} {'opened again' if again else 'opened'}: {incident.title}"
    if alert.kind is AlertKind.ESCALATED:
        return f"{number} is late, step {alert.step}: {incident.title}"
    if alert.kind is AlertKind.NEWS:
        return f"{number} {alert.news}: {incident.title}"
    return f"{number} is resolved: {incident.title}"


def _rate(incident: IncidentView) -> list[str]:
    return [f"rate: {incident.success_rate.told}"] if incident.success_rate else []


def _clock(alert: Alert, incident: IncidentView, reader: Reader) -> list[str]:
    zone = reader.zone or incident.zone
    if alert.kind is AlertKind.RESOLVED and incident.resolved_at:
        return [f"resolved: {local_moment(incident.resolved_at, zone)}"]
    by, name = incident.recover_by, clock_of(incident)
    if incident.reason == AWAITING:
        half = ["half of the time to decide is over"] * (alert.kind is AlertKind.ESCALATED)
        return [*half, f"decide by: {local_moment(by, zone)}, {left(by, reader.now)}"]
    lines = [f"heal by: {local_moment(by, zone)}, {left(by, reader.now)}"]
    if alert.kind is AlertKind.ESCALATED and incident.breached_at:
        return [f"clock: {name} ran out {local_moment(incident.breached_at, zone)}", *lines]
    if name != "recover_within":
        return [f"clock: {name} of the workflow is not kept", *lines]
    return lines


def _why_you(alert: Alert) -> list[str]:
    if alert.kind is not AlertKind.ESCALATED or alert.role is None:
        return []
    role, ack = _ROLES[alert.role], f"`meshline incidents ack {alert.incident_id}`"
    return [f"you get this as its {role}; {ack} says that you are on it, and ends the escalation"]


def _steps(incident: IncidentView) -> list[str]:
    lines = []
    for number, step in enumerate(incident.advice, start=1):
        lines.append(f"{number}. {step.do}" + (":" if step.command else ""))
        if step.command:
            lines.append(f"   {step.command}")
    return ["", "what to do:", *lines] if lines else []


def _runbook(incident: IncidentView) -> list[str]:
    runbook = incident.runbook
    return ["", "runbook:", *runbook.splitlines()] if runbook else []


def _fields(alert: Alert, incident: IncidentView, link: str) -> dict[str, object]:
    """What a program reads instead of the words."""
    return {
        "fields_version": FIELDS_VERSION,
        "id": alert.id,
        "incident": alert.incident_id,
        "client": incident.client,
        "workflow": incident.workflow,
        "kind": alert.kind.value,
        "side": incident.kind,
        "reason": incident.reason,
        "clock": clock_of(incident),
        "step": alert.step,
        "role": alert.role,
        "urgency": urgency_of(alert).value,
        "url": link,
        "events": incident.standing + incident.held,
        "opened_at": incident.opened_at,
        "recover_by": incident.recover_by,
        "runbook": incident.runbook,
    }


def one_line(text: str) -> str:
    """A subject, as every way can carry it."""
    # A way out may be mail of its own library's, which decodes what looks like an encoded word.
    text = text.replace("=?", "= ?")
    return visible(text)[:200]
