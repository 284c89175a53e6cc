"""Keep the clocks: one turn of a keeper looks first, and writes only what has to be written."""

from __future__ import annotations

from orchestrator.operations.incidents.escalate import escalate_incidents
from orchestrator.store.clocks.alerts import announce_incidents
from orchestrator.store.clocks.deadlines import (
    ACTOR,
    find_late,
    record_late,
    record_overdue,
    record_unanswered,
)
from orchestrator.store.clocks.low_rates import find_low_rates, open_and_resolve_rates, open_rates
from orchestrator.store.clocks.news import tell_growth
from orchestrator.store.clocks.poison import (
    give_to_steward,
    has_unnoted_poison,
    note_poison,
    steward_terms,
)
from orchestrator.store.clocks.resolve_incidents import (
    any_unresolved,
    begin_anew,
    group_ungrouped,
    resolve_ended_incidents,
)
from orchestrator.store.database.engine import Store
from orchestrator.store.destinations.stopped_clocks import tend_stopped_clocks
from orchestrator.store.quarantine.incident_moves import end_acknowledgements
from orchestrator.store.quarantine.payload_index import index_missing
from orchestrator.store.quarantine.stays import Sweep, end_stays
from orchestrator.store.quarantine.workflow_terms import TermsShelf
from orchestrator.store.views.incidents.list import count_ungrouped


def keep_clocks(
    store: Store,
    shelf: TermsShelf,
    sweep: Sweep | None = None,
    *,
    steward: str | None = None,
    rounds: int = 20,
) -> None:
    """Record what is late, count, raise and settle incidents, escalate, write alerts.

    A keeper gives the same `sweep` each time, so that its looks at events under way go round.
    `steward` is who owns messages that no worker can read.

    Each part is a transaction of its own; rows decide who does it, so any number may do it at once.
    """
    for _ in range(rounds):
        with store.read() as tx:
            late = find_late(tx, shelf.take(tx))
        if not late:
            break
        with store.write() as tx:
            record_late(tx, late)
    with store.read() as tx:
        poisoned = has_unnoted_poison(tx)
    if poisoned:
        with store.write() as tx:
            note_poison(tx, steward=steward, actor=ACTOR)
    with store.read() as tx:
        ungrouped, incidents_stand = count_ungrouped(tx), any_unresolved(tx)
    if ungrouped:
        with store.write() as tx:
            group_ungrouped(tx)
    if ungrouped or incidents_stand:
        end_stays(store, sweep or Sweep())
        with store.read() as tx:
            newest = shelf.newest(tx)
            told_low = open_rates(tx)  # before the measure; see open_and_resolve_rates
            low = find_low_rates(tx, newest)
        with store.write() as tx:
            resolve_ended_incidents(tx)
            if low or told_low:
                open_and_resolve_rates(tx, low, newest, known=told_low)
        with store.write() as tx:
            give_to_steward(tx, steward, actor=ACTOR)
            tend_stopped_clocks(tx, newest)
            record_overdue(tx)
            begin_anew(tx)
            record_unanswered(tx)
            end_acknowledgements(tx, actor=ACTOR)
            escalate_incidents(tx, {**newest, **steward_terms(steward)})
            tell_growth(tx, actor=ACTOR)
            announce_incidents(tx)


def complete_words(store: Store) -> None:
    """Index the events in quarantine since an older release, which kept no words."""
    while True:
        with store.write() as tx:
            if not index_missing(tx):
                return
