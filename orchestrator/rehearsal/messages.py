"""What a rehearsal and the process that runs it say to each other: one JSON document a line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import orjson
from pydantic import TypeAdapter


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """What the process is given; the folder beside it has the connectors' definitions."""

    definition: str  # of the workflow: JSON
    client: str
    trigger: str  # the type of its events
    payloads: tuple[str, ...]  # JSON, by number
    sandbox: bool  # a connector needs one
    seconds: float  # how long the events may take together


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """One delivery as it was made."""

    destination: str
    connector: str
    action: str
    key: str
    state: str  # a DeliveryState
    send: Mapping[str, object]


@dataclass(frozen=True, kw_only=True, slots=True)
class Went:
    """What became of one event."""

    number: int  # its place in what was given
    state: str  # a State
    reason: str | None  # why it is in quarantine
    proven: bool  # its audit has the trigger, the decision, and who made each delivery
    deliveries: tuple[Sent, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What became of all."""

    definition: str  # the digest of the version that decided: 64 hex digits
    events: tuple[Went, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One line of the process: how far it is, or what came of it."""

    says: str = ""  # what it does
    done: int = 0  # events that are at their end
    outcome: Outcome | None = None
    refused: str | None = None  # why nothing came of it


def written(message: Given | Line) -> bytes:
    """A message as a line."""
    return orjson.dumps(asdict(message)) + b"\n"


_GIVEN, _LINE = TypeAdapter(Given), TypeAdapter(Line)


def read_given(text: bytes) -> Given:
    """Raises ValueError."""
    return _GIVEN.validate_json(text)


def read_line(text: bytes) -> Line:
    """Raises ValueError."""
    return _LINE.validate_json(text)
