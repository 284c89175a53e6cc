"""The port to destinations: what a connector is given, what it answers, and when it is proven.

A connector makes one call at a time; what order the calls come in is decided by
`connectors.handoff`, and what follows from the outcome by `orchestrator.pipeline.settle`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Idempotency(StrEnum):
    """How a destination is kept from doing one thing twice."""

    NATIVE_KEY = "native_key"  # the tool itself refuses or folds a second request with the key
    LOOKUP = "lookup"  # the record can be found by the key
    NONE = "none"  # neither: a lost answer goes to a person, never to a second send


class Proof(StrEnum):
    """What makes a delivery done."""

    READ_BACK = "read_back"  # the record is read and compared: `confirmed`
    RECEIPT = "receipt"  # the tool cannot be read: `receipted`, counted apart


@dataclass(frozen=True, kw_only=True)
class Action:
    """What a connector declares of one of its actions; publish checks workflows against it."""

    name: str
    idempotency: Idempotency
    proof: Proof
    required: frozenset[str] = frozenset()  # fields that `send` must hold
    optional: frozenset[str] = frozenset()  # fields that `send` may hold
    open_fields: bool = False  # any other field is passed on as it is
    readable: frozenset[str] = frozenset()  # fields that can be confirmed; empty: all that are sent
    settle_seconds: float = 0.0  # how long a record may stay invisible to a look-up
    timeout_seconds: float = 10.0  # one whole handoff: look up, create, read back
    max_in_flight: int = 20  # calls at once from one worker process


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One delivery as a connector sees it."""

    key: str  # idempotency key: the same for every attempt of this delivery
    action: str
    fields: Mapping[str, object]  # JSON values by the action's field names


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a destination keeps of a delivery."""

    id: str
    fields: Mapping[str, object]  # as the destination stored them, by the action's field names


class Connector(Protocol):
    """One external system. Every method raises only ConnectorError."""

    name: str

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions by name."""

    async def create(self, call: Outgoing) -> str:
        """Make the record; its id, or for a receipt the receipt's id."""

    async def lookup(self, call: Outgoing) -> str | None:
        """The id of the record that carries `call.key`, or None where there is none."""

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """The record as stored, or None where it is not there."""

    async def close(self) -> None:
        """Give connections back."""


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """The record was read back and is what was sent."""

    record_id: str
    found: bool = False  # a look-up found it: an earlier call had stored it


@dataclass(frozen=True, kw_only=True)
class Receipted:
    """A tool that cannot be read took it; nothing more is known."""

    receipt_id: str


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One field that was stored otherwise than sent."""

    field: str
    sent: object
    stored: object


@dataclass(frozen=True, kw_only=True)
class Mismatched:
    """A record is there and is not what was sent."""

    record_id: str
    differences: tuple[Difference, ...]


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The call did not succeed."""

    error: str  # one sentence, secrets masked
    permanent: bool = False
    unknown: bool = False  # the record may be there: look before sending again
    retry_after: float | None = None  # seconds the destination asked for


Outcome = Confirmed | Receipted | Mismatched | Failed

_MISSING = object()


def differences(
    sent: Mapping[str, object], stored: Mapping[str, object], confirm: tuple[str, ...]
) -> tuple[Difference, ...]:
    """The fields of `confirm` whose stored value is not the one that was sent.

    A field that the record lacks is a difference (shown as None). Values compare as JSON: 1 equals
    1.0, and True does not equal 1.
    """
    found = []
    for field in confirm:
        want, have = sent.get(field, _MISSING), stored.get(field, _MISSING)
        if want is not _MISSING and not _same(want, have):
            shown = None if have is _MISSING else have
            found.append(Difference(field=field, sent=want, stored=shown))
    return tuple(found)


def _same(one: object, other: object) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return one == other
