"""A destination that keeps every record of every key, and fails as it is told to."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orchestrator.domain.delivery.handoff import (
    Action,
    BreakerPolicy,
    Idempotency,
    Limits,
    Outgoing,
    Proof,
    Record,
)
from orchestrator.domain.errors import (
    DestinationRefused,
    DestinationUnavailable,
    NotReached,
    OutcomeUnknown,
    RateLimited,
    Unauthorized,
)
from tests.model.actors import Actor, current_actor, gate
from tests.model.clock import ModelClock

SETTLE_SECONDS = 5.0
CALL_SECONDS = 10.0

MISHAPS = {
    "create": ("refused", "unavailable", "limited", "cut", "cut_stored", "late", "twisted"),
    "lookup": ("cut",),
    "read": ("cut", "refused", "missing"),
}
"""What can go wrong, by the call that it happens to."""

_KINDS = {
    "found": (Idempotency.LOOKUP, Proof.READ_BACK, SETTLE_SECONDS),
    "folded": (Idempotency.NATIVE_KEY, Proof.READ_BACK, 0.0),
    "told": (Idempotency.NONE, Proof.RECEIPT, 0.0),
    "noted": (Idempotency.NONE, Proof.READ_BACK, 0.0),
}
ACTIONS = {
    name: Action(
        name=name,
        idempotency=idempotency,
        proof=proof,
        open_fields=True,
        settle_seconds=settle,
        timeout_seconds=CALL_SECONDS,
    )
    for name, (idempotency, proof, settle) in _KINDS.items()
}


@dataclass(frozen=True, kw_only=True)
class Kept:
    """One record."""

    id: str
    action: str
    fields: Mapping[str, object]
    seen_from: int  # when a look-up begins to find it


class ModelDestination:
    """The connector `tool`: one action for each way to be kept from doing a thing twice."""

    name = "tool"
    actions: Mapping[str, Action] = ACTIONS
    limits = Limits(breaker=BreakerPolicy(failures=3, cooldown_seconds=5))

    def __init__(self, clock: ModelClock) -> None:
        self.clock = clock
        self.records: defaultdict[str, list[Kept]] = defaultdict(list)
        self.mishaps: dict[str, deque[str]] = {at: deque() for at in MISHAPS}
        self.illness: Callable[[Outgoing], str | None] = lambda _: None
        """What goes wrong with each creation, whatever else happens."""
        self.created: list[tuple[int, str]] = []  # when a creation was asked for, and its event
        self._made = 0
        self._begun: dict[tuple[Actor | None, str], int] = {}

    async def create(self, call: Outgoing) -> str:
        """Make a record; where the action folds, the one there is."""
        self.created.append((self.clock.ms, call.key.partition(".")[0]))
        mishap = self._next("create", call) or self.illness(call)
        if mishap == "hangs":
            self.clock.advance(CALL_SECONDS)
            raise TimeoutError
        if mishap == "login":
            raise Unauthorized("401")
        if mishap == "slow down":
            raise RateLimited("429, and no word until when")
        if mishap == "refused":
            raise DestinationRefused("no")
        if mishap == "unavailable":
            raise DestinationUnavailable("away")
        if mishap == "gone":
            raise NotReached("Connection refused")
        if mishap == "limited":
            raise RateLimited("slow down", retry_after=30)
        if mishap == "cut":
            raise OutcomeUnknown("cut before it was stored")
        kept = self._keep(call, mishap)
        self._answer(call)
        if mishap == "cut_stored":
            raise OutcomeUnknown("cut after it was stored")
        return kept.id

    async def lookup(self, call: Outgoing) -> str | None:
        """The first record of the key that can be seen already."""
        if self._next("lookup", call):
            raise OutcomeUnknown("cut")
        seen = [one.id for one in self.records[call.key] if one.seen_from <= self.clock.ms]
        self._answer(call)
        return seen[0] if seen else None

    async def read(self, call: Outgoing, record_id: str) -> Record | None:
        """A record as it is kept."""
        mishap = self._next("read", call)
        if mishap == "cut":
            raise OutcomeUnknown("cut")
        if mishap == "refused":
            raise DestinationRefused("reading is not allowed")
        kept = next(one for one in self.records[call.key] if one.id == record_id)
        self._answer(call)
        return None if mishap == "missing" else Record(id=kept.id, fields=kept.fields)

    async def undo(self, call: Outgoing, record_id: str) -> None:
        """No workflow of these stories takes anything back."""
        raise DestinationRefused(f"{call.key}: {record_id} stays")

    async def close(self) -> None:
        """Nothing is open."""

    def _next(self, at: str, call: Outgoing) -> str | None:
        self._begun.setdefault((current_actor(), call.key), self.clock.ms)
        return self.mishaps[at].popleft() if self.mishaps[at] else None

    def _keep(self, call: Outgoing, mishap: str | None) -> Kept:
        known = self.records[call.key]
        if known and ACTIONS[call.action].idempotency is Idempotency.NATIVE_KEY:
            return known[0]
        self._made += 1
        late = int((SETTLE_SECONDS - 1) * 1000) if mishap == "late" else 0
        kept = Kept(
            id=f"r{self._made}",
            action=call.action,
            fields=dict.fromkeys(call.fields, "twisted") if mishap == "twisted" else call.fields,
            seen_from=self.clock.ms + late,
        )
        known.append(kept)
        return kept

    def _answer(self, call: Outgoing) -> None:
        """The answer is on its way; who waits longer than a call may take, gives up."""
        gate()
        begun = self._begun[current_actor(), call.key]
        if self.clock.ms - begun > CALL_SECONDS * 1000:
            raise TimeoutError
