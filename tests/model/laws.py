"""What must hold after every commit, whatever happened; read from the tables by themselves.

Each commit is compared with the one before, so that what is illegal is seen where it happens.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from orchestrator.domain.lifecycle import (
    DELIVERY_TRANSITIONS,
    DONE_DELIVERIES,
    STAGE_OF,
    TRANSITIONS,
    DeliveryState,
    State,
)
from orchestrator.settings import Settings
from orchestrator.store.database.engine import Store
from orchestrator.store.drive.overlooked import WAKE
from tests.model.actors import current_actor
from tests.model.clock import ModelClock
from tests.model.destination import ModelDestination
from tests.model.holders import check_holders

_MOVES = {(one.move, one.source, one.target) for one in TRANSITIONS}
_DELIVERY_MOVES = {(source, target) for source, target, _ in DELIVERY_TRANSITIONS}
_EVENTS, _DELIVERIES = "SELECT * FROM events", "SELECT * FROM deliveries"
_GROUPS = "SELECT * FROM groups"
_AUDIT = "SELECT * FROM audit WHERE id >"
_STANDING = "SELECT event_id FROM quarantine WHERE released_at IS NULL"
_HELD_SECONDS = 3_600  # what holds it lets it go; this is for the case that it is forgotten
_TOLD = {
    "confirm": DeliveryState.CONFIRMED,
    "receipt": DeliveryState.RECEIPTED,
    "fail": DeliveryState.FAILED,
}


@dataclass(kw_only=True)
class Seen:
    """The tables as one commit left them."""

    events: dict[str, Any] = field(default_factory=dict)
    deliveries: dict[tuple[str, str], Any] = field(default_factory=dict)
    standing: Counter[str] = field(default_factory=Counter)
    groups: dict[int, int] = field(default_factory=dict)  # the end of its lease, by epoch
    told: Sequence[Any] = ()  # the audit's rows of this commit
    last: int = 0  # the audit's last row


class Laws:
    """The observer: `look` after each commit."""

    def __init__(
        self, store: Store, clock: ModelClock, config: Settings, tool: ModelDestination
    ) -> None:
        self._store, self._clock, self._config, self._tool = store, clock, config, tool
        self._was = Seen()
        self._moved: dict[str, tuple[str, int]] = {}  # state and time of an event by the audit
        self._epochs: Counter[str] = Counter()  # the highest that each event ever had
        self._workflows: dict[int, int] = {}  # by epoch
        self._allowed: Counter[tuple[str, str]] = Counter()  # resends that a person asked for

    def look(self) -> None:
        """Hold what is there now against all laws."""
        now = self._read()
        check_holders(self._was, now, actor=current_actor(), ms=self._clock.ms)
        self._the_audit_is_a_legal_life(now)
        for row in now.events.values():
            assert (row.state, row.updated_at) == self._moved[row.id], f"{row} moved in silence"
            self._who_is_driven_is_due(row, now)
            self._epochs_only_rise(row, now)
            if row.epoch:
                workflow = self._workflows.setdefault(row.epoch, row.workflow_id)
                assert row.workflow_id == workflow, f"{row} is in a group of another workflow"
        for key, row in now.deliveries.items():
            self._deliveries_move_legally(self._was.deliveries.get(key), row)
            self._no_record_is_doubled(key, row)
        self._nothing_vanishes(now)
        woken = [row for row in now.told if row.action == WAKE]
        assert not woken, f"{woken}: the net held, and something let it fall"
        self._each_end_of_a_delivery_is_told_once(now)
        self._delivered_is_done(now)
        self._was = now

    @property
    def seen(self) -> Seen:
        """The tables at the last look."""
        return self._was

    @property
    def standing(self) -> bool:
        """Whether anything was in quarantine at the last look."""
        return bool(self._was.standing)

    def state_of(self, event_id: str) -> str:
        """The state of an event at the last look."""
        return str(self._was.events[event_id].state)

    def snapshot(self) -> tuple[object, ...]:
        """Everything that a message could change."""
        now = self._read()
        return now.events, now.deliveries, now.standing, now.last, dict(self._tool.records)

    def _read(self) -> Seen:
        # By the driver's own words, past the gates: this is done thousands of times.
        with Store.read(self._store) as tx:
            told = tx.exec_driver_sql(f"{_AUDIT} {self._was.last} ORDER BY id").all()
            return Seen(
                events={row.id: row for row in tx.exec_driver_sql(_EVENTS)},
                deliveries={(row.event_id, row.name): row
                            for row in tx.exec_driver_sql(_DELIVERIES)},
                standing=Counter(tx.exec_driver_sql(_STANDING).scalars()),
                groups={row.epoch: row.lease_until for row in tx.exec_driver_sql(_GROUPS)},
                told=told,
                last=told[-1].id if told else self._was.last,
            )  # fmt: skip

    def _the_audit_is_a_legal_life(self, now: Seen) -> None:
        for row in now.told:
            if row.event_id is None or row.destination is not None:
                continue
            was, _ = self._moved.get(row.event_id, (None, 0))
            assert row.source == was, f"{row} does not follow {was}"
            assert (row.action, row.source, row.target) in _MOVES, f"{row} is illegal"
            assert (row.reason is not None) == (row.action == "quarantine"), row
            self._moved[row.event_id] = row.target, row.at

    def _who_is_driven_is_due(self, row: Any, now: Seen) -> None:
        standing, lease = now.standing[row.id], self._config.lease_seconds
        if row.state in STAGE_OF:
            assert row.due_at is not None, f"{row} is driven by nobody"
            own = [one for one in now.deliveries.values() if one.event_id == row.id]
            patience = _HELD_SECONDS if any(one.held_by for one in own) else lease
            latest = self._clock.ms + int(patience * 1000)
            assert row.due_at <= latest, f"{row} waits for longer than a lease"
            if row.state == State.ROUTED:
                self._is_due_with_its_deliveries(row, own, now)
        else:
            assert row.due_at is None, f"{row} is due and at rest"
        assert standing == (row.state == State.QUARANTINED), f"{row} is there {standing} times"
        assert 0 <= row.starts <= self._config.start_limit, row

    def _is_due_with_its_deliveries(self, row: Any, own: Sequence[Any], now: Seen) -> None:
        """Or a group has it in hand, which will see to it."""
        if row.due_at <= max(now.groups.get(row.epoch, 0), self._clock.ms):
            return
        when = [_waits_until(one) for one in own]
        due = [at for at in when if at is not None]
        held = any(one.state == DeliveryState.HELD for one in own)
        assert due or held, f"{row} has nothing to wait for: {own}"
        latest = min(due, default=row.due_at)
        assert row.due_at <= max(latest, self._clock.ms), f"{row} is due later than {own}"

    def _epochs_only_rise(self, row: Any, now: Seen) -> None:
        was = self._was.events.get(row.id)
        if was is None or row.epoch == was.epoch:
            return
        if row.epoch == 0:
            assert any(one.event_id == row.id and one.action == "replay" for one in now.told), row
        else:
            assert row.epoch > self._epochs[row.id], f"{row} has an epoch from before"
            self._epochs[row.id] = row.epoch

    def _deliveries_move_legally(self, was: Any, row: Any) -> None:
        assert (row.run_id is not None) == (row.state == DeliveryState.SENDING), row
        assert (row.held_by is not None) == (row.state == DeliveryState.HELD), row
        if was is None:
            assert (row.state, row.attempt) == (DeliveryState.PENDING, 0), row
        elif was.state in DONE_DELIVERIES:
            assert (row.state, row.record_id) == (was.state, was.record_id), f"{was} is over: {row}"
        elif was.state != row.state:
            assert (was.state, row.state) in _DELIVERY_MOVES, f"{was} became {row}"
        elif was.run_id != row.run_id:
            assert was.run_until <= self._clock.ms and row.unknown, f"{was} was taken away: {row}"

    def _no_record_is_doubled(self, key: tuple[str, str], row: Any) -> None:
        kept = self._tool.records[".".join(key)]
        assert len(kept) <= 1 + self._allowed[key], f"{row} is there as {kept}"
        if row.state == DeliveryState.CONFIRMED:
            (record,) = (one for one in kept if one.id == row.record_id)
            sent, confirm = orjson.loads(row.send), orjson.loads(row.confirm)
            assert all(record.fields.get(name) == sent[name] for name in confirm), (row, record)

    def _nothing_vanishes(self, now: Seen) -> None:
        assert self._was.events.keys() <= now.events.keys()
        for key in self._was.deliveries.keys() - now.deliveries.keys():
            gone = self._was.deliveries[key]
            assert gone.state not in DONE_DELIVERIES, f"{gone} was made, and is forgotten"
            if gone.unknown or gone.state == DeliveryState.SENDING:
                said = [(one.event_id, one.destination) for one in now.told
                        if one.action == "abandon"]  # fmt: skip
                assert said.count(key) == 1, f"{gone} may be there, and nobody says so"

    def _each_end_of_a_delivery_is_told_once(self, now: Seen) -> None:
        told = Counter(
            (row.event_id, row.destination, _TOLD[row.action])
            for row in now.told
            if row.action in _TOLD
        )
        came = Counter(
            (*key, row.state)
            for key, row in now.deliveries.items()
            if row.state in _TOLD.values() and self._state_before(key) != row.state
        )
        assert told == came, f"told {told}, and {came} came about"
        for row in now.told:
            if row.action == "send_again":
                self._allowed[row.event_id, row.destination] += 1

    def _state_before(self, key: tuple[str, str]) -> str | None:
        was = self._was.deliveries.get(key)
        return was.state if was else None

    def _delivered_is_done(self, now: Seen) -> None:
        done: dict[str, list[bool]] = {}
        for (event_id, _), row in now.deliveries.items():
            done.setdefault(event_id, []).append(row.state in DONE_DELIVERIES)
        for row in now.events.values():
            if row.state == State.DELIVERED:
                assert row.id in done and all(done[row.id]), f"{row} is not delivered"


def _waits_until(row: Any) -> int | None:
    """When a delivery is to go on by itself; None where it is not."""
    match row.state:
        case DeliveryState.PENDING:
            return row.due_at  # type: ignore[no-any-return]
        case DeliveryState.SENDING:
            return row.run_until  # type: ignore[no-any-return]
    return None
