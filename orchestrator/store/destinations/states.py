"""Gates as rows: read by every worker, paused and resumed by people.

What opens and closes a circuit breaker is in `orchestrator.store.destinations.breakers`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, and_, case, or_, select, update

from orchestrator.domain.delivery.breakers import PAUSED, Gate, GateState, named_destination
from orchestrator.store.database import audit
from orchestrator.store.database.clock import now_ms
from orchestrator.store.database.due_times import moment
from orchestrator.store.database.prepared import Prepared, storable
from orchestrator.store.database.schema import gates
from orchestrator.store.database.upserts import upsert

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
    _TABLE.postponed_until,
    _TABLE.taken_at,
    _TABLE.only_event,
    _TABLE.pauses,
    _TABLE.pausing_since,
    _TABLE.probes,
    _TABLE.paused_until.label("until"),
    now_ms().label("now"),
)
_STANDING = Prepared(
    lambda _: _READ.where(
        or_(
            _TABLE.state != GateState.FLOWING,
            _TABLE.failures > 0,
            _TABLE.pauses > 0,
            _TABLE.postponed_until > now_ms(),
        )
    )
)


def standing_gates(tx: Connection) -> dict[str, Gate]:
    """The gates by name that do not flow, count failures, or let nobody through for a while."""
    return {row[0]: _gate(row) for row in _STANDING.run(tx)}


def _gate(row: Any) -> Gate:
    found = dict(row._mapping)
    state, due = GateState(found.pop("state")), bool(found.pop("probe_due"))
    return Gate(state=state, probe_due=due, **found)


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


def pause_gate(
    tx: Connection, name: str, *, why: str, actor: str, until: int | None = None
) -> bool:
    """Hold deliveries back until then, or until somebody resumes it; False where it was paused."""
    if locked_gate(tx, name, actor).state is GateState.PAUSED:
        return False
    values = {"reason": PAUSED, "error": kept(why), "probe_at": None, "paused_until": until}
    enter_state(tx, name, GateState.PAUSED, actor, **values)
    tell(tx, name, actor, "pause", detail={"why": why, **told_end(until)})
    return True


def resume_gate(tx: Connection, name: str, *, why: str | None, actor: str) -> bool:
    """Let deliveries pass, whatever stopped them; False where nothing did.

    With a connector the circuit breakers of its actions close.
    """
    of_actions = select(_TABLE.name).where(_TABLE.name.startswith(f"{name}.", autoescape=True))
    names = [name, *sorted(tx.execute(of_actions).scalars())]
    return sum(_resume(tx, one, why, actor) for one in names) > 0


def _resume(tx: Connection, name: str, why: str | None, actor: str) -> bool:
    gate = lock_gate(tx, name)
    if gate is None or (gate.state is GateState.FLOWING and not gate.postponed_ms):
        return False
    let_flow(tx, name, actor)
    said = {"why": why} if why else {}
    tell(tx, name, actor, "resume", reason=gate.reason, detail={"from": gate.state.value, **said})
    return True


def let_flow(tx: Connection, name: str, actor: str, **values: Any) -> None:
    """Nothing is in the way any more, and nothing is counted."""
    nothing = {"reason": None, "error": None, "probe_at": None, **NOT_PAUSING}
    fresh = {"failures": 0, "only_event": None, "probe_event": None}
    enter_state(tx, name, GateState.FLOWING, actor, **nothing, **fresh, **values)


NOT_PAUSING = {"postponed_until": None, "pauses": 0, "pausing_since": None}


def enter_state(tx: Connection, name: str, state: GateState, actor: str, **values: Any) -> None:
    """Write a new state down, and who brought it about."""
    fresh = {"nudged_at": None, "paused_until": None} | values
    change_gate(tx, name, state=state, since=now_ms(), actor=actor, **fresh)


def change_gate(tx: Connection, name: str, **values: Any) -> None:
    """Write values of a row that this transaction has locked."""
    tx.execute(update(gates).where(_TABLE.name == name).values(updated_at=now_ms(), **values))


def locked_gate(tx: Connection, name: str, actor: str) -> Gate:
    """The gate under a lock, made where there was none."""
    found = lock_gate(tx, name)
    if found is not None:
        return found
    insert: Any = upsert(tx.dialect.name, gates)
    made = insert.values(name=name, since=now_ms(), actor=actor, updated_at=now_ms())
    tx.execute(made.on_conflict_do_nothing())
    return _gate(tx.execute(_underlock_gate(name)).one())


def lock_gate(tx: Connection, name: str) -> Gate | None:
    """The gate under a lock; None where there is none."""
    row = tx.execute(_underlock_gate(name)).one_or_none()
    return None if row is None else _gate(row)


def _underlock_gate(name: str) -> Any:
    return _READ.where(_TABLE.name == name).with_for_update()


def tell(
    tx: Connection,
    name: str,
    actor: str,
    action: str,
    *,
    reason: str | None = None,
    detail: dict[str, object],
) -> None:
    """Write into the audit what became of a gate."""
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


def told_end(until: int | None) -> dict[str, object]:
    """When a pause ends, as the audit keeps it; nothing where it has no end."""
    if until is None:
        return {}
    return {"until": moment(until).isoformat(timespec="seconds").replace("+00:00", "Z")}


def kept(text: str) -> str:
    """An error as the row keeps it."""
    return storable(text)[:_LONGEST_ERROR]
