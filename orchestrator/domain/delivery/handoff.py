"""The port to destinations: what a connector is given, what it answers, and when it is proven.

A connector makes one call at a time; what order the calls come in is decided by
`connectors.handoff.single`, and what follows from the outcome by `orchestrator.pipeline.settle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from orchestrator.domain.delivery.comparing import Comparison, Difference
from orchestrator.domain.delivery.retries import PausePolicy
from orchestrator.domain.errors import ConnectorError


class Idempotency(StrEnum):
    """How a destination is kept from doing one thing twice."""

    NATIVE_KEY = "native_key"  # the tool itself folds a second request into the first
    CONFLICT = "conflict"  # the tool refuses a second request, and the first record can be found
    LOOKUP = "lookup"  # the record can be found by the key
    NONE = "none"  # none of these: a lost answer goes to a person, never to a second send


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
    compare: Mapping[str, Comparison] = field(default_factory=dict)  # by field; else exact
    zones: Mapping[str, str] = field(default_factory=dict)  # by field, of times written without one
    settle_seconds: float = 0.0  # how long a record may stay invisible to a look-up
    confirm_seconds: float = 0.0  # how long a read may lag behind: it is tried again so long
    timeout_seconds: float = 10.0  # one whole handoff: look up, create, read back
    max_in_flight: int = 20  # calls at once from one worker process
    can_undo: bool = False  # what was made can be taken back
    batch_size: int = 1  # how many deliveries one request may carry, of a Batching connector
    upserts: bool = False  # a record that a look-up finds is changed, whoever made it
    steps: tuple[str, ...] = ()  # what follows the first request, of a Stepwise connector
    gives_url: bool = False  # it says where people find the record


@dataclass(frozen=True, kw_only=True)
class RateBudget:
    """How many calls a system takes, from all workers together."""

    calls: int
    per_seconds: float
    burst: int  # calls that may go out at once after a pause

    @property
    def interval_ms(self) -> float:
        """Milliseconds that one call uses up: no window of `per_seconds` has more than `calls`."""
        return self.per_seconds * 1000 / (self.calls - min(self.burst, self.calls) + 1)


@dataclass(frozen=True, kw_only=True)
class BreakerPolicy:
    """When a system that fails is left alone."""

    failures: int = 10  # of at least two events, without a success between them
    cooldown_seconds: float = 30.0  # then one call tries


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one connector's system is spared."""

    rate: RateBudget | None = None
    breaker: BreakerPolicy = BreakerPolicy()
    pauses: PausePolicy = field(default_factory=PausePolicy)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What is known of a delivery's record besides its id."""

    url: str | None = None  # where people find it
    version: str | None = None  # how the system calls its state, such as an ETag
    updated: bool = False  # it was there before, as far as is known: it is not ours to delete


NOTHING_SEEN: Final = Seen()


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One delivery as a connector sees it."""

    key: str  # idempotency key: the same for every attempt of this delivery
    action: str
    fields: Mapping[str, object]  # JSON values by the action's field names
    seen: Seen = NOTHING_SEEN  # what earlier calls found out
    # Headers of the trace that its event belongs to; empty: of none.
    trace: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Made:
    """A record that was made, changed or found, where more is known of it than its id."""

    record_id: str
    seen: Seen


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a destination keeps of a delivery."""

    id: str
    fields: Mapping[str, object]  # as the destination stored them, by the action's field names
    seen: Seen = NOTHING_SEEN


class Connector(Protocol):
    """One external system. Every method raises only ConnectorError."""

    name: str

    @property
    def actions(self) -> Mapping[str, Action]:
        """The actions by name."""

    @property
    def limits(self) -> Limits:
        """What the system is spared."""

    async def create(self, call: Outgoing) -> str | Made:
        """Make, change or upsert the record; its id, or for a receipt the receipt's id.

        Raises AlreadyThere where the tool refuses because the record is there.
        """

    async def lookup(self, call: Outgoing) -> str | Made | None:
        """The id of the record that carries `call.key`, or None where there is none."""

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """The record as stored, or None where it is not there."""

    async def undo(self, call: Outgoing, record_id: str) -> None:
        """Take the record back; one that is gone already is taken back."""

    async def close(self) -> None:
        """Give connections back."""


