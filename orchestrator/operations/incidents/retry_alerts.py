"""Send again what failed for good: after a night without a mail server, say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.domain.access.actor import Actor
from orchestrator.domain.acts import Act
from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import ChangedSinceSeen, NotFound, Refused
from orchestrator.operations.access.allow import allow
from orchestrator.store.clocks.alert_moves import (
    count_failed,
    failed_alerts,
    last_retry,
    retry_alert,
    state_of_alert,
)
from orchestrator.store.clocks.alerts import add_test
from orchestrator.store.database.engine import Store, Tx
from orchestrator.store.views.values import now_of

MOST_AT_ONCE = 10_000
"""Alerts that failed and that one act sends again: each is a row of the audit too."""


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


@dataclass(frozen=True, kw_only=True, slots=True)
class FailedAlerts:
    """What `retry_failed_alerts` would send again, and by what that is known again."""

    ids: tuple[int, ...]  # the oldest, at most MOST_AT_ONCE
    total: int  # all that failed for good
    digest: str  # of both
    looked_at: int  # the store's time, in milliseconds


def look_at_failed_alerts(tx: Tx) -> FailedAlerts:
    """Every alert that failed for good, counted, and those that one act sends again."""
    ids = failed_alerts(tx, limit=MOST_AT_ONCE)
    total = count_failed(tx)
    digest = strict_json.digest([ids, total])
    return FailedAlerts(ids=tuple(ids), total=total, digest=digest, looked_at=now_of(tx))


def retry_failed_alerts(
    store: Store, *, actor: Actor, seen: str | None = None, since: int = 0
) -> list[int]:
    """Make the alerts that failed for good due now, the oldest MOST_AT_ONCE; their numbers.

    `seen` is the digest of what a person saw, at `since` in milliseconds. Raises ChangedSinceSeen,
    which says who sent one again since.
    """
    with store.write() as tx:
        allow(tx, actor, Act.RETRY_ALERT, ())
        found = look_at_failed_alerts(tx)
        if seen is not None and seen != found.digest:
            raise _changed(tx, since)
        return [one for one in found.ids if retry_alert(tx, one, actor=actor.name)]


def _changed(tx: Tx, since: int) -> ChangedSinceSeen:
    last = last_retry(tx, since=since)
    told = f"{last.by} sent alert {last.alert} again at {last.at}" if last else "others failed"
    return ChangedSinceSeen(
        f"the alerts that failed for good are not those that you saw: {told}",
        fix="look at them again, and decide then",
    )


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
