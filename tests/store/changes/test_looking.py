"""What is shown of a change before it is decided, and what an approval has to have looked at."""

from __future__ import annotations

import pytest

from orchestrator.domain.changes.deciding import Decision
from orchestrator.domain.errors import Refused
from orchestrator.operations.changes.decide import decide_change
from orchestrator.operations.changes.show import ExplainedChange, explain_change
from orchestrator.operations.changes.withdraw import withdraw_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from tests.leads import lead_workflow
from tests.store.changes.governed import (
    APPROVER,
    OTHER,
    approver,
    author,
    change,
    decide,
    govern,
    live_version,
    proposed,
    version,
)


def test_it_says_who_may_decide_and_why_the_other_approvers_may_not(store: Store) -> None:
    govern(store)
    token = proposed(store)

    shown = _explained(store, token)

    assert shown.may_decide == (APPROVER,)
    (other,) = shown.may_not
    assert other.mail == OTHER
    assert other.why.startswith(f"{APPROVER} approves changes of this workflow")
    decide(store, token)
    shown = _explained(store, token)
    assert (shown.may_decide, shown.may_not) == ((), ())


def test_what_was_edited_is_approved_by_its_digest_and_what_never_was_needs_none(
    store: Store,
) -> None:
    govern(store)
    token = proposed(store)
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)
    with pytest.raises(Refused, match="was edited: its round 2 is by person:author@") as caught:
        decide_change(store, token, Decision.APPROVE, actor=approver(store))
    assert caught.value.field == "digest"
    assert live_version(store) == 1

    seen = (change(store, token).digest,)
    decide_change(store, token, Decision.APPROVE, actor=approver(store), seen=seen)
    assert live_version(store) == 2
    once = proposed(store, version(40))
    decide_change(store, once, Decision.APPROVE, actor=approver(store))
    assert live_version(store) == 3


def test_what_is_not_approved_needs_no_digest(store: Store) -> None:
    govern(store)
    token = proposed(store)
    publish_workflow(store, lead_workflow(version(30)), actor=author(store), change=token)
    done = decide_change(store, token, Decision.REJECT, actor=approver(store), why="no")
    assert done.state == "rejected"


def test_a_second_reason_for_the_same_proposal_is_kept_once(store: Store) -> None:
    govern(store)
    for why in ("the form changed", None, "the sender asks for it", "the form changed"):
        done = publish_workflow(store, lead_workflow(version()), actor=author(store), why=why)
    assert done.change is not None
    assert change(store, done.change).why == "the form changed\nthe sender asks for it"


def test_why_it_was_withdrawn_or_rejected_is_shown(store: Store) -> None:
    govern(store)
    first, second = proposed(store), proposed(store, version(30))
    withdraw_change(store, first, actor=author(store), why="the form stays")
    decide(store, second, decision=Decision.REJECT)

    assert change(store, first).because == "the form stays"
    assert change(store, second).because == "not so"


def _explained(store: Store, token: str) -> ExplainedChange:
    with store.read() as tx:
        return explain_change(tx, token, None)
