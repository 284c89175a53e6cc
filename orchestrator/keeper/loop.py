"""The keeper's loop: clocks, incidents, escalation, alerts.

Run any number of them: what a turn does is decided by rows. A keeper keeps nothing; while none
runs, clocks go on, and the next one finds what ran out meanwhile.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from typing import Any

from orchestrator.domain.errors import MeshlineError, StoreUnavailable
from orchestrator.keeper.telling import Teller
from orchestrator.settings import Settings, settings
from orchestrator.store.engine import Store
from orchestrator.store.keeping import complete_words, keep_clocks
from orchestrator.store.migrate import open_store
from orchestrator.store.terms import TermsShelf

log = logging.getLogger(__name__)

_PAUSE_SECONDS = 1.0  # after the store did not answer


class Keeper:
    """One loop, and what it holds open. Raises InvalidFile for a wrong file of contacts."""

    def __init__(self, store: Store, config: Settings) -> None:
        self.store = store
        self.config = config
        self.stopping = threading.Event()
        self._shelf = TermsShelf()
        self._teller = Teller(store=store, config=config)

    def begin(self) -> None:
        """Record what ran out while no keeper ran; then it is ready. Raises StoreUnavailable."""
        complete_words(self.store)
        keep_clocks(self.store, self._shelf)
        log.info("keeping")

    def run(self) -> None:
        """Go on until `stopping` is set; what is begun is ended."""
        while not self.stopping.is_set():
            self.stopping.wait(self.config.keeper_seconds if self._survive() else _PAUSE_SECONDS)

    def turn(self) -> None:
        """Look once, and tell what is due."""
        keep_clocks(self.store, self._shelf)
        self._teller.tell()

    def _survive(self) -> bool:
        try:
            self.turn()
        except StoreUnavailable as error:
            log.warning("%s; trying again", error)
            return False
        except Exception:  # a keeper that ends keeps nobody's clock
            log.exception("a turn failed; trying again")
            return False
        return True


def main() -> int:
    """Run a keeper until SIGTERM or SIGINT."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s keeper: %(message)s")
    try:
        config = settings()
        keeper = Keeper(open_store(config.store_url), config)
        _stop_on_signal(keeper)
        keeper.begin()
        keeper.run()
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
