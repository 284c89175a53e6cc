"""Gates as rows: read by every worker, broken by failures, paused and resumed by people."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Connection, and_, bindparam, case, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from orchestrator.domain.gates import Gate, GateState, breaks, named_destination
from orchestrator.domain.handoff import BreakerPolicy
from orchestrator.store import audit
from orchestrator.store.clock import after, now_ms
from orchestrator.store.prepared import Prepared, storable
from orchestrator.store.schema import gates

_LONGEST_ERROR = 2_000  # characters

_TABLE = gates.c
_PROBE_DUE = and_(_TABLE.state == GateState.BROKEN, _TABLE.probe_at <= now_ms())
_READ = select(
    _TABLE.name,
    _TABLE.state,
    _TABLE.reason,
    _TABLE.error,
    _TABLE.failures,
    _TABLE.since,
    _TABLE.actor,
    _TABLE.probe_at,
    _PROBE_DUE.label("probe_due"),
    case((_TABLE.postponed_until > now_ms(), _TABLE.postponed_until - now_ms()), else_=0).label(
        "postponed_ms"
    ),
)
_STANDING = Prepared(
    lambda _: _READ.where(
        or_(
            _TABLE.state != GateState.FLOWING,
            _TABLE.failures > 0,
            _TABLE.postponed_until > now_ms(),
        )
    )
)


def standing_gates(tx: Connection) -> dict[str, Gate]:
    """The gates by name that do not flow, count failures, or let nobody through for a while."""
    return {row[0]: _gate(row) for row in _STANDING.run(tx)}


def _gate(row: Any) -> Gate:
    name, state, reason, error, failures, since, actor, probe_at, probe_due, postponed_ms = row
    return Gate(
        name=name,
        state=GateState(state),
        reason=reason,
        error=error,
        failures=failures,
        since=since,
        actor=actor,
        probe_at=probe_at,
        probe_due=bool(probe_due),
        postponed_ms=postponed_ms,
    )


class GateShelf:
    """The standing gates as one process saw them, at most `ttl` seconds ago."""

    def __init__(self, ttl: float = 1.0) -> None:
        self._ttl = ttl
        self._found: dict[str, Gate] = {}
        self._read_at: float | None = None
        self._lock = threading.Lock()

    def take(self, tx: Connection) -> Mapping[str, Gate]:
        """The gates by name; read anew where they are too old."""
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at >= self._ttl:
                self._found = standing_gates(tx)
                self._read_at = time.monotonic()
            return self._found

    def forget(self) -> None:
        """Read anew at the next need: this process changed one."""
        with self._lock:
            self._read_at = None


def take_probe(tx: Connection, name: str, cooldown_ms: int) -> bool:
    """Whether the caller is the one whose call tries a broken gate; the next may after the wait."""
    return _TAKE_PROBE.run(tx, name=name, cooldown_ms=cooldown_ms).rowcount == 1


_TAKE_PROBE = Prepared(
    lambda _: (
        update(gates)
        .where(_TABLE.name == bindparam("name"), _PROBE_DUE)
        .values(probe_at=now_ms() + bindparam("cooldown_ms", type_=BigInteger), updated_at=now_ms())
    )
)


def note_failures(
    tx: Connection,
    connector: str,
    count: int,
    *,
    error: str,
    policy: BreakerPolicy,
    actor: str,
) -> bool:
    """Count calls that failed, one after the other; whether that broke the gate just now."""
    gate = _locked(tx, connector, actor)
    failures = gate.failures + count
    if gate.state is GateState.FLOWING and breaks(failures, policy):
        _break(tx, connector, "failing", error, failures, policy, actor)
        return True
    if gate.state is GateState.BROKEN:
        wait = after(policy.cooldown_seconds)
        _change(tx, connector, failures=failures, error=_kept(error), probe_at=wait)
    elif gate.state is GateState.PAUSED:  # its text is a person's
        _change(tx, connector, failures=failures)
    else:
        _change(tx, connector, failures=failures, error=_kept(error))
    return False


def break_now(
    tx: Connection,
    connector: str,
    *,
    reason: str = "unauthorized",
    error: str,
    policy: BreakerPolicy,
    actor: str,
) -> bool:
    """Break a gate at once, because no call can succeed; whether it was whole before."""
    gate = _locked(tx, connector, actor)
    failures = gate.failures + 1
    if gate.state is GateState.FLOWING:
        _break(tx, connector, reason, error, failures, policy, actor)
        return True
    if gate.state is GateState.BROKEN:
        wait = after(policy.cooldown_seconds)
        _change(tx, connector, failures=failures, reason=reason, error=_kept(error), probe_at=wait)
    return False


def note_success(tx: Connection, connector: str, actor: str) -> bool:
    """A call succeeded: failures are forgotten; whether a broken gate flows again by it."""
    gate = _lock(tx, connector)
    if gate is None or (gate.state is not GateState.BROKEN and not gate.failures):
        return False
    if gate.state is GateState.PAUSED:
        _change(tx, connector, failures=0)
        return False
    if gate.state is GateState.FLOWING:
        _change(tx, connector, failures=0, error=None)
        return False
    _let_flow(tx, connector, actor)
    _tell(tx, connector, actor, "close", detail={"failures": gate.failures})
    return True


def pause_gate(tx: Connection, name: str, *, why: str, actor: str) -> bool:
    """Hold deliveries back until somebody resumes it; False where it was paused already."""
    if _locked(tx, name, actor).state is GateState.PAUSED:
        return False
    _enter(tx, name, GateState.PAUSED, actor, reason="paused", error=_kept(why), probe_at=None)
    _tell(tx, name, actor, "pause", detail={"why": why})
    return True


def resume_gate(tx: Connection, name: str, *, why: str | None, actor: str) -> bool:
    """Let deliveries pass, whatever stopped them; False where nothing did."""
    gate = _lock(tx, name)
    if gate is None or (gate.state is GateState.FLOWING and not gate.postponed_ms):
        return False
    _let_flow(tx, name, actor)
    said = {"why": why} if why else {}
    _tell(tx, name, actor, "resume", reason=gate.reason, detail={"from": gate.state.value, **said})
    return True


def _break(
    tx: Connection,
    name: str,
    reason: str,
    error: str,
    failures: int,
    policy: BreakerPolicy,
    actor: str,
) -> None:
    _enter(
        tx,
        name,
        GateState.BROKEN,
        actor,
        reason=reason,
        error=_kept(error),
        failures=failures,
        probe_at=after(policy.cooldown_seconds),
    )
    detail = {"detail": _kept(error), "failures": failures}
    _tell(tx, name, actor, "break", reason=reason, detail=detail)


def _let_flow(tx: Connection, name: str, actor: str) -> None:
    nothing = {"reason": None, "error": None, "probe_at": None, "postponed_until": None}
    _enter(tx, name, GateState.FLOWING, actor, failures=0, **nothing)


def _enter(tx: Connection, name: str, state: GateState, actor: str, **values: Any) -> None:
    _change(tx, name, state=state, since=now_ms(), actor=actor, nudged_at=None, **values)


def _change(tx: Connection, name: str, **values: Any) -> None:
    tx.execute(update(gates).where(_TABLE.name == name).values(updated_at=now_ms(), **values))


def _locked(tx: Connection, name: str, actor: str) -> Gate:
    """The gate under a lock, made where there was none."""
    found = _lock(tx, name)
    if found is not None:
        return found
    insert: Any = (sqlite if tx.dialect.name == "sqlite" else postgresql).insert(gates)
    made = insert.values(name=name, since=now_ms(), actor=actor, updated_at=now_ms())
    tx.execute(made.on_conflict_do_nothing())
    return _gate(tx.execute(_under_lock(name)).one())


def _lock(tx: Connection, name: str) -> Gate | None:
    row = tx.execute(_under_lock(name)).one_or_none()
    return None if row is None else _gate(row)


def _under_lock(name: str) -> Any:
    return _READ.where(_TABLE.name == name).with_for_update()


def _tell(
    tx: Connection,
    name: str,
    actor: str,
    action: str,
    *,
    reason: str | None = None,
    detail: dict[str, object],
) -> None:
    client, workflow, destination = named_destination(name) or (None, None, None)
    audit.record(
        tx,
        actor=actor,
        action=action,
        client=client,
        workflow=workflow,
        destination=destination,
        reason=reason,
        detail={"gate": name, **detail},
    )


def _kept(text: str) -> str:
    return storable(text)[:_LONGEST_ERROR]
