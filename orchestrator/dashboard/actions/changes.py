"""Acts on a change: approve it, ask for another one, reject it, take it back."""

from __future__ import annotations

from typing import ClassVar

from tornado.web import authenticated

from orchestrator.dashboard.actions.act import ActPage
from orchestrator.dashboard.given import searchable
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.gates.gate import JudgedGate
from orchestrator.domain.errors import MeshlineError, Refused
from orchestrator.operations.changes.backtest import MOST_WEEKS, WEEKS, Asked
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.gates.waive import waive_gate
from orchestrator.operations.changes.rollout.go_back import stop_rollout
from orchestrator.operations.changes.show import Settled
from orchestrator.operations.changes.withdraw import withdraw_change
from orchestrator.operations.jobs.approve_with_plan import approve_with_plan
from orchestrator.operations.jobs.backtesting import start_backtest_job
from orchestrator.store.database.engine import Store


class _ChangeAct(ActPage):
    """An act on a change as its page was seen: the form has the digest that is shown."""

    tab = "changes"

    @authenticated
    async def post(self, token: str) -> None:
        """Answer POST /changes/TOKEN/ACT."""
        asked = searchable(token)
        back = self.reverse_url("change", asked)
        try:
            why, seen = self.given("why"), self.seen()
        except MeshlineError as error:
            self.refuse(error, back=back)
            return
        await self.do(lambda store: self.act_on(store, asked, why, seen), back=back)

    def act_on(self, store: Store, token: str, why: str | None, seen: str) -> object:
        """Do it. Raises NotFound, Forbidden, ChangedSinceSeen, IllegalMove, Refused."""
        raise NotImplementedError


class _DecideChange(_ChangeAct):
    act = Act.DECIDE_CHANGE
    decision: ClassVar[Decision]

    def act_on(self, store: Store, token: str, why: str | None, seen: str) -> Settled:
        """Decide about it; the operation says whose word counts."""
        return decide_change(store, token, self.decision, actor=self.actor, why=why, seen=(seen,))


class ApproveChangePage(_DecideChange):
    """Say yes: it goes live, or at its time."""

    decision = Decision.APPROVE

    def act_on(self, store: Store, token: str, why: str | None, seen: str) -> Settled:
        """Approve it; and let the plan run that was made under it, where the button says so."""
        plan = self.given("plan")
        if plan is None:
            return super().act_on(store, token, why, seen)
        digest, actor = self.given("plan_seen"), self.actor
        return approve_with_plan(
            store, token, plan, actor=actor, digest=digest, why=why, seen=(seen,)
        )


class RequestChangesPage(_DecideChange):
    """Send it back to its authors."""

    decision = Decision.REQUEST_CHANGES


class RejectChangePage(_DecideChange):
    """Say no for good."""

    decision = Decision.REJECT


class WaiveGatePage(_ChangeAct):
    """Let a gate of it fail until a time."""

    act = Act.WAIVE_GATE

    def act_on(self, store: Store, token: str, why: str | None, seen: str) -> JudgedGate:
        """Waive it; the operation says whose word counts."""
        gate, until = self.given("gate") or "", self.given("until") or ""
        return waive_gate(
            store, token, gate, actor=self.actor, why=why or "", until=until, seen=(seen,)
        )


class BacktestChangePage(_ChangeAct):
    """Let a keeper decide about past events again by it."""

    act = Act.BACKTEST_CHANGE

    def act_on(self, store: Store, token: str, why: str | None, seen: str) -> int:
        """Start the job."""
        weeks = self.number("weeks") or WEEKS
        if weeks > MOST_WEEKS:
            raise Refused(
                f"{weeks} weeks are too many", field="weeks", fix=f"write at most {MOST_WEEKS}"
            )
        asked = Asked(weeks=weeks)
        return start_backtest_job(
            store, token, actor=self.actor, asked=asked, why=why, seen=(seen,)
        )


class StopRolloutPage(_ChangeAct):
    """Stop its rollout."""

    act = Act.STOP_ROLLOUT

    def act_on(self, store: Store, token: str, why: str | None, seen: str) -> Settled:
        """Stop it; the version before decides about all events again."""
        return stop_rollout(store, token, actor=self.actor, why=why or "", seen=(seen,))


class WithdrawChangePage(_ChangeAct):
    """Take it back."""

    act = Act.WITHDRAW_CHANGE

    def act_on(self, store: Store, token: str, why: str | None, seen: str) -> Settled:
        """Take it back; what is live stays."""
        return withdraw_change(store, token, actor=self.actor, why=why, seen=(seen,))