@runtime_checkable
class Batching(Connector, Protocol):
    """A connector that makes several records by one request."""

    async def create_many(self, calls: Sequence[Outgoing]) -> Sequence[str | ConnectorError]:
        """What became of each call, in order: its record's id, or why there is none.

        Raises ConnectorError where the same became of all.
        """


@runtime_checkable
class Stepwise(Connector, Protocol):
    """A connector whose records are made by more than one request."""

    async def complete(self, call: Outgoing, record_id: str, *, fresh: bool) -> None:
        """Do what is not done yet of the steps that follow a record's first request.

        `fresh` says that no earlier call can have done any. Raises StepUnknown where an earlier
        call may have done one, and nothing tells.
        """


@runtime_checkable
class Rendering(Connector, Protocol):
    """A connector that can make a request without sending it."""

    def render(self, call: Outgoing) -> None:
        """Make what `create` would send. Raises DestinationRefused where it cannot be made."""


@dataclass(frozen=True, kw_only=True)
class Confirmed:
    """The record was read back and is what was sent."""

    record_id: str
    found: bool = False  # a look-up found it: an earlier call had stored it
    seen: Seen = NOTHING_SEEN


@dataclass(frozen=True, kw_only=True)
class Receipted:
    """A tool that cannot be read took it; nothing more is known."""

    receipt_id: str
    seen: Seen = NOTHING_SEEN


@dataclass(frozen=True, kw_only=True)
class Mismatched:
    """A record is there and is not what was sent."""

    record_id: str
    differences: tuple[Difference, ...]
    seen: Seen = NOTHING_SEEN


@dataclass(frozen=True, kw_only=True)
class TakenBack:
    """What was made is no longer there."""

    record_id: str


class Blame(StrEnum):
    """What a failed call says about the system that was called."""

    CALL = "call"  # it answered, and this one call was wrong
    OURS = "ours"  # nothing: no call went out, or our own code failed
    SYSTEM = "system"  # it is down, or too slow
    PACE = "pace"  # it is well, and wants fewer calls
    LOGIN = "login"  # it does not take our credentials, for any call


@dataclass(frozen=True, kw_only=True)
class Failed:
    """The call did not succeed."""

    error: str  # one sentence, secrets masked
    permanent: bool = False
    unknown: bool = False  # the record may be there: look before sending again
    retry_after: float | None = None  # seconds the destination asked for
    record_id: str | None = None  # the record was made; only its proof is missing
    seen: Seen = NOTHING_SEEN
    blame: Blame = Blame.CALL
    undecided: bool = False  # a step may be done, and only a person can find out
    reached: bool = True  # something of it got to the system, which may stumble on it


Outcome = Confirmed | Receipted | Mismatched | TakenBack | Failed


@dataclass(frozen=True, kw_only=True)
class NotStarted:
    """The time ran out before the call began: nothing was sent."""


@dataclass(frozen=True, kw_only=True)
class FailedCall:
    """When a call that failed was out, in `time.monotonic`."""

    began: float
    ended: float


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call that was made: a handoff of one delivery, or one request for several."""

    connector: str
    action: str
    outcomes: Sequence[Outcome | NotStarted]  # one per delivery
    seconds: float


@dataclass(kw_only=True)
class Timing:
    """When calls failed, and when others got through, in `time.monotonic`."""

    failed: dict[str, FailedCall] = field(default_factory=dict)  # by job; one for one request
    # By connector and action: when the last call ended that the system took or refused.
    taken: dict[tuple[str, str], float] = field(default_factory=dict)
    halted: set[str] = field(default_factory=set)  # connectors that take nothing further for now
    calls: list[Call] | None = None  # each of them; None where nobody asks
