"""Every use case of the table of acts asks it: a viewer is refused, a stranger sees nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import func, select

from orchestrator.domain.access.actor import Actor, login, process
from orchestrator.domain.access.key_limits import KeyLimits
from orchestrator.domain.access.roles import Role
from orchestrator.domain.acts import ACTS, Act, Scope
from orchestrator.domain.approvals.requests import EventDecision, read_group
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.changes.rehearsing.result import Rehearsal
from orchestrator.domain.errors import Forbidden, NotFound, Refused
from orchestrator.domain.recipes.amendment import parse_amendments
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.access.away import end_away, set_away
from orchestrator.operations.access.keys import create_key, create_own_key, revoke_key, rotate_key
from orchestrator.operations.access.limit_key import limit_key
from orchestrator.operations.access.people import (
    add_person,
    change_roles,
    disable_person,
    invite_person,
)
from orchestrator.operations.access.signing_keys import confirm_signing_key, revoke_signing_key
from orchestrator.operations.apply_retention import apply_retention
from orchestrator.operations.approvals.decide import decide_event, decide_group
from orchestrator.operations.changes.backtest import backtest_change
from orchestrator.operations.changes.break_glass import break_glass
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.freeze import freeze_changes, thaw_changes
from orchestrator.operations.changes.gates.waive import waive_gate
from orchestrator.operations.changes.rehearsing.keep import keep_rehearsal
from orchestrator.operations.changes.rehearsing.material import gather_material
from orchestrator.operations.changes.rollout.go_back import stop_rollout
from orchestrator.operations.changes.withdraw import withdraw_change
from orchestrator.operations.erase_events import Wanted, erase_events
from orchestrator.operations.incidents.handle import (
    acknowledge_incidents,
    assign_incidents,
    resolve_incidents,
)
from orchestrator.operations.incidents.note import note_incident
from orchestrator.operations.incidents.retry_alerts import (
    add_test_alert,
    retry_alerts,
    retry_failed_alerts,
)
from orchestrator.operations.jobs.approve_with_plan import approve_with_plan
from orchestrator.operations.jobs.backtesting import start_backtest_job
from orchestrator.operations.jobs.heal_incident import amend_incident, plan_incident
from orchestrator.operations.jobs.start import start_plan_job
from orchestrator.operations.jobs.start_on_events import (
    start_amend_job,
    start_discard_job,
    start_restore_job,
)
from orchestrator.operations.jobs.stop import resume_job, stop_job
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.quarantine.close_dead_letters import (
    drop_dead_letters,
    requeue_dead_letters,
)
from orchestrator.operations.quarantine.discard import discard_events
from orchestrator.operations.quarantine.restore import restore_events
from orchestrator.operations.repair.amend import fix_events, mend_events, reset_events
from orchestrator.operations.repair.preview_for_incident import WantedRecipe, preview_for_incident
from orchestrator.operations.repair.publish_amendment import publish_amendment
from orchestrator.operations.replay.plan import plan_replay
from orchestrator.operations.replay.plan_outcomes import plan_outcomes
from orchestrator.operations.replay.run_plan import run_plan
from orchestrator.operations.replay.without_plan import replay_events
from orchestrator.operations.retire_workflow import retire_workflow
from orchestrator.operations.rollback_workflow import rollback_workflow
from orchestrator.operations.switch_destinations import pause_destination, resume_destination
from orchestrator.store.access.people import find_person
from orchestrator.store.access.signing_keys import add_key
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import audit
from orchestrator.store.views.quarantine.selection import Selection
from tests.leads import CATALOG, TEXT, lead_workflow
from tests.people import ADMIN, add, add_admin, logged_in
from tests.store.access.story import Story, tell_story

ALL = Selection(workflow="leads")
RECIPE = recipe_of([{"rename": "customer_tier", "to": "tier"}])
RENAME = WantedRecipe(incident=1, recipe=RECIPE)
CHANGES = parse_amendments(["customer_tier=tier"], [], [])
DESK = "acme/leads/desk"
WHY = "a test"

# One way to do each act, as the actor, upon the story.
DO: dict[str, Callable[[Store, Actor, Story], object]] = {
    "incidents.handle.acknowledge_incidents": lambda s, a, _: acknowledge_incidents(
        s, [1], actor=a
    ),
    "incidents.handle.assign_incidents": lambda s, a, _: assign_incidents(
        s, [1], owner="ada@acme.example", actor=a
    ),
    "incidents.handle.resolve_incidents": lambda s, a, _: resolve_incidents(
        s, [1], why=WHY, actor=a
    ),
    "incidents.note.note_incident": lambda s, a, _: note_incident(s, 1, why=WHY, actor=a),
    "repair.amend.fix_events": lambda s, a, _: fix_events(s, ALL, CHANGES, actor=a),
    "repair.amend.mend_events": lambda s, a, _: mend_events(s, ALL, RECIPE, actor=a),
    "repair.amend.reset_events": lambda s, a, _: reset_events(s, ALL, actor=a),
    "replay.plan.plan_replay": lambda s, a, _: plan_replay(s, ALL, catalog=CATALOG, actor=a),
    "replay.plan_outcomes.plan_outcomes": lambda s, a, _: plan_outcomes(
        s, "acme", "leads", catalog=CATALOG, actor=a, made_by=1
    ),
    "replay.without_plan.replay_events": lambda s, a, _: replay_events(s, ALL, actor=a),
    "replay.run_plan.run_plan": lambda s, a, told: run_plan(s, told.plan, actor=a),
    "jobs.start.start_plan_job": lambda s, a, told: start_plan_job(s, told.plan, actor=a),
    "jobs.start_on_events.start_discard_job": lambda s, a, _: start_discard_job(
        s, ALL, why=WHY, actor=a
    ),
    "jobs.start_on_events.start_restore_job": lambda s, a, told: start_restore_job(
        s, Selection(ids=(told.discarded,)), why=WHY, actor=a
    ),
    "jobs.start_on_events.start_amend_job": lambda s, a, _: start_amend_job(
        s, ALL, RECIPE, actor=a
    ),
    "jobs.heal_incident.amend_incident": lambda s, a, _: _amend_as_previewed(s, a),
    "jobs.heal_incident.plan_incident": lambda s, a, _: plan_incident(
        s, 1, actor=a, catalog=CATALOG
    ),
    "jobs.stop.stop_job": lambda s, a, told: stop_job(s, told.job, actor=a),
    "jobs.stop.resume_job": lambda s, a, told: resume_job(s, told.stopped_job, actor=a),
    "quarantine.discard.discard_events": lambda s, a, _: discard_events(s, ALL, why=WHY, actor=a),
    "quarantine.restore.restore_events": lambda s, a, told: restore_events(
        s, Selection(ids=(told.discarded,)), why=WHY, actor=a
    ),
    "switch_destinations.pause_destination": lambda s, a, _: pause_destination(
        s, [DESK], why=WHY, actor=a
    ),
    "switch_destinations.resume_destination": lambda s, a, _: resume_destination(
        s, [DESK], why=WHY, actor=a
    ),
    "incidents.retry_alerts.retry_alerts": lambda s, a, _: retry_alerts(s, [1], actor=a),
    "incidents.retry_alerts.retry_failed_alerts": lambda s, a, _: retry_failed_alerts(s, actor=a),
    "incidents.retry_alerts.add_test_alert": lambda s, a, _: add_test_alert(
        s, "ada@acme.example", actor=a
    ),
    "publish_workflow.publish_workflow": lambda s, a, _: publish_workflow(
        s, lead_workflow(TEXT.replace("15m", "20m")), actor=a
    ),
    "repair.publish_amendment.publish_amendment": lambda s, a, _: publish_amendment(
        s, "acme", "leads", RECIPE, actor=a
    ),
    "rollback_workflow.rollback_workflow": lambda s, a, _: rollback_workflow(
        s, "acme", "leads", to=1, why=WHY, actor=a
    ),
    "retire_workflow.retire_workflow": lambda s, a, _: retire_workflow(
        s, "acme", "leads", why=WHY, actor=a
    ),
    "changes.decide.decide_change": lambda s, a, told: decide_change(
        s, told.change, Decision.APPROVE, actor=a
    ),
    "changes.backtest.backtest_change": lambda s, a, told: backtest_change(s, told.change, actor=a),
    "jobs.backtesting.start_backtest_job": lambda s, a, told: start_backtest_job(
        s, told.change, actor=a
    ),
    "changes.rehearsing.material.gather_material": lambda s, a, told: gather_material(
        s, told.change, actor=a
    ),
    "changes.rehearsing.keep.keep_rehearsal": lambda s, a, told: _keep_rehearsal(s, a, told.change),
    "jobs.approve_with_plan.approve_with_plan": lambda s, a, told: approve_with_plan(
        s, told.change, "nope", actor=a
    ),
    "approvals.decide.decide_event": lambda s, a, told: decide_event(
        s, told.asked, EventDecision.APPROVE, actor=a
    ),
    "approvals.decide.decide_group": lambda s, a, told: decide_group(
        s, read_group(told.group), EventDecision.APPROVE, actor=a, seen=(told.group_digest,)
    ),
    "changes.gates.waive.waive_gate": lambda s, a, told: waive_gate(
        s, told.change, "contract", why=WHY, until="3d", actor=a
    ),
    "changes.freeze.freeze_changes": lambda s, a, _: freeze_changes(
        s, "acme", until="1d", why=WHY, actor=a
    ),
    "changes.freeze.thaw_changes": lambda s, a, _: thaw_changes(s, "acme", why=WHY, actor=a),
    "changes.break_glass.break_glass": lambda s, a, told: break_glass(
        s, told.change, why=WHY, actor=a
    ),
    "changes.rollout.go_back.stop_rollout": lambda s, a, told: stop_rollout(
        s, told.change, why=WHY, actor=a
    ),
    "changes.withdraw.withdraw_change": lambda s, a, told: withdraw_change(s, told.change, actor=a),
    "quarantine.close_dead_letters.requeue_dead_letters": lambda s, a, _: requeue_dead_letters(
        s, [1], lambda _: None, actor=a
    ),
    "quarantine.close_dead_letters.drop_dead_letters": lambda s, a, _: drop_dead_letters(
        s, [1], why=WHY, actor=a
    ),
    "erase_events.erase_events": lambda s, a, told: erase_events(
        s, Wanted(ids=(told.discarded,)), why=WHY, actor=a
    ),
    "apply_retention.apply_retention": lambda s, a, _: apply_retention(s, days=30, actor=a),
    "access.keys.create_key": lambda s, a, _: create_key(s, clients=["acme"], label="x", actor=a),
    "access.signing_keys.revoke_signing_key": lambda s, a, _: revoke_signing_key(
        s, _signing_key(s), actor=a
    ),
    "access.signing_keys.confirm_signing_key": lambda s, a, _: confirm_signing_key(
        s, _signing_key(s), actor=a
    ),
    "access.keys.create_own_key": lambda s, a, _: create_own_key(
        s, clients=["acme"], label="x", actor=a, role=Role.OPERATOR, mail=mail_of(a)
    ),
    "access.keys.rotate_key": lambda s, a, told: rotate_key(s, told.key, actor=a),
    "access.limit_key.limit_key": lambda s, a, told: limit_key(
        s, told.key, limits=KeyLimits(rate_per_second=50), actor=a
    ),
    "access.keys.revoke_key": lambda s, a, told: revoke_key(s, told.key, actor=a),
    "access.people.add_person": lambda s, a, _: add_person(
        s, "new@acme.example", name="", roles=[], actor=a
    ),
    "access.people.change_roles": lambda s, a, _: change_roles(s, "vic@acme.example", [], actor=a),
    "access.people.disable_person": lambda s, a, _: disable_person(s, "vic@acme.example", actor=a),
    "access.away.set_away": lambda s, a, _: set_away(
        s, ADMIN, until="1d", to="vic@acme.example", actor=a
    ),
    "access.away.end_away": lambda s, a, _: end_away(s, ADMIN, actor=a),
    "access.people.invite_person": lambda s, a, _: invite_person(s, "vic@acme.example", actor=a),
}


def _keep_rehearsal(store: Store, actor: Actor, token: str) -> object:
    """What was rehearsed by somebody who may, and is kept by this actor."""
    material = gather_material(store, token, actor=process("test"))
    found = Rehearsal(
        definition=material.digest, events=0, real=0, replaced=0, left_out=0, delivered=0,
        awaiting=0, unfinished=0, unproven=0, destinations=(), stops=(),
    )  # fmt: skip
    return keep_rehearsal(store, material, found, actor=actor)


def _signing_key(store: Store) -> str:
    """The fingerprint of a key of the admin's, which was just added."""
    fingerprint = f"SHA256:{uuid4().hex}"
    with store.write() as tx:
        admin = find_person(tx, ADMIN).id
        told = {"fingerprint": fingerprint, "public_key": "k", "label": "", "actor": ADMIN}
        add_key(tx, admin, seconds=60, **told)
    return fingerprint


