"""A gate that fails and blocks stops a change, by whatever way, until it is mended or waived."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select, update

from orchestrator.domain.access.roles import Role
from orchestrator.domain.changes.gates.gate import JudgedGate
from orchestrator.domain.errors import Forbidden, IllegalMove, NotFound, Refused
from orchestrator.operations.changes.gates.show import CheckedChange, check_change
from orchestrator.operations.changes.gates.waive import waive_gate
from orchestrator.operations.changes.keep_time import keep_time_of_changes
from orchestrator.operations.publish_workflow import publish_workflow
from orchestrator.store.database.clock import after
from orchestrator.store.database.engine import Store
from orchestrator.store.database.schema import (
    audit,
    audit_values,
    change_evidence,
    changes,
    gate_waivers,
)
from tests.leads import TEXT, accept_leads, lead_workflow, publish_leads
from tests.people import add, logged_in
from tests.store.changes.governed import (
    approver,
    author,
    change,
    decide,
    govern,
    live_version,
    proposed,
    time_comes,
    version,
)

NEEDS_PLAN = TEXT.replace("[email, tier]\n  prop", "[email, tier, plan]\n  prop").replace(
    "    tier: {enum", "    plan: {type: string}\n    tier: {enum"
)
FAILING_TEST = version() + (
    "tests:\n"
    "  - name: a gold lead goes to the desk\n"
    "    payload: {email: ann@example.com, tier: gold}\n"
    "    expect: {route: [crm, desk]}\n"
)


def checked(store: Store, token: str) -> CheckedChange:
    with store.read() as tx:
        return check_change(tx, token, None)


def gate(store: Store, token: str, name: str) -> JudgedGate:
    return next(one for one in checked(store, token).gates if one.gate == name)


def waive(store: Store, token: str, name: str = "contract", until: str = "3d") -> JudgedGate:
    return waive_gate(store, token, name, actor=approver(store), why="agreed", until=until)


def refusing(store: Store) -> str:
    """A change that would newly refuse the three events that came."""
    govern(store)
    accept_leads(store, 3)
    return proposed(store, NEEDS_PLAN)


def test_a_change_that_passes_is_approved_and_says_what_is_not_known(store: Store) -> None:
    govern(store)
    token = proposed(store)

    found = checked(store, token)

    states = {one.gate: one.state for one in found.gates}
    assert (states["contract"], states["cases"], states["quarantine"]) == ("pass",) * 3
    assert states["drill"] == states["audit"] == "cannot_tell"
    assert not found.stops
    assert decide(store, token).state == "live"


def test_real_events_that_would_be_refused_stop_the_approval(store: Store) -> None:
    token = refusing(store)

    with pytest.raises(Refused) as error:
        decide(store, token)

    assert "the gate `contract` fails: of all 3 events" in str(error.value)
    assert error.value.fix is not None
    assert f"meshline change check {token}" in error.value.fix
    assert (change(store, token).state, live_version(store)) == ("awaiting_approval", 1)


def test_a_test_of_the_file_that_fails_stops_it(store: Store) -> None:
    govern(store)
    token = proposed(store, FAILING_TEST)

    with pytest.raises(Refused, match="a gold lead goes to the desk"):
        decide(store, token)
    found = gate(store, token, "cases")
    assert (found.state, found.stops) == ("fail", True)


def test_a_waived_gate_stops_nothing_until_it_expires(store: Store) -> None:
    token = refusing(store)

    done = waive(store, token)

    assert (done.state, done.waiver is not None) == ("waived", True)
    with store.write() as tx:
        tx.execute(update(gate_waivers).values(until=after(-1)))
    with pytest.raises(Refused, match="the gate `contract` fails"):
        decide(store, token)
    waive(store, token)
    assert decide(store, token).state == "live"
    with store.read() as tx:
        (row, _) = tx.execute(select(audit).where(audit.c.action == "waive_gate")).all()
    assert '"qa_gate": "contract"' in row.detail.replace('":"', '": "')
    assert "agreed" not in row.detail  # a reason is a value: it is beside the row


def test_a_change_for_later_is_not_approved_either_while_a_gate_fails(store: Store) -> None:
    govern(store)
    accept_leads(store, 3)
    done = publish_workflow(store, lead_workflow(NEEDS_PLAN), actor=author(store), at="2d")
    assert done.change is not None

    with pytest.raises(Refused, match="the gate `contract` fails"):
        decide(store, done.change)
    assert change(store, done.change).state == "awaiting_approval"


def test_evidence_that_is_taken_away_after_the_approval_stops_it(store: Store) -> None:
    govern(store)
    done = publish_workflow(store, lead_workflow(version()), actor=author(store), at="1h")
    assert done.change is not None
    assert decide(store, done.change).state == "approved"
    time_comes(store, done.change)
    with store.write() as tx:
        tx.execute(update(changes).where(changes.c.token == done.change).values(evidence=None))

    keep_time_of_changes(store)

    assert (change(store, done.change).state, live_version(store)) == ("expired", 1)


def test_a_waiver_that_ends_before_the_change_goes_live_does_not_count_then(store: Store) -> None:
    govern(store)
    accept_leads(store, 3)
    done = publish_workflow(store, lead_workflow(NEEDS_PLAN), actor=author(store), at="1h")
    assert done.change is not None
    waive(store, done.change)
    assert decide(store, done.change).state == "approved"
    with store.write() as tx:
        tx.execute(update(gate_waivers).values(until=after(-1)))
    time_comes(store, done.change)

    keep_time_of_changes(store)

    assert (change(store, done.change).state, live_version(store)) == ("expired", 1)
    with store.read() as tx:
        (row,) = tx.execute(select(audit.c.id).where(audit.c.action == "expire_change")).all()
        why = tx.execute(select(audit_values.c.value).where(audit_values.c.audit_id == row.id))
        assert "the gate `contract` fails" in why.scalar_one()


def test_an_edit_takes_a_waiver_away(store: Store) -> None:
    token = refusing(store)
    waive(store, token)

    text = NEEDS_PLAN.replace("15m", "20m")
    publish_workflow(store, lead_workflow(text), actor=author(store), change=token)

    assert gate(store, token, "contract").state == "fail"


def test_whose_approval_does_not_count_waives_nothing_either(store: Store) -> None:
    token = refusing(store)
    add(store, "late@acme.example", Role.APPROVER, "acme")

    for who in (author(store), logged_in(store, "late@acme.example")):
        with pytest.raises(Forbidden):
            waive_gate(store, token, "contract", actor=who, why="mine", until="3d")
    assert gate(store, token, "contract").state == "fail"


def test_only_a_gate_that_is_there_and_fails_is_waived_for_a_time_to_come(store: Store) -> None:
    token = refusing(store)

    with pytest.raises(NotFound, match="no gate 'contrct'"):
        waive(store, token, "contrct")
    with pytest.raises(Refused, match="does not fail"):
        waive(store, token, "quarantine")
    with pytest.raises(Refused, match="is not within the next 90 days"):
        waive(store, token, until="2020-01-01T00:00Z")
    waive(store, token)
    decide(store, token)
    with pytest.raises(IllegalMove, match="is live: nothing is to be waived"):
        waive(store, token)


def test_without_an_approver_nothing_is_stopped_and_the_gates_still_say_it(store: Store) -> None:
    publish_leads(store)
    accept_leads(store, 3)

    publish_leads(store, NEEDS_PLAN)

    assert live_version(store) == 2
    with store.read() as tx:
        token = tx.execute(select(changes.c.token).order_by(changes.c.id.desc())).scalars().first()
    assert token is not None
    assert gate(store, token, "contract").state == "fail"


def test_the_evidence_is_a_part_of_what_is_approved(store: Store) -> None:
    token = refusing(store)
    before = change(store, token)
    accept_leads(store, 2)
    publish_workflow(store, lead_workflow(NEEDS_PLAN), actor=author(store), change=token)
    after_that = change(store, token)

    assert before.definition_digest == after_that.definition_digest
    assert before.digest != after_that.digest
    with store.read() as tx:
        rounds = tx.execute(select(change_evidence.c.round).distinct()).scalars().all()
    assert sorted(rounds) == [1, 2]


def test_evidence_that_somebody_altered_is_not_believed(store: Store) -> None:
    token = refusing(store)
    with store.write() as tx:
        row = tx.execute(
            select(change_evidence).where(change_evidence.c.kind == "contract")
        ).first()
        assert row is not None
        better = row.body.replace('"newly_refused":3', '"newly_refused":0')
        assert better != row.body
        tx.execute(
            update(change_evidence)
            .where(change_evidence.c.kind == "contract", change_evidence.c.body == row.body)
            .values(body=better)
        )

    found = gate(store, token, "contract")

    assert (found.state, found.digest) == ("cannot_tell", None)


def test_the_house_lets_a_gate_warn_and_adds_a_rule_of_its_own(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = refusing(store)
    file = tmp_path / "gates.yaml"
    file.write_text("gates: {contract: warns}\n")
    monkeypatch.setenv("MESHLINE_GATES", str(file))
    assert not checked(store, token).stops

    rule = "{id: no-friday, when: 'difference.breaking == 0', say: nothing breaks}"
    file.write_text(f"gates: {{contract: warns}}\nrules: [{rule}]\n")
    with pytest.raises(Refused, match="the gate `no-friday` fails"):
        decide(store, token)
    with pytest.raises(Refused, match="cannot be waived"):
        waive(store, token, "no-friday")


@pytest.mark.parametrize("text", [None, "gates: {contrct: warns}", "rules: ["])
def test_a_file_of_gates_that_cannot_be_used_lets_nothing_go_live(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None
) -> None:
    govern(store)
    token = proposed(store)
    file = tmp_path / "gates.yaml"
    if text is not None:
        file.write_text(text)
    monkeypatch.setenv("MESHLINE_GATES", str(file))

    with pytest.raises(Refused, match="are not known"):
        decide(store, token)
    assert live_version(store) == 1
