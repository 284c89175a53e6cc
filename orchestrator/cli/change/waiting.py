"""Wait until a proposed change is live, or is not any more to be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from orchestrator.domain.changes.states import UNFINISHED, ChangeState
from orchestrator.domain.errors import Refused

if TYPE_CHECKING:
    from orchestrator.store.database.engine import Store

_LOOK_SECONDS = 1.0


def wait_until_live(store: Store, token: str) -> int | None:
    """The version that went live; Ctrl-C ends the wait, and not the change.

    Raises Refused where it was given up.
    """
    from orchestrator.operations.changes.show import settled

    while True:
        with store.read() as tx:
            now = settled(tx, token)
        if now.state == ChangeState.LIVE:
            return now.live_version
        if now.state not in UNFINISHED:
            raise Refused(
                f"change {token} is {now.state}",
                field="change",
                fix=f"see `meshline change show {token}`",
            )
        time.sleep(_LOOK_SECONDS)
