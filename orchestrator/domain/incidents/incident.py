"""Incidents: the events stopped for one cause, as one thing that one person owns."""

from __future__ import annotations

from enum import StrEnum

from orchestrator.domain.errors import IllegalMove, Refused
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.durations import seconds

HELD = "held"
"""The reason of an incident whose deliveries wait at a circuit; nothing of it is in quarantine."""

LATE = "late"
"""The reason of an incident whose events are under way and should have been delivered."""

LOW_RATE = "success_rate"
"""The reason of an incident whose workflow delivers too few of its events."""

AWAITING = "awaiting_approval"
"""The reason of an incident whose events wait for a person's yes; its owner is the approver."""

BROKE_GLASS = "break_glass"
"""The reason of an incident of a change that its backstop made live; its approver answers."""

BAD_SIGNATURES = "bad_signatures"
"""The reason of an incident whose source sends what is not proven, after it sent what was."""

OLD_SPOOL = "old_spool"
"""The reason of an incident whose events wait too long on their producer's own disk."""

OLD_SPOOL_SECONDS = 900
"""For how long an event may wait in a producer's spool: longer than a door is away for an upgrade,
and short beside what a spool holds."""

FURTHER = "further_causes"
"""The reason of the incident that counts what exceeds `MOST_NEW_INCIDENTS`."""

INCIDENT_REASONS: tuple[str, ...] = (
    *Reason,
    HELD,
    LATE,
    LOW_RATE,
    AWAITING,
    BROKE_GLASS,
    BAD_SIGNATURES,
    OLD_SPOOL,
    FURTHER,
)
"""What an incident may be about: what a stage refused an event for, or one of those above."""

MOST_NEW_INCIDENTS = 10
"""Incidents that what senders send may open in an hour, per workflow: each one alerts a person.

A person reads ten messages an hour, and not a hundred; a sender that breaks its contract in ever
new ways is one problem and not a hundred.
"""


class IncidentKind(StrEnum):
    """On whose side the cause is."""

    CONTRACT = "contract"  # the sender's: what came does not fit what was agreed
    DESTINATION = "destination"  # the receiver's: it refuses, fails, or is held back
    PLATFORM = "platform"  # ours
    GOVERNANCE = "governance"  # something went live that nobody had approved


class IncidentState(StrEnum):
    """The states of an incident."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


class IncidentMove(StrEnum):
    """What can happen to an incident."""

    OPEN = "open"
    ACKNOWLEDGE = "acknowledge"
    UNACKNOWLEDGE = "unacknowledge"
    ASSIGN = "assign"
    RESOLVE = "resolve"
    REOPEN = "reopen"


_OPEN, _SEEN, _DONE = IncidentState.OPEN, IncidentState.ACKNOWLEDGED, IncidentState.RESOLVED

_ENDED = "each of its events was delivered, discarded, or quarantined for another cause"

INCIDENT_TRANSITIONS: tuple[tuple[IncidentMove, IncidentState | None, IncidentState, str], ...] = (
    (IncidentMove.OPEN, None, _OPEN, "the first event of a new cause is quarantined or held"),
    (IncidentMove.ACKNOWLEDGE, _OPEN, _SEEN, "a person said that they are on it"),
    (IncidentMove.ACKNOWLEDGE, _SEEN, _SEEN, "the same person gave it another end"),
    (IncidentMove.UNACKNOWLEDGE, _SEEN, _OPEN, "the time that the person gave themselves is over"),
    (IncidentMove.ASSIGN, _OPEN, _OPEN, "a person gave it to somebody else"),
    (IncidentMove.ASSIGN, _SEEN, _SEEN, "a person gave it to somebody else"),
    (IncidentMove.RESOLVE, _OPEN, _DONE, _ENDED),
    (IncidentMove.RESOLVE, _SEEN, _DONE, _ENDED),
    (IncidentMove.REOPEN, _DONE, _OPEN, "the cause came again, or a discarded event was restored"),
)
"""The moves of an incident: move, from, to, when."""

_TARGETS = {(move, source): target for move, source, target, _ in INCIDENT_TRANSITIONS}


def incident_target(move: IncidentMove, source: IncidentState) -> IncidentState:
    """Where `move` leads from `source`. Raises IllegalMove where it is not allowed."""
    try:
        return _TARGETS[move, source]
    except KeyError:
        allowed = dict.fromkeys(
            one for one, state in _TARGETS if state is source and one not in _BY_ITSELF
        )
        raise IllegalMove(
            f"an incident that is {source} cannot be {_PAST[move]}",
            field="state",
            fix=f"it can: {', '.join(allowed)}"
            if allowed
            else "it opens when its cause comes again",
        ) from None


_BY_ITSELF = (IncidentMove.REOPEN, IncidentMove.UNACKNOWLEDGE)

_PAST = {
    IncidentMove.OPEN: "opened",
    IncidentMove.ACKNOWLEDGE: "acknowledged",
    IncidentMove.UNACKNOWLEDGE: "given back",
    IncidentMove.ASSIGN: "assigned",
    IncidentMove.RESOLVE: "resolved",
    IncidentMove.REOPEN: "reopened",
}


def length_of_acknowledgement(text: str) -> float:
    """The seconds for which a person says that they are on it, as in `--for 2h`. Raises Refused."""
    try:
        lasts = seconds(text.strip())
    except ValueError:
        raise Refused(
            f"{text!r} is not a duration", field="lasts", fix="write one such as 30m, 2h or 1d"
        ) from None
    if not 0 < lasts <= _LONGEST_ACKNOWLEDGEMENT:
        raise Refused(
            f"{text!r} is not between 1ms and 31d", field="lasts", fix="leave it out for no end"
        )
    return lasts


_LONGEST_ACKNOWLEDGEMENT = 31 * 86_400.0