def _amend_as_previewed(store: Store, actor: Actor) -> object:
    seen = preview_for_incident(store, RENAME, actor=process("keeper"))
    wanted = replace(RENAME, until=seen.until)
    return amend_incident(store, wanted, actor=actor, seen=seen.digest, plan_by=CATALOG)


# A look is scoped and not refused; the door asks for every key, see tests/api.
_ELSEWHERE = {Act.VIEW, Act.SEE_PERSONAL_DATA, Act.EMIT}


def test_every_use_case_of_the_table_is_tried_here() -> None:
    named = {
        name
        for act, rule in ACTS.items()
        if act not in _ELSEWHERE
        for name in rule.use_case.split()
    }
    assert set(DO) == named


@pytest.mark.parametrize("use_case", DO)
def test_only_who_has_the_role_does_it(store: Store, use_case: str) -> None:
    (rule,) = (rule for rule in ACTS.values() if use_case in rule.use_case.split())
    told = tell_story(store)
    add_admin(store)
    add(store, "vic@acme.example", Role.VIEWER, "acme")
    add(store, "stranger@globex.example", Role.ADMIN, "globex")
    # Whom the workflow names as its backstop.
    ada = "on-call@agency.example" if use_case.endswith("break_glass") else "ada@acme.example"
    least = rule.least if rule.least in (Role.OPERATOR, Role.APPROVER) else Role.ADMIN
    add(store, ada, least, "*" if rule.scope is Scope.EVERYWHERE else "acme")
    before = _audited(store)

    do = DO[use_case]
    with pytest.raises(Forbidden):
        do(store, logged_in(store, "vic@acme.example"), told)
    _sees_nothing(store, do, told, rule.scope)
    assert _audited(store) == before

    try:
        do(store, logged_in(store, ada), told)
    except (Forbidden, NotFound):
        raise
    except Refused as refused:  # by an incident that is not over, a plan, a gate that passes, or
        # for there is one version only, or nothing is rolled out
        by_others = (
            *("resolve_incidents", "approve_with_plan", "waive_gate"),
            *("rollback_workflow", "plan_outcomes", "stop_rollout"),
        )
        assert use_case.endswith(by_others), refused  # noqa: PT017 - see above


