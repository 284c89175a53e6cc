"""Acts on one job: stop it, and let a keeper go on with it."""

from __future__ import annotations

from collections.abc import Callable

from tornado.web import authenticated

from orchestrator.dashboard.actions.act import ActPage
from orchestrator.domain.acts import Act
from orchestrator.domain.errors import Refused
from orchestrator.operations.jobs.seen import compare_job
from orchestrator.operations.jobs.stop import resume_job, stop_job
from orchestrator.store.database.engine import Store, Tx


class _JobAct(ActPage):
    """An act on one job, as its page was seen."""

    tab = "jobs"

    @authenticated
    async def post(self, number: str) -> None:
        """Answer POST /jobs/NUMBER/ACT."""
        back = self.reverse_url("job", number)
        try:
            use_case = self.use_case(int(number), why=self.given("why"), seen=self.given("seen"))
        except Refused as error:
            self.refuse(error, back=back)
            return
        await self.do(use_case, back=back)

    def use_case(
        self, number: int, *, why: str | None, seen: str | None
    ) -> Callable[[Store], object]:
        """What to do, with what the form has."""
        raise NotImplementedError


class StopJobPage(_JobAct):
    """Stop it after the step that it is at."""

    act = Act.STOP_JOB

    def use_case(
        self, number: int, *, why: str | None, seen: str | None
    ) -> Callable[[Store], object]:
        """Stop it; what is done stays done."""
        actor, compare = self.actor, _comparing(number, seen)
        return lambda store: stop_job(store, number, actor=actor, why=why, compare=compare)


class ResumeJobPage(_JobAct):
    """Go on with what is left."""

    act = Act.RESUME_JOB

    def use_case(
        self, number: int, *, why: str | None, seen: str | None
    ) -> Callable[[Store], object]:
        """Let a keeper go on with it."""
        actor, compare = self.actor, _comparing(number, seen)
        return lambda store: resume_job(store, number, actor=actor, why=why, compare=compare)


def _comparing(number: int, seen: str | None) -> Callable[[Tx], None]:
    return lambda tx: None if seen is None else compare_job(tx, number, seen)
