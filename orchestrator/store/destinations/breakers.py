"""Circuit breakers as rows: what calls say of a system opens and closes them for all workers.

One is closed while nothing blocks its circuit, open while `block` is `breaker`, and half-open while
one call tries: then it is the `probe_event` of its row, or the row is `probing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, bindparam, or_, update

from orchestrator.domain.delivery.breakers import FAILING, UNAUTHORIZED, Block, Circuit, breaks
from orchestrator.domain.delivery.handoff import BreakerPolicy
from orchestrator.store.database.clock import after, now_ms
from orchestrator.store.database.engine import emit_after_commit
from orchestrator.store.database.prepared import Prepared
from orchestrator.store.database.schema import circuits
from orchestrator.store.destinations.circuits import (
    block_circuit,
    change_circuit,
    clear_circuit,
    lock_circuit,
    lock_or_add_circuit,
    record_circuit,
    shortened,
)
from orchestrator.telemetry import BreakerRecovered, BreakerTripped

_TABLE = circuits.c


def take_probe(tx: Connection, name: str, cooldown_ms: int) -> bool:
    """Whether the caller's call is the one that tries; the next may after the cooldown."""
    return _TAKE_PROBE.run(tx, name=name, cooldown_ms=cooldown_ms).rowcount == 1


_TAKE_PROBE = Prepared(
    lambda _: (
        update(circuits)
        .where(
            _TABLE.name == bindparam("name"),
            _TABLE.block == Block.BREAKER,
            _TABLE.probe_at <= now_ms(),
        )
        .values(
            probe_at=now_ms() + bindparam("cooldown_ms", type_=BigInteger),
            probe_event=None,
            probing=True,
            updated_at=now_ms(),
        )
    )
)


def take_trickle(tx: Connection, name: str, wait_ms: int) -> bool:
    """Whether the caller's call is the first after a pause; the next may after `wait_ms`."""
    return _TAKE_TRICKLE.run(tx, name=name, wait_ms=wait_ms).rowcount == 1


_TAKE_TRICKLE = Prepared(
    lambda _: (
        update(circuits)
        .where(
            and_(_TABLE.name == bindparam("name"), _TABLE.block.is_(None)),
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
    circuit = lock_or_add_circuit(tx, name, actor)
    failures = circuit.failures + len(failed)
    known = {circuit.only_event} if circuit.failures else set()
    events = known | set(failed)
    only = events.pop() if len(events) == 1 else None
    counted: dict[str, Any] = {"failures": failures, "only_event": only}
    if not circuit.blocked:
        if last_try or breaks(failures, only, policy):
            open_breaker(
                tx, circuit, FAILING, error, actor, seconds=policy.cooldown_seconds, **counted
            )
            return True
        change_circuit(tx, name, error=shortened(error), **counted)
        return False
    if circuit.block is Block.PAUSE:  # its text is a person's
        change_circuit(tx, name, **counted)
        return False
    wait = after(policy.cooldown_seconds)
    change_circuit(tx, name, error=shortened(error), probe_at=wait, probing=False, **counted)
    return False


def open_now(tx: Connection, name: str, *, error: str, policy: BreakerPolicy, actor: str) -> bool:
    """Open at once, because no call can succeed: the login is refused. Whether it did not yet."""
    circuit = lock_or_add_circuit(tx, name, actor)
    failures, wait = circuit.failures + 1, policy.cooldown_seconds
    if not circuit.blocked:
        open_breaker(tx, circuit, UNAUTHORIZED, error, actor, seconds=wait, failures=failures)
        return True
    if circuit.block is Block.BREAKER:
        change_circuit(
            tx, name, failures=failures, reason=UNAUTHORIZED, error=shortened(error),
            probe_at=after(wait), probing=False,
        )  # fmt: skip
    return False


def open_breaker(
    tx: Connection,
    circuit: Circuit,
    reason: str,
    error: str,
    actor: str,
    *,
    seconds: float,
    failures: int,
    **values: object,
) -> None:
    """Hold calls back from now on; after `seconds` one tries. The row is locked."""
    block_circuit(
        tx,
        circuit.name,
        Block.BREAKER,
        actor,
        reason=reason,
        error=shortened(error),
        failures=failures,
        probe_at=after(seconds),
        probe_event=None,
        probes=0,
        **values,
    )
    detail = {"detail": shortened(error), "failures": failures}
    record_circuit(tx, circuit.name, actor, "trip", reason=reason, detail=detail)
    emit_after_commit(tx, BreakerTripped(breaker=circuit.name, reason=reason, failures=failures))


def note_taken(tx: Connection, name: str, actor: str, *, taken_at: int | None = None) -> bool:
    """A call got through at `taken_at`: failures are forgotten. Whether an open breaker closed.

    During a pause it was a call from before the pause, and says nothing.
    """
    circuit = lock_circuit(tx, name)
    if circuit is None or circuit.postponed_ms:
        return False
    taken = max(filter(None, (taken_at or circuit.now, circuit.taken_at)))
    if circuit.block is Block.BREAKER:
        clear_circuit(tx, name, actor, taken_at=taken)
        record_circuit(tx, name, actor, "recover", detail={"failures": circuit.failures})
        emit_after_commit(tx, BreakerRecovered(breaker=name, failures=circuit.failures))
        return True
    if circuit.failures or circuit.pauses:
        texts = {} if circuit.block is Block.PAUSE else {"error": None, "probe_at": None}
        change_circuit(
            tx, name, failures=0, only_event=None, taken_at=taken, pauses=0,
            pausing_since=None, postponed_until=None, **texts,
        )  # fmt: skip
    return False