def test_an_act_that_needs_a_reason_is_refused_without_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tell_story(store)
    monkeypatch.setattr(sys.modules[__name__], "WHY", " ")
    needing = [
        name for rule in ACTS.values() if rule.needs_reason for name in rule.use_case.split()
    ]
    assert needing

    for use_case in needing:
        with pytest.raises(Refused) as refused:
            DO[use_case](store, login("cli:root"), told)
        assert refused.value.field == "why", use_case


def _sees_nothing(
    store: Store, do: Callable[[Store, Actor, Story], object], told: Story, scope: Scope
) -> None:
    """An admin of another client is told that there is no such thing, or that nothing matches."""
    stranger = logged_in(store, "stranger@globex.example")
    if scope is Scope.EVERYWHERE:
        with pytest.raises(Forbidden):
            do(store, stranger, told)
        return
    try:
        report = do(store, stranger, told)
    except NotFound:
        return
    except Refused as nothing:  # of a plan
        assert nothing.field == "selection"  # noqa: PT017 - the other answers are right too
        return
    assert not getattr(report, "ids", ())
    assert not getattr(report, "events", ())


def mail_of(actor: Actor) -> str:
    return actor.name.removeprefix("person:").partition("/")[0]


def _audited(store: Store) -> int:
    with store.read() as tx:
        return int(tx.execute(select(func.count()).select_from(audit)).scalar_one())
