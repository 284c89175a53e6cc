"""What a version made that was rolled back: what is undone, sent again, and left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.cli.terminal.progress import looking_bar
from orchestrator.cli.terminal.screen import note, put, put_line
from orchestrator.cli.terminal.who import actor
from orchestrator.presenting.replay_plans import EFFECTS

if TYPE_CHECKING:
    from orchestrator.operations.replay.freeze_outcomes import OutcomesPlan
    from orchestrator.store.database.engine import Store

_MOST_TOLD = 20  # deliveries that stay and are named one by one; --json has a thousand


def plan_outcomes_of(store: Store, client: str, name: str, *, made_by: int) -> OutcomesPlan:
    """Look at all that the version delivered, and freeze what to do."""
    from connectors.registry import catalog, load_connectors
    from orchestrator.operations.replay.plan_outcomes import plan_outcomes
    from orchestrator.settings import settings

    with looking_bar("looking at what it made") as progress:
        return plan_outcomes(
            store,
            client,
            name,
            catalog=catalog(load_connectors(settings().connectors)),
            actor=actor(store),
            made_by=made_by,
            progress=progress,
        )


def put_outcomes(plan: OutcomesPlan) -> None:
    """What becomes of what the version made."""
    put(f"version {plan.made_by} delivered {plan.delivered} events, {plan.as_before} of them as"
        f" version {plan.version} would")  # fmt: skip
    for effect, counts in plan.effects.items():
        for destination, count in sorted(counts.items()):
            put_line(f"  {count} at {destination}: {EFFECTS[effect]}")
    for one in plan.stays[:_MOST_TOLD]:
        put_line(f"  event {one.event_id}: record {one.record_id or 'unknown'} at {one.destination}"
                 " stays")  # fmt: skip
    if (more := len(plan.stays) - _MOST_TOLD) > 0:
        note(f"and {more} more that stay: --json has them")
    for count, told in (
        (plan.stopped, "of the plan are in quarantine: what was made of them is undone first"),
        (plan.refused, "would be refused now: they come to quarantine"),
        (plan.without_payload, "have no payload any more, so nobody knows what else was due"),
        (
            len(plan.followed) + plan.more_followed,
            "are not in the plan: later events of their ordering keys may rest on them; see --json",
        ),
        (plan.under_way, "are under way still: plan again once they are at their end"),
        (
            plan.in_quarantine,
            "are in quarantine, and not in the plan: a replay decides about them anew",
        ),
    ):
        if count:
            note(f"{count} events {told}")
    if plan.token is None:
        note("there is nothing to undo and nothing to send again")
    else:
        note(f"nothing is undone yet; `meshline quarantine run {plan.token}` does it for"
             f" {plan.events} events")  # fmt: skip
