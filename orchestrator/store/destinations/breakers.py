"""Circuit breakers as rows: what calls say of a system opens and closes them for all workers.

Closed is `flowing`, open is `broken`; half-open is an open one whose probe is out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, bindparam, or_, update

from orchestrator.domain.delivery.breakers import FAILING, UNAUTHORIZED, Gate, GateState, breaks
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.prepared import Prepared
from orchestrator.store.database.schema import gates
from orchestrator.store.destinations.states import (
    change_gate,
    enter_state,
    kept,
    let_flow,
    lock_gate,
    locked_gate,
    tell,
)

_TABLE = gates.c


def take_probe(tx: Connection, name: str, cooldown_ms: int) -> bool:
    """Whether the caller's call is the one that tries; the next may after the cooldown."""
    return _TAKE_PROBE.run(tx, name=name, cooldown_ms=cooldown_ms).rowcount == 1


_TAKE_PROBE = Prepared(
    lambda _: (
        update(gates)
        .where(
            _TABLE.name == bindparam("name"),
            _TABLE.state == GateState.BROKEN,
            _TABLE.probe_at <= now_ms(),
        )
        .values(
            probe_at=now_ms() + bindparam("cooldown_ms", type_=BigInteger),
            probe_event=None,
            updated_at=now_ms(),
        )
    )
)


def take_trickle(tx: Connection, name: str, wait_ms: int) -> bool:
    """Whether the caller's call is the first after a pause; the next may after `wait_ms`."""
    return _TAKE_TRICKLE.run(tx, name=name, wait_ms=wait_ms).rowcount == 1


_TAKE_TRICKLE = Prepared(
    lambda _: (
        update(gates)
        .where(
            and_(_TABLE.name == bindparam("name"), _TABLE.state == GateState.FLOWING),
            _TABLE.pauses > 0,
            _TABLE.postponed_until <= now_ms(),
            or_(_TABLE.probe_at.is_(None), _TABLE.probe_at <= now_ms()),
        )
        .values(probe_at=now_ms() + bindparam("wait_ms", type_=BigInteger), updated_at=now_ms())
    )
)


def note_failures(
    tx: Connection,
    name: str,
    failed: Sequence[str],
    *,
    error: str,
    policy: BreakerPolicy,
    actor: str,
    last_try: bool = False,
) -> bool:
    """Count failures that speak against the system; whether they opened the breaker.

    `failed` names the event of each. With `last_try` one of them has no try left, and nothing says
    that the event is to blame: the breaker opens, so that it waits instead.
    """
    gate = locked_gate(tx, name, actor)
    failures = gate.failures + len(failed)
    known = {gate.only_event} if gate.failures else set()
    events = known | set(failed)
    only = events.pop() if len(events) == 1 else None
    counted: dict[str, Any] = {"failures": failures, "only_event": only}
    if gate.state is GateState.FLOWING:
        if last_try or breaks(failures, only, policy):
            open_breaker(
                tx, gate, FAILING, error, actor, seconds=policy.cooldown_seconds, **counted
            )
            return True
        change_gate(tx, name, error=kept(error), **counted)
        return False
    if gate.state is GateState.PAUSED:  # its text is a person's
        change_gate(tx, name, **counted)
        return False
    wait = after(policy.cooldown_seconds)
    change_gate(tx, name, error=kept(error), probe_at=wait, **counted)
    return False


def open_now(tx: Connection, name: str, *, error: str, policy: BreakerPolicy, actor: str) -> bool:
    """Open at once, because no call can succeed: the login is refused. Whether it did not yet."""
    gate = locked_gate(tx, name, actor)
    failures, wait = gate.failures + 1, policy.cooldown_seconds
    if gate.state is GateState.FLOWING:
        open_breaker(tx, gate, UNAUTHORIZED, error, actor, seconds=wait, failures=failures)
        return True
    if gate.state is GateState.BROKEN:
        change_gate(
            tx, name, failures=failures, reason=UNAUTHORIZED, error=kept(error),
            probe_at=after(wait),
        )  # fmt: skip
    return False


def open_breaker(
    tx: Connection,
    gate: Gate,
    reason: str,
    error: str,
    actor: str,
    *,
    seconds: float,
    failures: int,
    **values: Any,
) -> None:
    """Hold calls back from now on; after `seconds` one tries. The row is locked."""
    enter_state(
        tx,
        gate.name,
        GateState.BROKEN,
        actor,
        reason=reason,
        error=kept(error),
        failures=failures,
        probe_at=after(seconds),
        probe_event=None,
        probes=0,
        **values,
    )
    detail = {"detail": kept(error), "failures": failures}
    tell(tx, gate.name, actor, "break", reason=reason, detail=detail)


def note_taken(tx: Connection, name: str, actor: str, *, taken_at: int | None = None) -> bool:
    """A call got through at `taken_at`: failures are forgotten. Whether an open breaker closed.

    During a pause it was a call from before the pause, and says nothing.
    """
    gate = lock_gate(tx, name)
    if gate is None or gate.postponed_ms:
        return False
    taken = max(filter(None, (taken_at or gate.now, gate.taken_at)))
    if gate.state is GateState.BROKEN:
        let_flow(tx, name, actor, taken_at=taken)
        tell(tx, name, actor, "close", detail={"failures": gate.failures})
        return True
    if gate.failures or gate.pauses:
        kept_text = {} if gate.state is GateState.PAUSED else {"error": None, "probe_at": None}
        change_gate(
            tx, name, failures=0, only_event=None, taken_at=taken, pauses=0,
            pausing_since=None, postponed_until=None, **kept_text,
        )  # fmt: skip
    return False
