"""Acts on what waits for a yes: approve or refuse one event, or a group of them."""

from __future__ import annotations

from typing import ClassVar

from tornado.web import authenticated

from orchestrator.dashboard.actions.act import ActPage
from orchestrator.dashboard.given import searchable
from orchestrator.domain.acts import Act
from orchestrator.domain.approvals.requests import EventDecision, is_group, read_group
from orchestrator.domain.errors import MeshlineError
from orchestrator.operations.approvals.decide import DecidedEvents, decide_event, decide_group
from orchestrator.store.database.engine import Store


class _DecideEventPage(ActPage):
    """A decision about what was shown: the form has its digest."""

    tab = "approvals"
    act = Act.DECIDE_EVENT
    decision: ClassVar[EventDecision]

    @authenticated
    async def post(self, token: str) -> None:
        """Answer POST /approvals/EVENT/ACT and POST /approvals/GROUP/ACT."""
        asked = searchable(token)
        back = self.reverse_url("approval", asked)
        try:
            why, seen = self.given("why"), self.seen()
        except MeshlineError as error:
            self.refuse(error, back=back)
            return
        to = self.reverse_url("approvals") if is_group(asked) else back
        await self.do(
            lambda store: self._act_on(store, asked, why, seen), back=back, to=lambda _: to
        )

    def _act_on(self, store: Store, token: str, why: str | None, seen: str) -> DecidedEvents:
        """Do it; the operation says whose word counts."""
        if is_group(token):
            return decide_group(
                store, read_group(token), self.decision, actor=self.actor, seen=(seen,), why=why
            )
        return decide_event(store, token, self.decision, actor=self.actor, why=why, seen=(seen,))


class ApproveEventPage(_DecideEventPage):
    """Say yes: exactly what was shown is sent."""

    decision = EventDecision.APPROVE


class RefuseEventPage(_DecideEventPage):
    """Say no: it is quarantined."""

    decision = EventDecision.REFUSE
