"""What waits in producers' own spools, as they say with each request: a door cannot see it."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from time import monotonic

from prometheus_client import CollectorRegistry, Gauge
from starlette.datastructures import Headers

from orchestrator.telemetry import SpoolReported, emit, read_kinds

HEADER = "meshline-spool"

_FORGOTTEN_SECONDS = 3600.0  # a producer that is silent for so long says nothing of now
_MOST_SPOOLS = 1_000
_MOST_DIGITS = 12
_NUMBER = rf"(waiting|oldest|refused)=([0-9]{{1,{_MOST_DIGITS}}})"
_FIELD = re.compile(_NUMBER + r"|(id)=([0-9a-f]{1,32})")


def hear_of_spool(headers: Headers, key: str) -> None:
    """Emit what a request says of its producer's spool; `key` is the id of the producer's key.

    A header that cannot be read is passed over: it must not cost an event.
    """
    said = headers.get(HEADER)
    if said is None or SpoolReported not in read_kinds:
        return
    numbers: dict[str, int] = {}
    spool = ""
    for part in said[:200].split(","):
        if found := _FIELD.fullmatch(part.strip()):
            if found[1]:
                numbers[found[1]] = int(found[2])
            else:
                spool = found[4]
    if "waiting" in numbers:
        emit(
            SpoolReported(
                key=key,
                spool=spool,
                waiting=numbers["waiting"],
                refused=numbers.get("refused", 0),
                oldest_seconds=numbers.get("oldest", 0),
            )
        )


class SpoolGauges:
    """The newest report of each spool, summed up by key. Safe to use from every thread."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._waiting, self._refused, self._oldest = (
            Gauge(f"meshline_spool_{name}", what, ["key"], registry=registry)
            for name, what in (
                ("waiting_events", "Events that wait in producers' own spools, as this door heard"),
                ("refused_events", "Events that were refused, and are kept in producers' spools"),
                ("oldest_seconds", "For how long the oldest event has waited in a spool"),
            )
        )
        self._heard: OrderedDict[tuple[str, str], tuple[float, SpoolReported]] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, report: SpoolReported) -> None:
        """Take it in, in place of what that spool said before."""
        with self._lock:
            self._heard[report.key, report.spool] = monotonic(), report
            self._heard.move_to_end((report.key, report.spool))
            while len(self._heard) > _MOST_SPOOLS:
                self._heard.popitem(last=False)

    def fill(self) -> None:
        """Set the gauges to what is known now: what waits grows older while nobody says so."""
        now = monotonic()
        with self._lock:
            heard = [one for one in self._heard.values() if now - one[0] < _FORGOTTEN_SECONDS]
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
