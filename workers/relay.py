"""The relay: puts due events on the broker, a chain a group, and holds back under load.

Run any number of them: claims skip what another holds. The relay keeps nothing; when it dies, or
the broker is emptied, what was claimed is due again when its lease runs out.
"""

from __future__ import annotations

import contextlib
import logging
import signal
import sys
import time
from collections.abc import Sequence
from typing import Any

from orchestrator.broker import queue_depth
from orchestrator.domain.errors import MeshlineError, StoreUnavailable
from orchestrator.domain.heartbeats import BEAT_SECONDS, ProcessKind
from orchestrator.outages import Outage
from orchestrator.settings import Settings, settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.desk.heartbeats import Pulse
from orchestrator.store.destinations.held_deliveries import tend_held_deliveries
from orchestrator.store.drive.claim import (
    Claimed,
    ClaimLimits,
    Group,
    claim,
    forget_expired_groups,
    give_back,
)
from orchestrator.store.drive.overlooked import Search
from orchestrator.store.ordering.stuck_lines import LineSearch
from orchestrator.store.ordering.turns import give_turns
from orchestrator.store.quarantine.workflows import WorkflowShelf
from orchestrator.telemetry import ClaimMade, emit, read_kinds
from orchestrator.telemetry_log import log_telemetry
from workers.app import app
from workers.chain import publish

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0  # after a fault of ours
_TIDY_SECONDS = 60.0
_SEARCH_SECONDS = 2.0  # between two looks for events that nobody would wake in time


class Relay:
    """One loop: claim, publish, wait for the bell."""

    def __init__(self, store: Store, config: Settings) -> None:
        self.store = store
        self.config = config
        self.shelf = WorkflowShelf()
        self.pulse = Pulse(store, ProcessKind.RELAY, longest_turn_seconds=config.poll_seconds)
        self._limits = ClaimLimits(
            group_size=config.group_size,
            groups_in_flight=config.groups_in_flight,
            lease_seconds=config.lease_seconds,
            start_limit=config.start_limit,
            patience_seconds=config.patience_seconds,
        )
        self.stopping = False
        self._tidied = 0.0
        self._tended = self._searched = 0.0
        self._search, self._line_search = Search(), LineSearch()
        self._producer: Any = None
        self._may_lie_there = True
        self._asked = 0.0
        self._store_outage = Outage(log, "the relay waits for the store")
        self._broker_outage = Outage(log, "the broker does not take chains")

    def run(self) -> None:
        """Go on until `stopping`."""
        self.store.bell.wait(0)  # from now on no ring is missed
        while not self.stopping:
            try:
                did = self.turn()
                self.pulse.beat(did)
                self._store_outage.over()
                # Whatever became due meanwhile has rung already, and so has a group that ended.
                self._wait(did)
            except StoreUnavailable as error:
                time.sleep(self._store_outage.pause_after(error))
            except Exception:  # a relay that ends drives nobody's events
                log.exception("a turn failed; trying again")
                time.sleep(_PAUSE_SECONDS)

    def turn(self) -> str:
        """Claim once and publish what was claimed; what came of it, for its heartbeat."""
        self._tend()
        if not self._broker_has_room():
            return "it claims nothing: what lies on the broker is not taken"
        with self.store.write() as tx:
            if time.monotonic() - self._tidied > _TIDY_SECONDS:
                forget_expired_groups(tx)
                self._tidied = time.monotonic()
            give_turns(tx)  # before the claim: whose turn it is goes with it
            claimed = claim(tx, self._limits, self.shelf)
        self._may_lie_there = claimed.unfinished > 0
        if not claimed.groups:
            return "nothing was due" if not claimed.unfinished else "it waits for groups to end"
        if ClaimMade in read_kinds:
            _emit_claim(claimed)
        self._publish(claimed.groups)
        return f"it published {len(claimed.groups)} groups"

    def _wait(self, did: str) -> None:
        """Wait for the bell, at most `poll_seconds`, with a beat now and then."""
        end = time.monotonic() + self.config.poll_seconds
        while not self.store.bell.wait(min(BEAT_SECONDS, max(0.0, end - time.monotonic()))):
            if self.stopping or time.monotonic() >= end:
                return
            self.pulse.beat(did)

    def _tend(self) -> None:
        """Release what need not be held any longer; it makes due what is claimed next."""
        now = time.monotonic()
        if now - self._tended >= self.config.poll_seconds:
            self._tended = now
            tend_held_deliveries(self.store)
        if now - self._searched >= _SEARCH_SECONDS:
            self._searched = now
            self._search.wake_overlooked(self.store)
            self._line_search.wake_stuck(self.store)

    def _broker_has_room(self) -> bool:
        """Whether a chain that is published now would find a worker.

        Where no worker takes what lies there, a claim would only cost events a start. It is not
        asked each time: where nothing was unfinished a moment ago, nothing can lie there.
        """
        now = time.monotonic()
        if not self._may_lie_there and now - self._asked < self.config.poll_seconds:
            return True
        self._asked = now
        try:
            waiting = queue_depth(self._open_producer().channel)
        except Exception as error:  # noqa: BLE001 - each transport has errors of its own
            self._broker_failed(error)
            return False
        return waiting < self.config.groups_in_flight

    def _publish(self, found: Sequence[Group]) -> None:
        left = list(found)
        try:
            while left:
                publish(left[0], self._open_producer())
                left.pop(0)
            if self._broker_outage.lasts:
                self._broker_outage.over()
        except Exception as error:  # noqa: BLE001 - each transport has errors of its own
            with self.store.write() as tx:
                for group in left:
                    give_back(tx, group)
            self._broker_failed(error)

    def _open_producer(self) -> Any:
        # Not from Celery's pool: one that was closed stays closed, and one that is not can wait
        # for ever for a connection.
        if self._producer is None:
            self._producer = app.amqp.Producer(app.connection_for_write())
        return self._producer

    def _broker_failed(self, error: Exception) -> None:
        pause = self._broker_outage.pause_after(error)
        producer, self._producer = self._producer, None
        with contextlib.suppress(Exception):
            producer.connection.collect()
        time.sleep(pause)


def _emit_claim(claimed: Claimed) -> None:
    emit(
        ClaimMade(
            groups=len(claimed.groups),
            events=sum(len(group.ids) for group in claimed.groups),
            waited_seconds=claimed.waited_ms / 1000,
        )
    )


def main() -> int:
    """Run a relay until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s relay: %(message)s")
    try:
        config = settings()
        log_telemetry()
        relay = Relay(open_store(config.store_url), config)
        _stop_on_signal(relay)
        log.info("relaying")
        relay.run()
        relay.pulse.end()
        relay.store.close()
    except MeshlineError as error:
        print(f"relay: {error}", file=sys.stderr)
        return 1
    return 0


def _stop_on_signal(relay: Relay) -> None:
    def stop(*_: Any) -> None:
        relay.stopping = True

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main())
