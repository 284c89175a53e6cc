"""What the door shows to Prometheus: what it reads of telemetry, and what the store counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from orchestrator.api.spools.gauges import SpoolGauges
from orchestrator.telemetry import (
    RequestAccepted,
    RequestRefused,
    SpoolReported,
    TelemetryEvent,
    TriggersCommitted,
)

_EVENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the store counted."""

    states: Mapping[str, int]  # events by state
    blocked: Mapping[str, int]  # circuits, by what blocks them
    held: Mapping[str, int]  # deliveries by the circuit that holds them
    incidents: Mapping[tuple[str, str], int]  # by state and kind
    alerts: Mapping[str, int]  # by state
    approvals: Mapping[str, int]  # events that wait for a yes, by how much of their time is over


class Metrics:
    """One registry a door, a reader of telemetry. Safe to use from every thread."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._spools = SpoolGauges(self._registry)
        self._accepted = self._counter("accepted", "New events that were committed")
        self._duplicates = self._counter("duplicates", "Triggers that were accepted before")
        self._commits = self._counter("commits", "Transactions that wrote events")
        self._waiting = Gauge(
            "meshline_door_waiting", "Triggers that wait for a commit", registry=self._registry
        )
        self._refused = Counter(
            "meshline_door_refused", "Requests refused", ["code"], registry=self._registry
        )
        self._group = Histogram(
            "meshline_door_commit_events",
            "Triggers written by one commit",
            buckets=_EVENTS,
            registry=self._registry,
        )
        self._commit_seconds = Histogram(
            "meshline_door_commit_seconds",
            "Time of one commit",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._accept_seconds = Histogram(
            "meshline_door_accept_seconds",
            "Time from a request's headers to its answer",
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._states = Gauge(
            "meshline_events", "Events by state", ["state"], registry=self._registry
        )
        self._blocked = Gauge(
            "meshline_blocked_circuits",
            "Connectors, actions and destinations that a pause or an open circuit breaker blocks",
            ["block"],
            registry=self._registry,
        )
        self._held = Gauge(
            "meshline_deliveries_held",
            "Deliveries that are held, by the circuit that is blocked",
            ["circuit"],
            registry=self._registry,
        )
        self._incidents = Gauge(
            "meshline_incidents",
            "Incidents by state and by whose side the cause is on",
            ["state", "kind"],
            registry=self._registry,
        )
        self._alerts = Gauge(
            "meshline_alerts", "Alerts by state", ["state"], registry=self._registry
        )
        self._approvals = Gauge(
            "meshline_events_to_approve",
            "Events that wait for a person's yes, by how much of the time to decide is over",
            ["time"],
            registry=self._registry,
        )
        self._store_up = Gauge(
            "meshline_store_up", "Whether the store answers", registry=self._registry
        )

    def _counter(self, name: str, what: str) -> Counter:
        return Counter(f"meshline_door_{name}", what, registry=self._registry)

    @property
    def reads(self) -> Collection[type[TelemetryEvent]]:
        """What a door does; what other processes do is read from the store."""
        return (TriggersCommitted, RequestAccepted, RequestRefused, SpoolReported)

    def read(self, event: TelemetryEvent) -> None:
        """Count it."""
        match event:
            case TriggersCommitted():
                self._commits.inc()
                self._accepted.inc(event.accepted)
                self._duplicates.inc(event.duplicates)
                self._group.observe(event.accepted + event.duplicates)
                self._commit_seconds.observe(event.seconds)
            case RequestAccepted():
                self._accept_seconds.observe(event.seconds)
            case RequestRefused():
                self._refused.labels(event.code).inc()
            case SpoolReported():
                self._spools.read(event)

    def render(self, found: Counted | None, *, waiting: int = 0) -> bytes:
        """The text format; `found` is None where the store did not answer.

        `waiting` is how many triggers wait for a commit.
        """
        self._waiting.set(waiting)
        self._store_up.set(found is not None)
        self._spools.fill()
        _fill(self._states, found.states if found else {})
        _fill(self._blocked, found.blocked if found else {})
        _fill(self._held, found.held if found else {})
        _fill(self._incidents, found.incidents if found else {})
        _fill(self._alerts, found.alerts if found else {})
        _fill(self._approvals, found.approvals if found else {})
        return generate_latest(self._registry)


def _fill(gauge: Gauge, counts: Mapping[str, int] | Mapping[tuple[str, str], int]) -> None:
    gauge.clear()
    for label, count in counts.items():
        gauge.labels(*((label,) if isinstance(label, str) else label)).set(count)
