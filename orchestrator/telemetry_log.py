"""The log as a reader of telemetry: what people may have to act on, and in detail all the rest."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import asdict

from orchestrator.telemetry import (
    AlertSent,
    BreakerRecovered,
    BreakerTripped,
    CallEnded,
    ClaimMade,
    DestinationPaused,
    DestinationResumed,
    IncidentAcknowledged,
    IncidentOpened,
    IncidentReopened,
    IncidentResolved,
    StageSaved,
    TelemetryEvent,
    add_reader,
)

log = logging.getLogger(__name__)

LINES: Mapping[type[TelemetryEvent], tuple[int, str]] = {
    BreakerTripped: (
        logging.WARNING,
        "circuit breaker {breaker} opened after {failures} failures: {reason}",
    ),
    BreakerRecovered: (logging.WARNING, "circuit breaker {breaker} closed: a call got through"),
    DestinationPaused: (logging.INFO, "{name} is paused"),
    DestinationResumed: (logging.INFO, "{name} is resumed"),
    IncidentOpened: (logging.INFO, "incident {incident} of {client}/{workflow} opened: {reason}"),
    IncidentReopened: (
        logging.INFO,
        "incident {incident} of {client}/{workflow} opened again: {reason}",
    ),
    IncidentAcknowledged: (logging.INFO, "incident {incident} is acknowledged"),
    IncidentResolved: (logging.INFO, "incident {incident} is resolved after {seconds:.0f} s"),
    AlertSent: (logging.INFO, "alert {alert} is sent"),
    ClaimMade: (
        logging.DEBUG,
        "claimed {events} events in {groups} groups; the first waited {waited_seconds:.3f} s",
    ),
    StageSaved: (
        logging.DEBUG,
        "{stage} of {client}/{workflow} saved in {seconds:.3f} s: {outcomes}",
    ),
    CallEnded: (logging.DEBUG, "{connector}.{action} took {seconds:.3f} s: {outcomes}"),
}
"""The level and the line of each kind.

Not those of the door, which are too many, nor an alert that failed: the keeper logs it with its
error and its recipient, which a telemetry event must not hold.
"""


class LogReader:
    """Writes a line for each event whose level the log takes."""

    @property
    def reads(self) -> Collection[type[TelemetryEvent]]:
        """The kinds whose level is on now."""
        return [kind for kind, (level, _) in LINES.items() if log.isEnabledFor(level)]

    def read(self, event: TelemetryEvent) -> None:
        """Write its line."""
        level, line = LINES[type(event)]
        log.log(level, "%s", line.format_map(asdict(event)))


_reader = LogReader()


def log_telemetry() -> None:
    """Let this process's log read telemetry, from now on; after its level is set."""
    add_reader(_reader)
