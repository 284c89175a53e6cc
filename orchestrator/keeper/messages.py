"""What an alert says: which incident, what happened to it, by when, and where to look.

It holds names and counts, never a value of a payload.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from orchestrator.domain.links import signed
from orchestrator.domain.visible import visible
from orchestrator.settings import Settings
from orchestrator.store.alerts import Alert, AlertKind
from orchestrator.store.views import View

_LINK_DAYS = 7
_ROLES = {"recovery_lead": "recovery lead", "owner": "owner", "backstop": "backstop"}


@dataclass(frozen=True, kw_only=True)
class Message:
    """One message, as every way can carry it."""

    subject: str  # one line
    text: str


def compose(alert: Alert, incident: View | None, config: Settings) -> Message:
    """The words of an alert; `incident` as it stands now, None for a test."""
    if incident is None:
        return Message(
            subject="Meshline: a test",
            text="This is how alerts reach you. There is nothing to do.\n",
        )
    where = f"{incident['client']}/{incident['workflow']}"
    head = _head(alert, incident)
    lines = [
        f"{where}: {head}",
        "",
        f"what: {incident['title']}",
        f"kind: {incident['kind']}",
        f"events: {incident['standing'] + incident['held']} stand now, {incident['events']} in all",
        *_rate(incident),
        f"owner: {incident['owner']}",
        f"recover by: {incident['recover_by']}",
        *_why_you(alert),
        "",
        link_to(f"/incidents/{alert.incident_id}", config),
        "",
        f"meshline incidents show {alert.incident_id}",
    ]
    text = "\n".join(map(visible, lines)) + "\n"
    return Message(subject=_one_line(f"[{where}] {head}"), text=text)


def link_to(path: str, config: Settings) -> str:
    """The address of a page; signed where there is a key, so that it opens for a week."""
    if not config.link_key:
        return config.pages_url + path
    until = int(time.time()) + _LINK_DAYS * 86_400
    return config.pages_url + signed(path, until=until, key=config.link_key.get_secret_value())


def _head(alert: Alert, incident: View) -> str:
    number = f"incident {alert.incident_id}"
    if alert.kind is AlertKind.OPENED:
        again = alert.round > 0
        return f"{number} {'opened again' if again else 'opened'}: {incident['title']}"
    if alert.kind is AlertKind.ESCALATED:
        return f"{number} is late, step {alert.step}: {incident['title']}"
    if alert.kind is AlertKind.NEWS:
        return f"{number} {alert.news}: {incident['title']}"
    return f"{number} is resolved: {incident['title']}"


def _rate(incident: View) -> list[str]:
    rate = incident.get("success_rate")
    return [f"rate: {rate['told']}"] if rate else []


def _why_you(alert: Alert) -> list[str]:
    if alert.kind is not AlertKind.ESCALATED or alert.role is None:
        return []
    role, ack = _ROLES[alert.role], f"`meshline incidents ack {alert.incident_id}`"
    return [f"you are told as its {role}; {ack} says that you are on it, and nobody else is told"]


def _one_line(text: str) -> str:
    # A way out may be mail of its own library's, which decodes what looks like an encoded word.
    text = text.replace("=?", "= ?")
    return visible(text)[:200]
