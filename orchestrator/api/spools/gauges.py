"""The gauges of what waits in spools, summed up by the key of the producer."""

from __future__ import annotations

import threading
from time import monotonic

from prometheus_client import CollectorRegistry, Gauge

from orchestrator.api.spools.known import FORGOTTEN_SECONDS, BySpool
from orchestrator.telemetry import SpoolReported


class SpoolGauges:
    """The newest report of each spool, summed up by key. Safe to use from every thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting, self._refused, self._oldest = (
            Gauge(f"meshline_spool_{name}", what, ["key"], registry=registry)
            for name, what in (
                (
                    "waiting_events",
                    "Events that wait in producers' spools and outboxes, as this door heard",
                ),
                ("refused_events", "Events that were refused, and are kept in producers' spools"),
                ("oldest_seconds", "For how long the oldest event has waited in a spool"),
            )
        )
        self._heard: BySpool[tuple[float, SpoolReported]] = BySpool()
        self._lock = threading.Lock()

    def read(self, report: SpoolReported) -> None:
        """Take it in, in place of what that spool said before."""
        with self._lock:
            self._heard.put(report.key, report.spool, (monotonic(), report))

    def fill(self) -> None:
        """Set the gauges to what is known now: what waits grows older while nobody says so."""
        now = monotonic()
        with self._lock:
            heard = [one for one in self._heard.every() if now - one[0] < FORGOTTEN_SECONDS]
        for gauge in (self._waiting, self._refused, self._oldest):
            gauge.clear()
        oldest: dict[str, float] = {}
        for at, report in heard:
            self._waiting.labels(report.key).inc(report.waiting)
            self._refused.labels(report.key).inc(report.refused)
            age = report.oldest_seconds + (now - at) if report.waiting else 0.0
            oldest[report.key] = max(oldest.get(report.key, 0.0), age)
        for key, age in oldest.items():
            self._oldest.labels(key).set(age)
