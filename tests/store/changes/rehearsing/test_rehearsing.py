"""What a rehearsal is run with, and what is kept of it; the chain itself is in tests/rehearsal."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.domain.changes.rehearsing.result import Rehearsal, RehearsedStop
from orchestrator.domain.errors import ChangedSinceSeen, NotFound, Refused
from orchestrator.operations.changes.rehearsing.keep import keep_rehearsal
from orchestrator.operations.changes.rehearsing.material import gather_material
from orchestrator.operations.changes.show import explain_change
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.engine import Store
from orchestrator.store.views.audit import list_audit
from tests.leads import TEXT, accept_leads, lead_workflow
from tests.store.changes.governed import author, change, decide, govern, proposed, version
from tests.store.changes.rehearsing.found import FOUND

MARKED = TEXT.replace("x-pii: false", "x-pii: email")


def test_payloads_have_made_up_persons_and_else_what_came(store: Store) -> None:
    govern(store)
    ids = accept_leads(store, 5)
    token = proposed(store, MARKED)

    found = gather_material(store, token, actor=author(store))

    assert {one.name for one in found.cases} == set(ids)
    payloads = [one.payload for one in found.cases if isinstance(one.payload, dict)]
    assert all(one["email"].endswith("@example.com") for one in payloads)
    assert len({one["email"] for one in payloads}) == 5
    assert {one["tier"] for one in payloads} <= {"enterprise", "pro"}
    assert (found.real, found.replaced, found.left_out) == (5, 5, 0)
    few = gather_material(store, token, actor=author(store), events=2)
    assert {one.name for one in few.cases} == set(ids[-2:])  # the newest


def test_a_change_without_events_or_with_another_file_is_refused(store: Store) -> None:
    govern(store)
    token = proposed(store)
    with pytest.raises(Refused, match="name its file with --file"):
        gather_material(store, token, actor=author(store))
    with pytest.raises(Refused, match="the file says something else"):
        gather_material(store, token, actor=author(store), file=lead_workflow())
    accept_leads(store, 1)
    same = lead_workflow(version())
    assert gather_material(store, token, actor=author(store), file=same).real == 1
    with pytest.raises(NotFound):
        gather_material(store, "nope", actor=author(store))


def test_what_was_found_is_kept_once_and_in_the_audit(store: Store) -> None:
    govern(store)
    accept_leads(store, 3)
    token = proposed(store)
    ran = gather_material(store, token, actor=author(store))

    first = keep_rehearsal(store, ran, FOUND, actor=author(store))
    again = keep_rehearsal(store, ran, replace(FOUND, events=4), actor=author(store))

    assert first.subject != again.subject == change(store, token).digest
    with store.read() as tx:
        shown = explain_change(tx, token, None)
        rows = list_audit(tx, action="rehearse_change", newest_first=False)
    assert shown.rehearsal is not None
    assert shown.rehearsal.events == 4
    assert [(one.detail or {})["subject"] for one in rows] == [first.subject, again.subject]
    (gate,) = [one for one in shown.gates if one.gate == "audit"]
    assert (gate.state, gate.digest) == ("pass", again.digest)
    decide(store, token)
    with pytest.raises(Refused, match="live already"):
        keep_rehearsal(store, ran, FOUND, actor=author(store))


def test_one_that_was_edited_meanwhile_is_refused(store: Store) -> None:
    govern(store)
    accept_leads(store, 3)
    token = proposed(store)
    ran = gather_material(store, token, actor=author(store))
    publish_again(store, token)
    with pytest.raises(ChangedSinceSeen, match="edited while it was rehearsed"):
        keep_rehearsal(store, ran, FOUND, actor=author(store))


def publish_again(store: Store, token: str) -> None:
    edited = lead_workflow(version(30))
    assert publish_workflow(store, edited, actor=author(store), change=token).change == token


@pytest.mark.parametrize(
    ("found", "state", "says"),
    [
        (replace(FOUND, unproven=1), "fail", "the audit of 1 rehearsed events"),
        (replace(FOUND, unfinished=1), "cannot_tell", "1 not finished"),
        (replace(FOUND, delivered=0), "cannot_tell", "0 were delivered"),
        (
            replace(
                FOUND,
                stops=(
                    RehearsedStop(
                        reason="read_back_mismatch", decided=False, events=2, examples=()
                    ),
                ),
            ),
            "fail",
            "2 rehearsed events were stopped",
        ),
        (
            replace(FOUND, destinations=(replace(FOUND.destinations[0], unmade=1),)),
            "fail",
            "no request can be made of 1 deliveries to crm",
        ),
    ],
)
def test_the_gate_of_the_audit_says_what_is_wrong(
    store: Store, found: Rehearsal, state: str, says: str
) -> None:
    govern(store)
    accept_leads(store, 3)
    token = proposed(store)
    ran = gather_material(store, token, actor=author(store))
    keep_rehearsal(store, ran, found, actor=author(store))
    with store.read() as tx:
        gates = explain_change(tx, token, None).gates
    (gate,) = [one for one in gates if one.gate == "audit"]
    assert gate.state == state
    assert says in gate.evidence
