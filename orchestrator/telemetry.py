"""The telemetry port: what Meshline says of its own work, and who reads it.

A telemetry event is a small value that the code emits after something has happened, and after it
is committed. It holds names, numbers and codes: never a payload, an error's text, a person or a
secret. (It is not an event of the glossary: that is a trigger that was accepted.)

Readers are added when a process starts. Where nobody reads a kind, emitting it is one look into a
dictionary. docs/reference/telemetry.md is written from the classes below.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimMade:
    """The relay claimed events that were due, in one transaction."""

    groups: int  # groups that it made of them
    events: int  # events in these groups
    waited_seconds: float  # how long the one that waited longest had been due


@dataclass(frozen=True, kw_only=True, slots=True)
class StageSaved:
    """A worker saved what one stage made of a group; a dispatch says so after each of its turns.

    Outcomes of validate and route count events: `validated`, `amended`, `routed`, `quarantined`,
    `retried`, `handed_back`, `awaiting_approval`. Those of dispatch count deliveries by their new
    state: `confirmed`, `receipted`, `undone`, `failed`, `held`, and `pending` for one that is tried
    again.
    """

    stage: str  # `validate`, `route` or `dispatch`
    client: str  # the client's name
    workflow: str  # the workflow's name
    outcomes: Mapping[str, int]  # how many of its events or deliveries had which outcome
    seconds: float  # from reading the group to the end of the commit, calls included


@dataclass(frozen=True, kw_only=True, slots=True)
class CallEnded:
    """A worker called a destination: the whole handoff of one delivery, or one batch request.

    An outcome is `confirmed`, `receipted`, `mismatched`, `taken_back`, or a failure by what it
    speaks against: `failed_call`, `failed_system`, `failed_pace`, `failed_login`, `failed_ours`.
    """

    connector: str  # the connector's name
    action: str  # the action's name
    outcomes: Mapping[str, int]  # how many of its deliveries had which outcome
    seconds: float  # with its look-up and its read-back


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerTripped:
    """A circuit breaker opened: deliveries are held from now on."""

    breaker: str  # `connector`, or `connector.action`
    reason: str  # `failing`, `unauthorized` or `rate_limited`
    failures: int  # failures in a row that were counted


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakerRecovered:
    """A call got through, and an open circuit breaker closed."""

    breaker: str  # `connector`, or `connector.action`
    failures: int  # failures that were counted until then


@dataclass(frozen=True, kw_only=True, slots=True)
class DestinationPaused:
    """A person paused a destination or a connector, or gave its pause another end."""

    name: str  # `client/workflow/destination`, or `connector`
    until: int | None  # when it ends by itself, in milliseconds since 1970; None: not by itself


@dataclass(frozen=True, kw_only=True, slots=True)
class DestinationResumed:
    """A pause ended, or a person closed a circuit breaker."""

    name: str  # `client/workflow/destination`, `connector` or `connector.action`
    by_itself: bool  # whether the time of the pause was over; else a person resumed it


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentOpened:
    """The first event of a cause came to a stop."""

    incident: int  # its number
    client: str  # the client's name
    workflow: str  # the workflow's name
    kind: str  # `contract`, `destination`, `platform` or `governance`: on whose side the cause is
    reason: str  # a reason's code


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentReopened:
    """The cause of a resolved incident came again, or one of its events was restored."""

    incident: int  # its number
    client: str  # the client's name
    workflow: str  # the workflow's name
    kind: str  # `contract`, `destination`, `platform` or `governance`: on whose side the cause is
    reason: str  # a reason's code


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentAcknowledged:
    """A person said that they are working on an incident."""

    incident: int  # its number
    client: str  # the client's name
    workflow: str  # the workflow's name
    seconds: float  # since it opened


@dataclass(frozen=True, kw_only=True, slots=True)
class IncidentResolved:
    """Each event of an incident has ended."""

    incident: int  # its number
    client: str  # the client's name
    workflow: str  # the workflow's name
    outcome: str | None  # `healed`, `discarded`, `moved` or `mixed`; None: it counted no events
    seconds: float  # from its opening to the end of its last event


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertSent:
    """An alert was taken by a server that carries it on."""

    alert: int  # its number
    incident: int | None  # the incident's number; None: a test
    kind: str  # `opened`, `escalated`, `news`, `resolved` or `test`
    tries: int  # how many it took, this one included


@dataclass(frozen=True, kw_only=True, slots=True)
class AlertFailed:
    """One try to send an alert failed."""

    alert: int  # its number
    incident: int | None  # the incident's number; None: a test
    kind: str  # `opened`, `escalated`, `news`, `resolved` or `test`
    tries: int  # how many failed, this one included
    given_up: bool  # whether this was the last try


@dataclass(frozen=True, kw_only=True, slots=True)
class TriggersCommitted:
    """The door committed the triggers of all requests that waited."""

    accepted: int  # new events
    duplicates: int  # triggers that were accepted before
    seconds: float  # the time of the commit


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestAccepted:
    """The door answered a request with 202."""

    seconds: float  # from the request's headers to its answer


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestRefused:
    """The door answered a request with a problem document."""

    code: str  # the problem's code


@dataclass(frozen=True, kw_only=True, slots=True)
class SpoolReported:
    """A request said what waits in its producer's own spool or outbox."""

    key: str  # the id of the producer's key
    spool: str  # tells one spool of that key from another
    kind: str  # spool or outbox
    waiting: int  # events that no door has taken yet
    refused: int  # events that a door refused, and that are kept there
    oldest_seconds: int  # since the first of those that wait was spooled


