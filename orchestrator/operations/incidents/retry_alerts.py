"""Send again what failed for good: after a night without a mail server, say."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import NotFound, Refused
from orchestrator.operations.access.allow import allow
from orchestrator.store.clocks.alert_moves import failed_alerts, retry_alert, state_of_alert
from orchestrator.store.clocks.alerts import add_test
from orchestrator.store.database.engine import Store, Tx


def retry_alerts(store: Store, numbers: Sequence[int], *, actor: Actor) -> list[int]:
    """Make these alerts due now, all of them or none; their numbers.

    Raises NotFound, Refused for one that did not fail.
    """
    chosen = sorted(set(numbers))
    with store.write() as tx:
        allow(tx, actor, Act.RETRY_ALERT, ())
        for number in chosen:
            if not retry_alert(tx, number, actor=actor.name):
                raise _not_failed(tx, number)
    return chosen


def retry_failed_alerts(store: Store, *, actor: Actor) -> list[int]:
    """Make every alert that failed for good due now; their numbers."""
    with store.write() as tx:
        allow(tx, actor, Act.RETRY_ALERT, ())
        return [one for one in failed_alerts(tx) if retry_alert(tx, one, actor=actor.name)]


def add_test_alert(store: Store, recipient: str, *, actor: Actor) -> int:
    """A test alert, due now; its number. Who sends it at once is the caller's choice."""
    with store.write() as tx:
        allow(tx, actor, Act.TEST_ALERT, ())
        return add_test(tx, recipient, actor=actor.name)


def _not_failed(tx: Tx, number: int) -> Refused:
    state = state_of_alert(tx, number)
    if state is None:
        return NotFound(f"there is no alert {number}", fix="see `meshline alerts list`")
    return Refused(
        f"alert {number} is {state}",
        fix="only one that failed can be sent again; see `meshline alerts list --failing`",
    )
