"""One change on one page: what changes, for whom, who says yes, and what if it goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import orjson
from tornado.web import authenticated

from orchestrator.dashboard.flows import Flows, draw_flows
from orchestrator.dashboard.given import searchable
from orchestrator.dashboard.pages.frame import StorePage
from orchestrator.domain.access.actor import Actor, mail_of
from orchestrator.domain.acts import Act
from orchestrator.domain.changes.states import OPEN, ROLLING, ChangeKind, ChangeState
from orchestrator.domain.documents.fields_of import fields_of
from orchestrator.domain.text.abbreviate import shorten
from orchestrator.operations.changes.backtesting.examples import ExampleEvent, examples_of
from orchestrator.operations.changes.show import ExplainedChange, explain_to
from orchestrator.presenting.backtests import coverage, sentences
from orchestrator.presenting.change_stories import Happened, told_story
from orchestrator.presenting.changes import (
    KINDS,
    named,
    told_gates,
    told_state,
    told_wait,
    told_way_back,
)
from orchestrator.presenting.documents import to_json
from orchestrator.presenting.replay_plans import told_effects
from orchestrator.store.database.engine import Tx
from orchestrator.store.desk.plans import StoredPlan, last_plan_of
from orchestrator.store.quarantine.workflows import definition_of_version
from orchestrator.store.views.jobs import JobRow, backtest_job_of, jobs_of_plan
from orchestrator.store.views.values import iso_time, now_of

_LONGEST_VALUE = 200  # characters of a field


@dataclass(frozen=True, kw_only=True, slots=True)
class ShownChange:
    """What the page shows; its fields are the names that the template has."""

    change: ExplainedChange
    title: str  # of the workflow, as its file says it
    proposes: str  # what it is, in a few words
    state: str  # where it is, in a sentence
    tested: tuple[str, ...]  # what its contract and its routes were tried on, and with what result
    authors: tuple[str, ...]
    may_decide: tuple[str, ...]  # mail addresses; none: nobody may, or nobody is asked
    asks_me: bool  # whoever looks may decide about it
    why_not: str | None  # why whoever looks may not, where there is something to say
    flows: Flows | None  # of its backtest, drawn; None: there was none, or no event
    examples: tuple[ExampleEvent, ...]  # of its backtest, with values; none where nobody logged in
    can_backtest: bool  # it may go live in the place of a version
    backtest_job: JobRow | None  # the newest that backtests it, or did
    is_open: bool  # it may still go live, and nothing of it began
    rolls: bool  # its version is rolled out
    plan: StoredPlan | None  # the replay that was planned under it as it is
    effects: tuple[str, ...]  # what running this plan does, in words
    jobs: tuple[JobRow, ...]  # that run it, or ran it
    way_back: tuple[str, ...]
    story: tuple[Happened, ...]
    now: str  # the store's time, ISO 8601 in UTC


class ChangePage(StorePage):
    """One change, and the forms by which its approver decides."""

    tab = "changes"

    @authenticated
    async def get(self, token: str) -> None:
        """Answer GET /changes/TOKEN."""
        asked = searchable(token)
        await self.show("change.html", lambda tx, seen: self._look(tx, asked, seen), what="change")

    def _look(self, tx: Tx, token: str, clients: frozenset[str] | None) -> dict[str, object]:
        found = look_at_change(tx, token, clients, self.actor)
        acts = self.offered(tx, found.change.client)
        if not found.asks_me:
            acts -= {Act.DECIDE_CHANGE}
        return fields_of(found) | words_of_page() | {"offered": acts}


def look_at_change(
    tx: Tx,
    token: str,
    clients: frozenset[str] | None = None,
    actor: Actor | None = None,
) -> ShownChange:
    """What the page shows to this reader; without an actor, to anybody, and no value of an event.

    Raises NotFound.
    """
    change, deciders = explain_to(tx, token, clients)
    asks = change.state == ChangeState.AWAITING_APPROVAL
    plan = last_plan_of(tx, token)
    plan = plan if plan is not None and plan.subject == change.digest else None
    mail = None if actor is None else mail_of(actor.name)
    why_not = deciders.why_not(mail) if mail and asks else None
    is_told = mail is not None and (deciders.is_author(mail) or deciders.has_role(mail))
    return ShownChange(
        change=change,
        title=str(change.definition["title"]),
        proposes=KINDS.get(change.kind, change.kind),
        state=told_state(change),
        tested=tuple(_tested(change)),
        authors=tuple(named(one.name) for one in change.authors),
        may_decide=deciders.mails,
        asks_me=mail is not None and mail in deciders.mails,
        why_not=why_not if is_told else None,
        flows=None if change.backtest is None else draw_flows(change.backtest.result.matrix),
        examples=() if actor is None else _examples(tx, change),
        can_backtest=change.state in OPEN
        and change.base_version is not None
        and change.kind != ChangeKind.RETIRE,
        backtest_job=backtest_job_of(tx, token),
        is_open=change.state in OPEN,
        rolls=change.state in ROLLING,
        plan=plan,
        effects=() if plan is None else tuple(told_effects(plan)),
        jobs=() if plan is None else tuple(jobs_of_plan(tx, plan.token)),
        way_back=tuple(told_way_back(change)),
        story=tuple(told_story(change)),
        now=iso_time(now_of(tx)),
    )


def words_of_page(*, linked: bool = True) -> dict[str, object]:
    """What the templates of the page call; `linked` where it may lead to other pages."""
    return {
        "named": named,
        "told_gates": told_gates,
        "told_end_of_wait": told_wait,
        "linked": linked,
        "as_json": _short,
    }


def _short(value: object) -> str:
    return shorten(to_json(value).decode(), _LONGEST_VALUE)


def _examples(tx: Tx, change: ExplainedChange) -> tuple[ExampleEvent, ...]:
    if change.backtest is None or change.base_version is None:
        return ()
    base = definition_of_version(tx, change.client, change.workflow, change.base_version)
    after = orjson.dumps(change.definition).decode()
    return () if base is None else examples_of(tx, change.backtest.result, base, after)


def _tested(change: ExplainedChange) -> Iterator[str]:
    if change.contract is not None:
        yield change.contract.says
        yield f"tried: {change.contract.told}"
    if change.backtest is not None:
        found = change.backtest.result
        yield f"backtest of {coverage(found)}: {found.unchanged:,} would be decided as today"
        yield from sentences(found)
    if change.rehearsal is not None:
        yield f"rehearsal: {change.rehearsal.told}"
        yield from (one.told for one in change.rehearsal.destinations)
