"""Nothing goes live that nobody else approved, by whatever way."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

import orchestrator
from orchestrator.domain.access.actor import login, process
from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.documents.strict_json import dumps
from orchestrator.domain.errors import (
    ChangedSinceSeen,
    Forbidden,
    IllegalMove,
    NotFound,
    Refused,
    WorkflowConflict,
)
from orchestrator.domain.recipes.file import recipe_of
from orchestrator.operations.access.people import (
    RoleChange,
    accept_invite,
    change_roles,
    disable_person,
    invite_person,
)
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.go_live import subject_of
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.changes.withdraw import withdraw_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.operations.repair.publish_amendment import publish_amendment
from orchestrator.operations.retire_workflow import retire_workflow
from orchestrator.store.changes.changes import lock_change
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import change_decisions, changes
from orchestrator.store.views.audit import list_audit
from tests.leads import lead_workflow, publish_leads
from tests.people import ADMIN, PASSWORD, add, age_roles, logged_in, named, withdraw
from tests.store.changes.governed import (
    APPROVER,
    AUTHOR,
    OTHER,
    approver,
    author,
    change,
    decide,
    govern,
    live_version,
    proposed,
    publish,
    version,
)

RECIPE = recipe_of([{"rename": "customer_tier", "to": "tier"}])


def test_until_there_is_an_approver_a_version_is_live_unapproved(store: Store) -> None:
    publish_leads(store)
    done = publish(store, by=login("cli:root"))

    assert (done.state, done.version, live_version(store)) == ("live", 2, 2)
    assert done.change is not None
    told = change(store, done.change)
    assert (told.state, told.way, told.live_version) == ("live", "unapproved", 2)


def test_from_the_first_approver_on_it_is_proposed_and_goes_live_when_approved(
    store: Store,
) -> None:
    govern(store)
    token = proposed(store)
    assert live_version(store) == 1

    done = decide(store, token)

    assert (done.state, done.live_version, live_version(store)) == ("live", 2, 2)
    told = change(store, token)
    assert [one.name for one in told.authors] == [f"person:{AUTHOR}"]
    (decision,) = told.decisions
    assert (decision.by, decision.grade) == (f"person:{APPROVER}/page", "session")
    assert decision.digest == told.digest
    with store.read() as tx:
        rows = list_audit(tx, newest_first=False)
    assert [(one.action, one.actor) for one in rows if one.workflow == "leads"][-4:] == [
        ("ask_change", f"person:{AUTHOR}/page"),
        ("approve_change", f"person:{APPROVER}/page"),
        ("go_live_change", f"person:{APPROVER}/page"),
        ("publish", f"person:{AUTHOR}/page"),
    ]


def test_once_required_it_is_required_whoever_is_disabled_or_loses_the_role(store: Store) -> None:
    govern(store)
    for mail in (APPROVER, OTHER):
        disable_person(store, mail, actor=logged_in(store, ADMIN))
        withdraw(store, mail, Role.APPROVER, "acme")

    proposed(store)

    assert live_version(store) == 1


def test_a_setting_requires_it_and_what_it_required_stays(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_leads(store)
    monkeypatch.setenv("MESHLINE_APPROVALS", "required")
    proposed(store, by=process("x"))
    monkeypatch.setenv("MESHLINE_APPROVALS", "auto")

    proposed(store, version(21), by=process("x"))

    assert live_version(store) == 1


def test_an_author_never_approves(store: Store) -> None:
    govern(store)
    add(store, AUTHOR.replace("author", "both"), Role.OPERATOR, "acme")
    mine = proposed(store, by=author(store))
    change_roles(
        store,
        APPROVER,
        [RoleChange(client="acme", role=Role.OPERATOR)],
        actor=logged_in(store, ADMIN),
    )
    theirs = proposed(store, version(21), by=approver(store))

    with pytest.raises(Forbidden, match="nobody approves their own change"):
        decide(store, theirs)
    with pytest.raises(Forbidden, match="role approver"):
        decide(store, mine, by=author(store))
    assert live_version(store) == 1
    assert decide(store, theirs, by=logged_in(store, OTHER)).state == "live"


def test_nobody_proposes_in_anothers_name(store: Store) -> None:
    """Else the approver would propose as somebody else, and approve as themselves."""
    govern(store)

    for actor in (named(store, AUTHOR), login("cli:root")):
        with pytest.raises(Forbidden):
            publish(store, by=actor)


def test_who_is_only_named_as_an_author_of_steps_leaves_the_choice_of_the_judge(
    store: Store,
) -> None:
    govern(store)
    recipe = replace(RECIPE, author=APPROVER)  # so says its file
    token = publish_amendment(store, "acme", "leads", recipe, actor=author(store)).change or ""

    with pytest.raises(Forbidden, match="nobody approves their own change"):
        decide(store, token)
    with pytest.raises(Forbidden, match=f"{APPROVER} approves changes"):
        decide(store, token, by=logged_in(store, OTHER))


def test_who_sends_an_invitation_does_not_approve_by_it(store: Store) -> None:
    govern(store)
    token = proposed(store)
    sent = invite_person(store, APPROVER, actor=logged_in(store, ADMIN))
    accept_invite(store, sent, password=PASSWORD, mail=None)

    with pytest.raises(Forbidden, match="your password was set by an invitation"):
        decide(store, token)
    later = proposed(store, version(30))
    assert decide(store, later).state == "live"


def test_an_edit_keeps_the_time_unless_it_says_another_one(store: Store) -> None:
    govern(store)
    first = publish_workflow(store, lead_workflow(version()), actor=author(store), at="60d")
    token = first.change or ""
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)
    edited = change(store, token)
    assert edited.go_live_at is not None
    assert edited.expires_at > edited.go_live_at

    publish_workflow(store, lead_workflow(version(30)), actor=author(store), at="now")

    assert (change(store, token).go_live_at, change(store, token).round) == (None, 3)


def test_of_one_workflow_a_bounded_number_of_changes_is_open(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    govern(store)
    monkeypatch.setattr("orchestrator.operations.changes.propose.MOST_OPEN", 2)
    first, _ = proposed(store), proposed(store, version(21))

    with pytest.raises(Refused, match="2 changes of 'leads' are open already"):
        publish(store, version(22))
    withdraw_change(store, first, actor=author(store))
    proposed(store, version(22))


def test_whoever_edited_an_earlier_round_or_wrote_its_steps_is_an_author(store: Store) -> None:
    govern(store)
    add(store, "editor@acme.example", Role.OPERATOR, "acme")
    token = proposed(store)
    editor = logged_in(store, "editor@acme.example")
    publish_workflow(store, lead_workflow(version(30)), actor=editor, change=token)

    told = change(store, token)
    assert (told.round, told.state) == (2, "awaiting_approval")
    assert {(one.name, one.part) for one in told.authors} == {
        (f"person:{AUTHOR}", "proposed"),
        ("person:editor@acme.example", "edited"),
    }
    publish_amendment(store, "acme", "leads", RECIPE, actor=editor)
    with_steps = lead_workflow(version(40)).model_copy(update={"amend": RECIPE.steps})
    by_file = publish_workflow(store, with_steps, actor=author(store)).change
    assert {(one.name, one.part) for one in change(store, by_file or "").authors} == {
        (f"person:{AUTHOR}", "proposed"),
        ("person:editor@acme.example", "steps"),
    }


def test_who_proposes_what_somebody_proposed_is_an_author_too(store: Store) -> None:
    govern(store)
    add(store, "editor@acme.example", Role.OPERATOR, "acme")
    token = proposed(store)

    assert proposed(store, by=logged_in(store, "editor@acme.example")) == token

    assert len(change(store, token).authors) == 2


def test_an_approval_is_of_what_was_seen(store: Store) -> None:
    govern(store)
    token = proposed(store)
    seen = change(store, token).digest
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)

    with pytest.raises(ChangedSinceSeen, match=AUTHOR):
        decide(store, token, seen=[seen])
    assert live_version(store) == 1
    assert decide(store, token, seen=[change(store, token).digest]).state == "live"


def test_what_was_tampered_with_after_the_approval_does_not_go_live(store: Store) -> None:
    govern(store)
    token = proposed(store)
    with store.write() as tx:
        text = change(store, token).definition | {"title": "Another one"}
        tx.execute(update(changes).values(definition=dumps(text)))

    with pytest.raises(Refused, match="what was approved is not what would go live"):
        decide(store, token)
    assert (live_version(store), change(store, token).state) == (1, "awaiting_approval")


def test_the_approver_of_the_live_version_decides_also_on_a_change_that_names_another(
    store: Store,
) -> None:
    govern(store)
    token = proposed(store, version().replace(APPROVER, OTHER))

    with pytest.raises(Forbidden, match=f"{APPROVER} approves changes"):
        decide(store, token, by=logged_in(store, OTHER))
    assert decide(store, token).state == "live"

    later = proposed(store, version(30).replace(APPROVER, OTHER))
    assert decide(store, later, by=logged_in(store, OTHER)).state == "live"


def test_where_the_named_address_is_no_approver_every_approver_of_the_client_decides(
    store: Store,
) -> None:
    govern(store)
    disable_person(store, APPROVER, actor=logged_in(store, ADMIN))
    token = proposed(store)

    with pytest.raises(NotFound):  # who is disabled sees nothing
        decide(store, token)
    assert decide(store, token, by=logged_in(store, OTHER)).state == "live"


def test_a_role_that_is_younger_than_the_proposal_or_an_authors_gift_does_not_count(
    store: Store,
) -> None:
    govern(store)
    disable_person(store, APPROVER, actor=logged_in(store, ADMIN))
    disable_person(store, OTHER, actor=logged_in(store, ADMIN))
    add(store, "gift@acme.example", Role.APPROVER, "acme")
    by_admin = proposed(store, by=logged_in(store, ADMIN))
    token = proposed(store, version(21))
    add(store, "late@acme.example", Role.APPROVER, "acme")

    for mail, change_ in (("late@acme.example", token), ("gift@acme.example", by_admin)):
        with pytest.raises(Forbidden, match="was given after the change was proposed"):
            decide(store, change_, by=logged_in(store, mail))
    assert live_version(store) == 1


def test_only_a_proven_person_decides(store: Store) -> None:
    govern(store)
    token = proposed(store)

    with pytest.raises(Forbidden, match="proof of who acts"):
        decide(store, token, by=named(store, APPROVER))
    with pytest.raises(Forbidden):
        decide(store, token, by=login("cli:root"))
    with pytest.raises(Forbidden):
        decide(store, token, by=logged_in(store, ADMIN))
    add(store, "stranger@globex.example", Role.APPROVER, "globex")
    with pytest.raises(NotFound):
        decide(store, token, by=logged_in(store, "stranger@globex.example"))


def test_of_two_who_decide_the_second_is_told_who_was_first(store: Store) -> None:
    govern(store)
    disable_person(store, APPROVER, actor=logged_in(store, ADMIN))
    add(store, "third@acme.example", Role.APPROVER, "acme")
    age_roles(store)
    token = proposed(store)
    decide(store, token, by=logged_in(store, OTHER), decision=Decision.REJECT)

    with pytest.raises(IllegalMove, match=f"it is rejected since .* by person:{OTHER}"):
        decide(store, token, by=logged_in(store, "third@acme.example"))
    assert live_version(store) == 1


def test_what_went_live_makes_the_other_changes_stale(store: Store) -> None:
    govern(store)
    first, second = proposed(store), proposed(store, version(30))
    decide(store, first)

    with pytest.raises(IllegalMove, match="it is stale"):
        decide(store, second)
    assert live_version(store) == 2


def test_changes_are_requested_and_made_and_what_is_withdrawn_is_over(store: Store) -> None:
    govern(store)
    token = proposed(store)
    with pytest.raises(Refused, match="needs a reason"):
        decide_change(store, token, Decision.REQUEST_CHANGES, actor=approver(store))
    assert decide(store, token, decision=Decision.REQUEST_CHANGES).state == "draft"
    with pytest.raises(IllegalMove, match="it is draft"):
        decide(store, token)
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)
    assert withdraw_change(store, token, actor=author(store)).state == "withdrawn"
    with pytest.raises(IllegalMove, match="it is withdrawn"):
        decide(store, token)


def test_a_change_waits_for_its_time_and_is_checked_again_then(store: Store) -> None:
    govern(store)
    tokens = [
        publish_workflow(
            store, lead_workflow(version(minutes)), actor=author(store), at="1h"
        ).change
        for minutes in (20, 30)
    ]
    first, second = (one or "" for one in tokens)
    assert [decide(store, one).state for one in (first, second)] == ["approved", "approved"]
    assert (keep_time_of_changes(store), live_version(store)) == (0, 1)

    _let_pass(store)
    disable_person(store, APPROVER, actor=logged_in(store, ADMIN))
    assert keep_time_of_changes(store) == 2
    assert live_version(store) == 1, "its approver is none any more"
    assert change(store, first).state == "expired"


def test_an_approved_change_goes_live_at_its_time(store: Store) -> None:
    govern(store)
    done = publish_workflow(store, lead_workflow(version()), actor=author(store), at="1h")
    token = done.change or ""
    decide(store, token)
    with store.write() as tx:
        tx.execute(update(changes).values(go_live_at=after(-1)))
        held = lock_change(tx, token)
        assert held is not None
        tx.execute(update(change_decisions).values(subject=subject_of(held).digest()))

    assert (keep_time_of_changes(store), live_version(store)) == (1, 2)


def test_a_change_whose_file_is_not_right_any_more_expires(store: Store) -> None:
    govern(store)
    done = publish_workflow(store, lead_workflow(version()), actor=author(store), at="1h")
    token = done.change or ""
    decide(store, token)
    faulty = change(store, token).definition | {"routes": "none"}  # as if a rule were stricter now
    with store.write() as tx:
        values = {"definition": dumps(faulty), "go_live_at": after(-1)}
        tx.execute(update(changes).values(values))
        held = lock_change(tx, token)
        assert held is not None
        tx.execute(update(change_decisions).values(subject=subject_of(held).digest()))

    assert (keep_time_of_changes(store), live_version(store)) == (1, 1)
    with store.read() as tx:
        (row,) = list_audit(tx, action="expire_change")
    assert "not right any more" in str(row.detail)


def test_what_nobody_decides_expires(store: Store) -> None:
    govern(store)
    token = proposed(store)
    with store.write() as tx:
        tx.execute(update(changes).values(expires_at=after(-1)))

    with pytest.raises(IllegalMove, match="expired at"):
        decide(store, token)
    assert keep_time_of_changes(store) == 1
    assert change(store, token).state == "expired"


def test_a_retirement_is_a_change_too(store: Store) -> None:
    govern(store)
    asked = retire_workflow(store, "acme", "leads", why="the form is gone", actor=author(store))
    assert (asked.state, live_version(store)) == ("awaiting_approval", 1)

    assert decide(store, asked.change).state == "live"

    assert live_version(store) is None
    with pytest.raises(NotFound):
        retire_workflow(store, "acme", "leads", why="again", actor=author(store))
    back = proposed(store, version(15))
    assert decide(store, back).live_version == 2


def test_a_trigger_that_was_taken_meanwhile_stops_it(store: Store) -> None:
    govern(store)
    moved = proposed(store, version().replace("lead.created", "lead.made"))
    rival = version().replace("workflow: leads", "workflow: rival")
    rival = rival.replace("lead.created", "lead.made")
    decide(store, proposed(store, rival))

    with pytest.raises(WorkflowConflict, match="is taken by the live"):
        decide(store, moved)
    assert change(store, moved).state == "awaiting_approval"


def test_one_function_makes_a_version_live_and_has_one_caller() -> None:
    root = Path(orchestrator.__file__).parent
    ways = ("make_live", "add_candidate", "promote_candidate", "end_live", "go_live")
    callers = {name: set[str]() for name in (*ways, "begin_rollout", "add_first_arm")}
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Name) and called.id in callers:
                callers[called.id].add(str(path.relative_to(root)))

    assert callers == {
        "make_live": {"operations/changes/go_live.py"},
        "add_candidate": {"operations/changes/go_live.py"},
        "promote_candidate": {"operations/changes/go_live.py"},
        "begin_rollout": {"operations/changes/go_live.py"},
        "add_first_arm": {"operations/changes/rollout/begin.py"},
        "end_live": {"operations/changes/go_live.py", "store/quarantine/workflows.py"},
        "go_live": {
            "operations/changes/decide.py",
            "operations/changes/break_glass.py",
            "operations/changes/keep_time.py",
            "operations/changes/rollout/keep.py",
            "operations/changes/propose.py",
        },
    }
    writers = [
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "migrations" not in path.parts and "live=True" in path.read_text()
    ]
    assert writers == ["store/quarantine/workflows.py"]


def _let_pass(store: Store) -> None:
    with store.write() as tx:
        tx.execute(update(changes).values(go_live_at=after(-1)))
