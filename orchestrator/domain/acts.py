"""What a person or a key may do: every act is one row of one table.

Operations ask it by `orchestrator.operations.access.allow`, in the transaction that writes; the
command line, the pages and HTTP have no rule of their own. docs/reference/acts.md is generated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.domain.access.roles import Role


class Act(StrEnum):
    """The acts, in the words of the audit where one act is one audit row."""

    VIEW = "view"
    SEE_PERSONAL_DATA = "see_personal_data"
    EMIT = "emit"
    ACKNOWLEDGE = "acknowledge"
    ASSIGN = "assign"
    RESOLVE = "resolve"
    NOTE = "note"
    AMEND = "amend"
    REPLAY = "replay"
    RUN_PLAN = "run_plan"
    STOP_JOB = "stop_job"
    RESUME_JOB = "resume_job"
    DISCARD = "discard"
    RESTORE = "restore"
    PAUSE = "pause"
    RESUME = "resume"
    RETRY_ALERT = "retry_alert"
    TEST_ALERT = "test_alert"
    PUBLISH_WORKFLOW = "publish_workflow"
    PUBLISH_AMENDMENT = "publish_amendment"
    RETIRE_WORKFLOW = "retire_workflow"
    BACKTEST_CHANGE = "backtest_change"
    REHEARSE_CHANGE = "rehearse_change"
    ROLLBACK_WORKFLOW = "rollback_workflow"
    DECIDE_CHANGE = "decide_change"
    WITHDRAW_CHANGE = "withdraw_change"
    STOP_ROLLOUT = "stop_rollout"
    BREAK_GLASS = "break_glass"
    FREEZE_CHANGES = "freeze_changes"
    THAW_CHANGES = "thaw_changes"
    DECIDE_EVENT = "decide_event"
    WAIVE_GATE = "waive_gate"
    CLOSE_DEAD_LETTERS = "close_dead_letters"
    ERASE = "erase"
    APPLY_RETENTION = "apply_retention"
    MANAGE_KEYS = "manage_keys"
    MAKE_OWN_KEY = "make_own_key"
    MANAGE_PEOPLE = "manage_people"


class Scope(StrEnum):
    """What a role has to be held for."""

    CLIENT = "client"  # each client that the act concerns
    EVERYWHERE = "everywhere"  # all clients, by one role for `*`


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Who may do one act, and how it is done."""

    use_case: str  # dotted, under orchestrator.operations; where there are several, all of them
    least: Role
    scope: Scope = Scope.CLIENT
    needs_reason: bool = False
    preview: str = ""  # how one sees beforehand what it will do; "" for what changes nothing
    needs_proof: bool = False  # only by a session or that person's key
    says: str = ""  # what it does, for a page and the reference


