"""Take amendments back: the payloads of quarantined events are again as they came."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.operations.choose_amendable import choose_amendable, look_at_amended
from orchestrator.operations.fix_events import Fixed
from orchestrator.operations.select_events import selected_chunks
from orchestrator.store.database.engine import Store
from orchestrator.store.database.locks import hold_events
from orchestrator.store.quarantine.amendments import digests_of_amended, take_back
from orchestrator.store.views.selection import Selection


def reset_events(
    store: Store,
    selection: Selection,
    *,
    actor: str,
    again: bool = False,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Fixed:
    """Remove the amendments of quarantined events; what nobody amended is unchanged.

    Somebody else's amendments are removed with `again` only. `progress` gets, after each chunk, how
    many events were looked at. Raises Refused without a condition, NotFound.
    """
    found, skipped = selected_chunks(store, selection)
    report = Fixed(dry_run=dry_run, skipped=skipped)
    seen = look_at_amended(store, found)
    looked_at = 0
    for chunk in found:
        with store.write() as tx:
            hold_events(tx, chunk)
            ids = choose_amendable(tx, chunk, report, actor=actor, again=again, seen=seen)
            amended = digests_of_amended(tx, ids)
            report.unchanged += [one for one in ids if one not in amended]
            wanted = [one for one in ids if one in amended]
            report.ids += wanted if dry_run else take_back(tx, wanted, actor=actor)
        looked_at += len(chunk)
        progress(looked_at)
    return report
