"""Circuits as rows: read by every worker, paused and resumed by people.

What opens and closes a circuit breaker is in `orchestrator.store.destinations.breakers`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, and_, case, or_, select, update

from orchestrator.domain.commitments import Detail
from orchestrator.domain.delivery.breakers import PAUSED, RATE, Block, Circuit, named_destination
from orchestrator.store.database import audit
from orchestrator.store.database.clock import moment, now_ms
from orchestrator.store.database.engine import emit_after_commit
from orchestrator.store.database.prepared import Prepared, storable
from orchestrator.store.database.schema import circuits
from orchestrator.store.database.upserts import upsert
from orchestrator.telemetry import DestinationPaused, DestinationResumed

_LONGEST_ERROR = 2_000  # characters

_TABLE = circuits.c
TRIED = or_(_TABLE.block == Block.BREAKER, _TABLE.block == Block.DEFINITION)
"""Whether something goes through it now and then, to see whether all may."""

_PROBE_DUE = and_(TRIED, _TABLE.probe_at <= now_ms())
_READ = select(
    _TABLE.name,
    _TABLE.block,
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
    _TABLE.probe_event,
    _TABLE.probing,
    _TABLE.paused_until.label("until"),
    now_ms().label("now"),
)
_TROUBLED = Prepared(
    lambda _: _READ.where(
        or_(
            _TABLE.block.is_not(None),
            _TABLE.failures > 0,
            _TABLE.pauses > 0,
            _TABLE.postponed_until > now_ms(),
        )
    )
)


def troubled_circuits(tx: Connection) -> dict[str, Circuit]:
    """By name, the circuits that are blocked, count failures, or are asked to wait for a while."""
    return {row[0]: _circuit(row) for row in _TROUBLED.run(tx)}


def _circuit(row: Any) -> Circuit:
    found = dict(row._mapping)
    block, due = found.pop("block"), bool(found.pop("probe_due"))
    return Circuit(block=Block(block) if block else None, probe_due=due, **found)


def pause_circuit(
    tx: Connection, name: str, *, why: str, actor: str, until: int | None = None
) -> bool:
    """Hold deliveries back until then, or until somebody resumes it; False where it was paused."""
    if lock_or_add_circuit(tx, name, actor).block is Block.PAUSE:
        return False
    values = {"reason": PAUSED, "error": shortened(why), "probe_at": None, "paused_until": until}
    block_circuit(tx, name, Block.PAUSE, actor, **values)
    record_circuit(tx, name, actor, "pause", detail={"why": why, **audited_end(until)})
    emit_after_commit(tx, DestinationPaused(name=name, until=until))
    return True


def resume_circuit(tx: Connection, name: str, *, why: str | None, actor: str) -> bool:
    """Let deliveries pass, whatever blocked them; False where nothing did.

    With a connector the circuit breakers of its actions close.
    """
    of_actions = select(_TABLE.name).where(_TABLE.name.startswith(f"{name}.", autoescape=True))
    names = [name, *sorted(tx.execute(of_actions).scalars())]
    return sum(_resume(tx, one, why, actor) for one in names) > 0


def _resume(tx: Connection, name: str, why: str | None, actor: str) -> bool:
    circuit = lock_circuit(tx, name)
    if circuit is None or (not circuit.blocked and not circuit.postponed_ms):
        return False
    clear_circuit(tx, name, actor)
    said = {"why": why} if why else {}
    record_circuit(
        tx,
        name,
        actor,
        "resume",
        reason=circuit.reason,
        detail={"from": circuit.block or RATE, **said},
    )
    emit_after_commit(tx, DestinationResumed(name=name, by_itself=False))
    return True


def clear_circuit(tx: Connection, name: str, actor: str, **values: object) -> None:
    """Nothing is in the way any more, and nothing is counted."""
    fresh = {"failures": 0, "only_event": None, "probe_event": None}
    unblock_circuit(tx, name, actor, **NOT_PAUSING, **fresh, **values)


NOT_PAUSING = {"postponed_until": None, "pauses": 0, "pausing_since": None}


def unblock_circuit(tx: Connection, name: str, actor: str, **values: object) -> None:
    """Let calls go out from now on; failures that were counted stay so."""
    nothing = {"block": None, "reason": None, "error": None, "probe_at": None}
    _set_block(tx, name, actor, **nothing, **values)


def block_circuit(tx: Connection, name: str, block: Block, actor: str, **values: object) -> None:
    """Keep calls back from now on, and write down who did it."""
    _set_block(tx, name, actor, block=block, **values)


def _set_block(tx: Connection, name: str, actor: str, **values: object) -> None:
    fresh = {"nudged_at": None, "paused_until": None, "probing": False} | values
    change_circuit(tx, name, since=now_ms(), actor=actor, **fresh)


def change_circuit(tx: Connection, name: str, **values: object) -> None:
    """Write values of a row that this transaction has locked."""
    tx.execute(update(circuits).where(_TABLE.name == name).values(updated_at=now_ms(), **values))


def lock_or_add_circuit(tx: Connection, name: str, actor: str) -> Circuit:
    """The circuit under a lock, made where there was none."""
    found = lock_circuit(tx, name)
    if found is not None:
        return found
    insert: Any = upsert(tx.dialect.name, circuits)
    made = insert.values(name=name, since=now_ms(), actor=actor, updated_at=now_ms())
    tx.execute(made.on_conflict_do_nothing())
    return _circuit(tx.execute(_select_locked(name)).one())


def lock_circuit(tx: Connection, name: str) -> Circuit | None:
    """The circuit under a lock; None where there is none."""
    row = tx.execute(_select_locked(name)).one_or_none()
    return None if row is None else _circuit(row)


def _select_locked(name: str) -> Any:
    return _READ.where(_TABLE.name == name).with_for_update()


def record_circuit(
    tx: Connection,
    name: str,
    actor: str,
    action: str,
    *,
    reason: str | None = None,
    detail: Detail,
) -> None:
    """Write into the audit what became of a circuit."""
    client, workflow, destination = named_destination(name) or (None, None, None)
    audit.record(
        tx,
        actor=actor,
        action=action,
        client=client,
        workflow=workflow,
        destination=destination,
        reason=reason,
        detail={"circuit": name, **detail},
    )


def audited_end(until: int | None) -> dict[str, object]:
    """When a pause ends, as an audit row has it; nothing where it has no end."""
    if until is None:
        return {}
    return {"until": moment(until).isoformat(timespec="seconds").replace("+00:00", "Z")}


def shortened(text: str) -> str:
    """An error as a circuit's row keeps it."""
    return storable(text)[:_LONGEST_ERROR]