ACTS: Mapping[Act, Rule] = {
    Act.VIEW: Rule(
        use_case="access.allow.scope_of", least=Role.VIEWER,
        says="see events, incidents, destinations, workflows and the audit",
    ),
    Act.SEE_PERSONAL_DATA: Rule(
        use_case="access.allow.scope_of", least=Role.OPERATOR,
        says="see values that a contract marks as personal",
    ),
    Act.EMIT: Rule(
        use_case="accept_triggers.accept_from", least=Role.PRODUCER,
        says="send events, and ask for what became of them",
    ),
    Act.ACKNOWLEDGE: Rule(
        use_case="incidents.handle.acknowledge_incidents", least=Role.OPERATOR,
        preview="the incident", says="say that somebody is on an incident",
    ),
    Act.ASSIGN: Rule(
        use_case="incidents.handle.assign_incidents", least=Role.OPERATOR,
        preview="the incident", says="give an incident to somebody",
    ),
    Act.RESOLVE: Rule(
        use_case="incidents.handle.resolve_incidents", least=Role.OPERATOR, needs_reason=True,
        preview="the incident", says="say that an incident is over",
    ),
    Act.NOTE: Rule(
        use_case="incidents.note.note_incident", least=Role.OPERATOR, needs_reason=True,
        preview="the incident", says="write a note on an incident",
    ),
    Act.AMEND: Rule(
        use_case="repair.amend.fix_events repair.amend.mend_events repair.amend.reset_events"
        " jobs.start_on_events.start_amend_job jobs.heal_incident.amend_incident",
        least=Role.OPERATOR, preview="dry run, before and after of every event",
        says="change payloads of quarantined events",
    ),
    Act.REPLAY: Rule(
        use_case="replay.plan_outcomes.plan_outcomes replay.plan.plan_replay"
        " replay.without_plan.replay_events"
        " jobs.heal_incident.plan_incident",
        least=Role.OPERATOR,
        preview="replay plan", says="plan a replay, and send quarantined events on their way again",
    ),
    Act.RUN_PLAN: Rule(
        use_case="replay.run_plan.run_plan jobs.start.start_plan_job", least=Role.OPERATOR,
        preview="replay plan", says="run a replay plan",
    ),
    Act.STOP_JOB: Rule(
        use_case="jobs.stop.stop_job", least=Role.OPERATOR, preview="the job",
        says="stop what a keeper does for somebody",
    ),
    Act.RESUME_JOB: Rule(
        use_case="jobs.stop.resume_job", least=Role.OPERATOR, preview="the job",
        says="let a keeper continue with a job",
    ),
    Act.DISCARD: Rule(
        use_case="quarantine.discard.discard_events jobs.start_on_events.start_discard_job",
        least=Role.OPERATOR, needs_reason=True,
        preview="dry run", says="give quarantined events up",
    ),
    Act.RESTORE: Rule(
        use_case="quarantine.restore.restore_events jobs.start_on_events.start_restore_job",
        least=Role.OPERATOR, needs_reason=True,
        preview="dry run", says="take a discard back",
    ),
    Act.PAUSE: Rule(
        use_case="switch_destinations.pause_destination", least=Role.OPERATOR, needs_reason=True,
        preview="what waits there", says="hold deliveries to a destination back",
    ),
    Act.RESUME: Rule(
        use_case="switch_destinations.resume_destination", least=Role.OPERATOR, needs_reason=True,
        preview="what waits there", says="let deliveries to a destination pass again",
    ),
    Act.RETRY_ALERT: Rule(
        use_case="incidents.retry_alerts.retry_alerts incidents.retry_alerts.retry_failed_alerts",
        least=Role.OPERATOR, scope=Scope.EVERYWHERE, preview="the list of failed alerts",
        says="send failed alerts again",
    ),
    Act.TEST_ALERT: Rule(
        use_case="incidents.retry_alerts.add_test_alert", least=Role.OPERATOR,
        scope=Scope.EVERYWHERE, preview="the recipient's contacts", says="send a test alert",
    ),
    Act.PUBLISH_WORKFLOW: Rule(
        use_case="publish_workflow.publish_workflow", least=Role.OPERATOR,
        preview="dry run", says="publish a version of a workflow, or propose it for approval",
    ),
    Act.PUBLISH_AMENDMENT: Rule(
        use_case="repair.publish_amendment.publish_amendment", least=Role.OPERATOR,
        preview="before and after of every event", says="let a workflow amend what arrives",
    ),
    Act.RETIRE_WORKFLOW: Rule(
        use_case="retire_workflow.retire_workflow", least=Role.OPERATOR, needs_reason=True,
        preview="the workflow", says="retire a workflow, or propose that for approval",
    ),
    Act.BACKTEST_CHANGE: Rule(
        use_case="changes.backtest.backtest_change jobs.backtesting.start_backtest_job",
        least=Role.OPERATOR,
        preview="it changes nothing that decides", says="see what a change would have decided",
    ),
    Act.REHEARSE_CHANGE: Rule(
        use_case="changes.rehearsing.material.gather_material"
        " changes.rehearsing.keep.keep_rehearsal",
        least=Role.OPERATOR, preview="it changes nothing that decides",
        says="run a change where nothing is real",
    ),
    Act.ROLLBACK_WORKFLOW: Rule(
        use_case="rollback_workflow.rollback_workflow", least=Role.OPERATOR, needs_reason=True,
        preview="dry run", says="make a version of a workflow live again that was so before",
    ),
    Act.DECIDE_CHANGE: Rule(
        use_case="changes.decide.decide_change jobs.approve_with_plan.approve_with_plan",
        least=Role.APPROVER, needs_proof=True,
        preview="the change", says="approve or reject a change, or ask for another one",
    ),
    Act.WITHDRAW_CHANGE: Rule(
        use_case="changes.withdraw.withdraw_change", least=Role.OPERATOR,
        preview="the change", says="take a proposed change back",
    ),
    Act.STOP_ROLLOUT: Rule(
        use_case="changes.rollout.go_back.stop_rollout", least=Role.OPERATOR, needs_reason=True,
        preview="the rollout of the change",
        says="stop a rollout, so that the version before decides about all events again",
    ),
    Act.DECIDE_EVENT: Rule(
        use_case="approvals.decide.decide_event approvals.decide.decide_group",
        least=Role.APPROVER, needs_proof=True, preview="what would be sent",
        says="approve or refuse what events would send",
    ),
    Act.WAIVE_GATE: Rule(
        use_case="changes.gates.waive.waive_gate", least=Role.APPROVER, needs_reason=True,
        needs_proof=True, preview="the gates of the change",
        says="let a gate of a change fail until a time",
    ),
    Act.BREAK_GLASS: Rule(
        use_case="changes.break_glass.break_glass", least=Role.VIEWER, needs_reason=True,
        needs_proof=True, preview="the change",
        says="as the backstop that the live version names, make a change live unapproved",
    ),
    Act.FREEZE_CHANGES: Rule(
        use_case="changes.freeze.freeze_changes", least=Role.STEWARD, needs_reason=True,
        needs_proof=True, preview="what it holds back",
        says="let no version of a client go live for a while",
    ),
    Act.THAW_CHANGES: Rule(
        use_case="changes.freeze.thaw_changes", least=Role.STEWARD, needs_reason=True,
        needs_proof=True, preview="the list of changes", says="end the freezes of a client",
    ),
    Act.CLOSE_DEAD_LETTERS: Rule(
        use_case="quarantine.close_dead_letters.requeue_dead_letters"
        " quarantine.close_dead_letters.drop_dead_letters",
        least=Role.STEWARD, scope=Scope.EVERYWHERE, preview="dry run",
        says="put messages that no worker could read back on the queue, or drop them",
    ),
    Act.ERASE: Rule(
        use_case="erase_events.erase_events", least=Role.STEWARD, needs_reason=True,
        needs_proof=True, preview="dry run", says="erase the personal values of events",
    ),
    Act.APPLY_RETENTION: Rule(
        use_case="apply_retention.apply_retention", least=Role.STEWARD, scope=Scope.EVERYWHERE,
        preview="dry run", says="empty what is older than retention allows",
    ),
    Act.MANAGE_KEYS: Rule(
        use_case=(
            "access.keys.create_key access.keys.rotate_key access.keys.revoke_key"
            " access.limit_key.limit_key"
        ),
        least=Role.ADMIN, needs_proof=True, preview="the list of keys",
        says="create, limit, rotate and revoke keys of programs, and revoke keys of people",
    ),
    Act.MAKE_OWN_KEY: Rule(
        use_case="access.keys.create_own_key", least=Role.VIEWER, needs_proof=True,
        preview="the person", says="make a key of one's own, with a role that one has",
    ),
    Act.MANAGE_PEOPLE: Rule(
        use_case="access.people.add_person access.people.change_roles access.people.disable_person"
        " access.people.invite_person access.away.set_away access.away.end_away"
        " access.signing_keys.confirm_signing_key access.signing_keys.revoke_signing_key",
        least=Role.ADMIN, scope=Scope.EVERYWHERE, needs_proof=True, preview="the person",
        says="add and disable people, and change their roles",
    ),
}  # fmt: skip
