"""One replay plan: what running it would send, repeat or leave out, and what came of it."""

from __future__ import annotations

from typing import Any

from tornado.web import authenticated

from orchestrator.dashboard.given import row_number
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.errors import Refused
from orchestrator.operations.replay.fit_plan import clients_of, live_versions
from orchestrator.operations.replay.holds import holds_of_plan
from orchestrator.operations.replay.seen import digest_of_plan
from orchestrator.operations.replay.show_plan import show_plan
from orchestrator.presenting.replay_plans import EFFECTS, PLAN_STATES
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plans import StoredPlan
from orchestrator.store.views.jobs import jobs_of_plan
from orchestrator.store.views.values import iso_time, now_of

EVENTS_SHOWN = 50


class PlanPage(StorePage):
    """One replay plan, and the way to run it."""

    tab = "jobs"

    @authenticated
    async def get(self, token: str) -> None:
        """Answer GET /plans/TOKEN."""
        await self.show("plan.html", lambda tx, seen: self._look(tx, token, seen), what="plan")

    def _look(self, tx: Tx, token: str, clients: frozenset[str] | None) -> dict[str, object]:
        after = row_number("after", self.get_argument("after", "") or None)
        found = look_at_plan(tx, token, after=after, clients=clients)
        return found | {"offered": self.offered(tx, *clients_of(found["plan"]))}


def look_at_plan(
    tx: Tx, token: str, *, after: str | None = None, clients: frozenset[str] | None = None
) -> dict[str, Any]:
    """What the page shows. Raises NotFound."""
    place = -1 if after is None else int(after[:9])
    found = show_plan(tx, token, limit=EVENTS_SHOWN + 1, after=place, clients=clients)
    plan = found.plan
    return {
        "now": iso_time(now_of(tx)),
        "plan": plan,
        "state": PLAN_STATES.get(plan.state, plan.state),
        "incident": plan.selection.get("incident"),
        "effects": [
            (count, destination, EFFECTS[word], word)
            for word in EFFECTS
            for destination, count in sorted(plan.effects.get(word, {}).items())
        ],
        "holds": holds_of_plan(tx, plan),
        "jobs": jobs_of_plan(tx, token),
        "unfit": None if plan.change is None else _why_unfit(tx, plan),
        "seen": digest_of_plan(tx, plan),
        "outcomes": found.outcomes,
        "rows": found.rows[:EVENTS_SHOWN],
        "more": len(found.rows) > EVENTS_SHOWN,
        "after": after,
    }


def _why_unfit(tx: Tx, plan: StoredPlan) -> str | None:
    """Why a plan of a change cannot run now; None: it can."""
    try:
        live_versions(tx, plan)
    except Refused as error:
        return error.detail
    return None
