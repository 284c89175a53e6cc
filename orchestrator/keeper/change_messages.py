"""What an alert about a change says: what is asked of whom, by when, and of which digest.

The link in it shows the change and decides nothing: whoever decides logs in.
"""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.changes.words.wording import Wording
from orchestrator.domain.text.visible import visible
from orchestrator.keeper.messages import FIELDS_VERSION, Message, Reader, Urgency, link_to, one_line
from orchestrator.presenting.moments import left, local_moment
from orchestrator.settings import Settings
from orchestrator.store.changes.views import ChangeView
from orchestrator.store.clocks.alerts import Alert, AlertKind

_MOST_WORDS = 10  # differences in a message
_URGENT = {
    AlertKind.ASKED: Urgency.NORMAL,
    AlertKind.EXPIRING: Urgency.HIGH,
    AlertKind.BREAK_GLASS: Urgency.CRITICAL,
    AlertKind.ROLLED_BACK: Urgency.HIGH,
}
_ASKS = (AlertKind.ASKED, AlertKind.EXPIRING)


def compose_change(
    alert: Alert,
    change: ChangeView,
    words: Sequence[Wording],
    config: Settings,
    reader: Reader,
) -> Message:
    """The words of an alert about a change, with the change as it is now."""
    where = f"{change.client}/{change.workflow}"
    head = _first_line(alert, change)
    link = link_to(f"/changes/{change.change}", config)  # it shows it; to decide takes the login
    lines = [
        f"{where}: {head}",
        "",
        f"what: {_what(change)}",
        *([f"why: {change.why}"] if change.why else []),
        f"proposed by: {change.proposed_by}",
        *([f"{_NEWS.get(alert.kind, 'said')}: {alert.news}"] if alert.news else []),
        *_words(words),
        *(_asked(alert, change, reader) if alert.kind in _ASKS else []),
        "",
        link,
        "",
        f"meshline change show {change.change}",
    ]
    return Message(
        subject=one_line(f"[{where}] {head}"),
        text="\n".join(map(visible, lines)) + "\n",
        urgency=_URGENT.get(alert.kind, Urgency.LOW),
        fields=_fields(alert, change, link),
    )


_NEWS = {
    AlertKind.REQUESTED_CHANGES: "asked for",
    AlertKind.REJECTED: "because",
    AlertKind.EXPIRED: "because",
    AlertKind.STALE: "instead of it",
    AlertKind.BREAK_GLASS: "because",
    AlertKind.ROLLED_BACK: "because",
}


def _first_line(alert: Alert, change: ChangeView) -> str:
    again = f" in round {alert.round}" if alert.round > 1 else ""
    told = {
        AlertKind.ASKED: f"awaits your decision{again}",
        AlertKind.EXPIRING: f"still awaits your decision{again}, and expires soon",
        AlertKind.REQUESTED_CHANGES: "was sent back to its authors",
        AlertKind.REJECTED: "was rejected",
        AlertKind.STALE: "is stale: another one went live before it",
        AlertKind.EXPIRED: "expired",
        AlertKind.LIVE: "is live",
        AlertKind.BREAK_GLASS: "went live by break-glass, without the approval that it needs",
        AlertKind.ROLLED_BACK: "went back: the version before decides about all events again",
    }
    return f"change {change.change} {told[alert.kind]}"


def _what(change: ChangeView) -> str:
    if change.kind == "retire":
        return f"no version of {change.workflow} is live then"
    upon = (
        "a first version" if change.base_version is None else f"upon version {change.base_version}"
    )
    return f"{change.kind} {change.workflow}, {upon}"


def _words(words: Sequence[Wording]) -> list[str]:
    more = len(words) - _MOST_WORDS
    lines = [f"- {one.says}" for one in words[:_MOST_WORDS]]
    return [*lines, *([f"- and {more} more"] if more > 0 else [])]


def _asked(alert: Alert, change: ChangeView, reader: Reader) -> list[str]:
    end = change.expires_at
    return [
        "",
        f"decide by: {local_moment(end, reader.zone)}, {left(end, reader.now)}",
        f"digest of what you are asked: {alert.subject}",
        "This message decides nothing. Log in, look, and approve, send back or reject:",
        f"  meshline change approve {change.change} --digest {alert.subject}",
    ]


def _fields(alert: Alert, change: ChangeView, link: str) -> dict[str, object]:
    return {
        "fields_version": FIELDS_VERSION,
        "id": alert.id,
        "change": change.change,
        "client": change.client,
        "workflow": change.workflow,
        "kind": alert.kind.value,
        "round": alert.round,
        "digest": alert.subject,
        "urgency": _URGENT.get(alert.kind, Urgency.LOW).value,
        "url": link,
        "expires_at": change.expires_at,
    }
