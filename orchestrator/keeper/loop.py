"""The keeper's loops: one for clocks, incidents and escalation, some for alerts, some for jobs.

Run any number of keepers: what a turn does is decided by rows. A keeper keeps nothing; while none
runs, clocks go on, and the next one finds what ran out meanwhile.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from orchestrator.domain.errors import MeshlineError, StoreUnavailable
from orchestrator.domain.heartbeats import ProcessKind
from orchestrator.keeper.telling import InHand, Teller
from orchestrator.operations.approvals.keep_time import end_late_requests
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.changes.rollout.keep import keep_rollouts
from orchestrator.operations.incidents.keep_clocks import complete_words, keep_clocks
from orchestrator.operations.incidents.watch_changes import ChangeWatch, watch_changes
from orchestrator.operations.jobs.carry_out import carry_out_next_job
from orchestrator.outages import Outage
from orchestrator.settings import Settings, settings
from orchestrator.store.database.engine import Store
from orchestrator.store.database.migrate import open_store
from orchestrator.store.desk.heartbeats import Pulse
from orchestrator.store.quarantine.stays import Sweep
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.telemetry_log import log_telemetry

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0  # after a fault of ours
_TELLERS = 8  # alerts that are sent at once: a way out that hangs keeps no clock waiting
_JOBS = 4  # that are carried out at once: each writes in turns with the rest, and a paced one rests


class Keeper:
    """Its loops, and what they hold open. Raises InvalidFile for a wrong file of contacts."""

    def __init__(self, store: Store, config: Settings) -> None:
        self.store = store
        self.config = config
        self.stopping = threading.Event()
        # A look that comes late is not a death yet: it is twice the time between two.
        self.pulse = Pulse(
            store, ProcessKind.KEEPER, longest_turn_seconds=2 * config.keeper_seconds
        )
        self._shelf, self._sweep, self._watch = TermsShelf(), Sweep(), ChangeWatch()
        in_hand = InHand()
        self._tellers = [
            Teller(store=store, config=config, in_hand=in_hand) for _ in range(_TELLERS)
        ]

    def begin(self) -> None:
        """Record what ran out while no keeper ran; then it is ready. Raises StoreUnavailable."""
        complete_words(self.store)
        keep_clocks(self.store, self._shelf, self._sweep, steward=self.config.steward)
        log.info("keeping")

    def run(self) -> None:
        """Go on until `stopping` is set; what is sent then has `stop_seconds` to arrive."""
        turns = [one.tell for one in self._tellers] + [self._carry_out_jobs] * _JOBS
        threads = [threading.Thread(target=self._loop, args=(turn,), daemon=True) for turn in turns]
        for thread in threads:
            thread.start()
        self._loop(self._keep)
        end = time.monotonic() + self.config.stop_seconds
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _keep(self) -> None:
        keep_clocks(self.store, self._shelf, self._sweep, steward=self.config.steward)
        end_late_requests(self.store)
        keep_time_of_changes(self.store)
        watch_changes(self.store, self._watch)
        keep_rollouts(self.store)
        self.pulse.beat("it looked at clocks and incidents")

    def _carry_out_jobs(self) -> None:
        """One job after the other, while there is one."""
        number: int | None = 0
        while number is not None and not self.stopping.is_set():
            number = carry_out_next_job(
                self.store,
                keeper=self.pulse.instance,
                lease_seconds=self.config.job_lease_seconds,
                ending=self.stopping.is_set,
            )

    def _loop(self, turn: Callable[[], object]) -> None:
        outage = Outage(log, "the keeper waits for the store")
        while not self.stopping.is_set():
            self.stopping.wait(self._survive(turn, outage))

    def _survive(self, turn: Callable[[], object], outage: Outage) -> float:
        """Do one turn; answers the seconds until the next."""
        try:
            turn()
        except StoreUnavailable as error:
            return outage.pause_after(error)
        except Exception:  # a keeper that ends keeps nobody's clock
            log.exception("a turn failed; trying again")
            return _PAUSE_SECONDS
        outage.over()
        return self.config.keeper_seconds


def main() -> int:
    """Run a keeper until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s keeper: %(message)s")
    try:
        config = settings()
        log_telemetry()
        keeper = Keeper(open_store(config.store_url), config)
        _stop_on_signal(keeper)
        keeper.begin()
        keeper.run()
        keeper.pulse.end()
        keeper.store.close()
    except MeshlineError as error:
        print(f"keeper: {error}", file=sys.stderr)
        return 1
    return 0


def _stop_on_signal(keeper: Keeper) -> None:
    def stop(*_: Any) -> None:
        keeper.stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


if __name__ == "__main__":
    sys.exit(main())