TelemetryEvent = (
    ClaimMade
    | StageSaved
    | CallEnded
    | BreakerTripped
    | BreakerRecovered
    | DestinationPaused
    | DestinationResumed
    | IncidentOpened
    | IncidentReopened
    | IncidentAcknowledged
    | IncidentResolved
    | AlertSent
    | AlertFailed
    | TriggersCommitted
    | RequestAccepted
    | RequestRefused
    | SpoolReported
)


class Reader(Protocol):
    """Who reads telemetry events: one class per backend."""

    @property
    def reads(self) -> Collection[type[TelemetryEvent]]:
        """The kinds that it wants; asked once, when it is added."""

    def read(self, event: TelemetryEvent) -> None:
        """Take one in, from any thread and without waiting: the work waits meanwhile."""


_readers: dict[type[TelemetryEvent], tuple[Reader, ...]] = {}
_failed: set[Reader] = set()  # readers whose failure is in the log
_lock = threading.Lock()

read_kinds = _readers.keys()
"""The kinds that anybody reads now; an event of another kind need not be put together."""


def emit(event: TelemetryEvent) -> None:
    """Give an event to those who read its kind. A reader that fails is logged once."""
    for reader in _readers.get(type(event), ()):
        try:
            reader.read(event)
        except Exception:  # telemetry must not harm the work that it tells of
            if reader not in _failed:
                _failed.add(reader)
                log.exception("a reader of telemetry failed; what it counts is not complete")


def add_reader(reader: Reader) -> None:
    """Let it read from now on; one that reads already is not added twice."""
    with _lock:
        for kind in reader.reads:
            known = _readers.get(kind, ())
            if reader not in known:
                _readers[kind] = (*known, reader)


def remove_reader(reader: Reader) -> None:
    """Stop it from reading."""
    with _lock:
        for kind, known in list(_readers.items()):
            left = tuple(one for one in known if one is not reader)
            if left:
                _readers[kind] = left
            else:
                del _readers[kind]
        _failed.discard(reader)


@contextmanager
def reading(reader: Reader) -> Iterator[None]:
    """Let it read until the end of the block."""
    add_reader(reader)
    try:
        yield
    finally:
        remove_reader(reader)
