"""At most three events of a candidate are under way, also where they wait for a person's yes."""

from __future__ import annotations

from orchestrator.domain.approvals.requests import EventDecision
from orchestrator.operations.changes.rollout.keep import keep_rollouts
from orchestrator.store.database.engine import Store
from orchestrator.store.drive.claim import finish_group
from orchestrator.store.drive.stages import Saving, save_delivered
from orchestrator.store.quarantine.workflows import WorkflowShelf
from tests.leads import accept_leads, claim_groups, publish_leads
from tests.store.approvals.asked import ASKING, decide, drive, event, with_approvers
from tests.store.changes.governed import change
from tests.store.changes.rollout.rolling import figures, roll_out

COUNT = 7


def _asked(store: Store) -> tuple[str, list[str]]:
    """The change, and events of its candidate of which all wait for a yes."""
    publish_leads(store, ASKING)
    token = roll_out(store, ASKING.replace("15m", "20m"), each="100ev").change or ""
    with_approvers(store)
    ids = accept_leads(store, COUNT, tier="enterprise")
    for _ in range(COUNT):
        drive(store)
    return token, ids


def _sent_at_once(store: Store) -> int:
    """How many events a relay claims, before any of them is at its end; then they are."""
    groups = claim_groups(store)
    groups += claim_groups(store)  # another relay, or the next turn
    for group in groups:
        with store.write() as tx:
            workflow = WorkflowShelf().take(tx, group.workflow_id).workflow
            saving = Saving(actor="worker", epoch=group.epoch, lease_seconds=60)
            save_delivered(tx, group.ids, workflow, saving)
            finish_group(tx, group.epoch)
    return sum(len(one.ids) for one in groups)


def test_what_waits_for_a_yes_holds_nobody_back_and_is_sent_three_at_a_time_after_it(
    store: Store,
) -> None:
    token, ids = _asked(store)
    assert {event(store, one).state for one in ids} == {"awaiting_approval"}
    taken = figures(store, token).taken
    assert (taken.events, taken.awaiting, taken.under_way) == (COUNT, COUNT, 0)
    for one in ids:
        decide(store, one)

    sent = [_sent_at_once(store) for _ in range(4)]
    assert (max(sent), sum(sent)) == (3, COUNT)
    keep_rollouts(store)
    shown = figures(store, token)
    assert (shown.taken.delivered, shown.taken.awaiting, shown.steps[0].events) == (COUNT, 0, COUNT)


def test_a_no_is_judged_as_a_quarantine(store: Store) -> None:
    token, ids = _asked(store)
    decide(store, ids[0], EventDecision.REFUSE)
    keep_rollouts(store)
    assert change(store, token).state == "rolled_back"
    assert "has not had in 28 days" in (change(store, token).because or "")
