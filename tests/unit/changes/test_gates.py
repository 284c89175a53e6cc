"""Each gate says pass, fail, waived or cannot tell, from evidence alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orchestrator.domain.changes.gates.cases import run_cases
from orchestrator.domain.changes.gates.checklist import checklist
from orchestrator.domain.changes.gates.evidence import (
    Budget,
    CasesRun,
    ContractTrial,
    Evidence,
    EvidenceKind,
    Load,
    Recorded,
    read_evidence,
    recorded,
)
from orchestrator.domain.changes.gates.example import example_of
from orchestrator.domain.changes.gates.findings import FINDERS
from orchestrator.domain.changes.gates.gate import (
    GATES,
    Force,
    GateName,
    GateState,
    JudgedGate,
    Waiver,
)
from orchestrator.domain.changes.gates.house import HouseGates, parse_house
from orchestrator.domain.changes.gates.judge import judge_gates
from orchestrator.domain.changes.gates.present import BacktestCounts, Present, Reach
from orchestrator.domain.changes.subject import Subject
from orchestrator.domain.contracts.contract import Contract, compile_contract
from orchestrator.domain.errors import Fault, InvalidFile
from tests.unit.example import compiled

PASS, FAIL, CANNOT_TELL = GateState.PASS, GateState.FAIL, GateState.CANNOT_TELL

TRIAL = ContractTrial(
    covers="yes",
    says="it takes all",
    since="2026-01-01T00:00:00Z",
    events=20,
    whole=True,
    newly_refused=0,
    newly_passing=0,
    examples=(),
)
CASES = CasesRun(
    example="contract", fields=("email", "tier"), made=7, failed=(), tests=3, failed_tests=()
)
LOAD = Load(events=20, whole=True, busiest=4, at="2026-01-01T00:00:00Z")
EVIDENCE = Evidence(contract=TRIAL, cases=CASES, load=LOAD)
NOW = Present(
    reached=(
        Reach(role="owner", address="owner@acme.example", sent=True, failed=False),
        Reach(role="approver", address="approver@acme.example", sent=True, failed=False),
    ),
    keeper="alive",
    base=3,
    recovery_lead="triage@acme.example",
    deliver_within="15m",
    recover_within="72h",
    calendar=False,
    connectors=("crm",),
    proven=frozenset({"crm"}),
    client="acme",
    workflow="leads",
    stricter=1,
    breaking=1,
    parts=("contract",),
    backtest=None,
)


def judged(
    evidence: Evidence = EVIDENCE,
    now: Present = NOW,
    house: str = "",
    waivers: dict[str, Waiver] | None = None,
) -> dict[str, JudgedGate]:
    gates = judge_gates(
        evidence,
        now,
        house=parse_house(house, name="gates.yaml") if house else HouseGates(),
        digests={EvidenceKind.CONTRACT: "c" * 64},
        waivers=waivers or {},
    )
    return {one.gate: one for one in gates}


def contract_of(schema: dict[str, Any]) -> Contract:
    faults: list[Fault] = []
    found = compile_contract(schema, "assert", faults)
    assert found is not None, faults
    return found


def test_there_are_ten_and_each_can_be_judged() -> None:
    assert [one.number for one in GATES] == list(range(1, 11))
    assert [one.name for one in GATES] == list(FINDERS) == list(GateName)
    warning = [one.number for one in GATES if one.force is Force.WARNS]
    assert warning == [1, 6, 7, 10]


def test_what_has_no_evidence_cannot_tell_and_stops_nothing() -> None:
    gates = judged(Evidence(), replace(NOW, keeper=None, reached=(), proven=frozenset()))

    unknown = {name for name, one in gates.items() if one.state == CANNOT_TELL}
    assert unknown == {
        "cases", "clocks", "audit", "contract", "load", "logins", "way_back", "drill",
    }  # fmt: skip
    assert not any(one.stops for one in gates.values())


@pytest.mark.parametrize(
    ("trial", "state", "says"),
    [
        (TRIAL, PASS, "it takes all"),
        (replace(TRIAL, newly_refused=7), FAIL, "newly refuses 7"),
        (replace(TRIAL, covers="no", says="it takes less"), PASS, "but it takes less"),
        (replace(TRIAL, covers="no", says="it takes less", whole=False), CANNOT_TELL, "the newest"),
        (replace(TRIAL, covers="no", events=0), CANNOT_TELL, "none was tried"),
        (replace(TRIAL, covers="unknown", events=0), CANNOT_TELL, "none was tried"),
    ],
)
def test_a_contract_passes_where_it_takes_all_or_no_real_event_is_newly_refused(
    trial: ContractTrial, state: GateState, says: str
) -> None:
    found = judged(replace(EVIDENCE, contract=trial))["contract"]

    assert found.state == state
    assert says in found.evidence
    assert found.stops is (state is FAIL)
    assert found.digest == "c" * 64


@pytest.mark.parametrize(("refused", "state"), [(0, PASS), (2, FAIL)])
def test_a_backtest_tells_what_the_sample_did_not(refused: int, state: GateState) -> None:
    counts = BacktestCounts(
        events=900, newly_refused=refused, newly_passing=0, fields_changed=0, peaks={}
    )
    unknown = replace(EVIDENCE, contract=replace(TRIAL, covers="no", events=0))

    found = judged(unknown, replace(NOW, backtest=counts))["contract"]

    assert found.state == state
    assert "900 events of its backtest" in found.evidence


BUDGET = Budget(destination="crm", per_minute=60, several=False)


@pytest.mark.parametrize(
    ("busiest", "budgets", "peak", "state"),
    [
        (20, (BUDGET,), None, PASS),
        (21, (BUDGET,), None, CANNOT_TELL),
        (21, (BUDGET,), 20, PASS),
        (21, (BUDGET,), 61, FAIL),
        (5, (replace(BUDGET, several=True),), None, CANNOT_TELL),
        (900, (replace(BUDGET, per_minute=None),), None, PASS),
        (900, None, None, CANNOT_TELL),
    ],
)
def test_the_busiest_minute_is_held_against_the_rate_budgets(
    busiest: int, budgets: tuple[Budget, ...] | None, peak: int | None, state: GateState
) -> None:
    load = replace(LOAD, busiest=busiest, budgets=budgets)
    counts = BacktestCounts(
        events=9, newly_refused=0, newly_passing=0, fields_changed=0, peaks={"crm": peak or 0}
    )

    now = replace(NOW, backtest=None if peak is None else counts)
    found = judged(replace(EVIDENCE, load=load), now)["load"]

    assert (found.state, found.stops) == (state, False)


def test_the_newest_events_alone_say_nothing_of_the_busiest_minute() -> None:
    load = replace(LOAD, busiest=5, budgets=(BUDGET,), whole=False)

    assert judged(replace(EVIDENCE, load=load))["load"].state == CANNOT_TELL


def test_a_first_version_refuses_nothing_that_passed() -> None:
    found = judged(replace(EVIDENCE, contract=None), replace(NOW, base=None))["contract"]

    assert found.state == PASS


def test_a_case_or_a_test_of_the_file_that_fails_stops_it() -> None:
    cases = replace(CASES, failed_tests=("an enterprise lead",))

    found = judged(replace(EVIDENCE, cases=cases))["cases"]

    assert (found.state, found.stops) == (FAIL, True)
    assert "1 of 10 cases and tests fail: the test 'an enterprise lead' fails" in found.evidence
    assert found.do is not None


@pytest.mark.parametrize(
    ("sent", "lost", "state"),
    [(True, False, PASS), (False, False, CANNOT_TELL), (True, True, FAIL)],
)
def test_owners_were_reached_or_not_or_nobody_knows(
    sent: bool,
    lost: bool,
    state: GateState,
) -> None:
    reach = Reach(role="owner", address="owner@acme.example", sent=sent, failed=lost)

    assert judged(now=replace(NOW, reached=(reach,)))["owners"].state == state


@pytest.mark.parametrize(
    ("keeper", "state"),
    [("alive", PASS), ("late", PASS), ("missing", FAIL), (None, CANNOT_TELL)],
)
def test_clocks_need_a_keeper(keeper: str | None, state: GateState) -> None:
    assert judged(now=replace(NOW, keeper=keeper))["clocks"].state == state


def test_the_house_says_which_gates_block() -> None:
    evidence = replace(EVIDENCE, contract=replace(TRIAL, newly_refused=1))

    found = judged(evidence, house="gates: {contract: warns, drill: blocks}")

    assert (found["contract"].state, found["contract"].stops) == (FAIL, False)
    assert (found["drill"].force, found["drill"].stops) == ("blocks", False)


RULE = "rules: [{id: quiet, when: '%s', say: nothing is newly refused, waive: approver}]"


@pytest.mark.parametrize(
    ("when", "state"),
    [
        ("contract.newly_refused == 0", PASS),
        ("contract.events > 100", FAIL),
        ('difference.breaking == 0 || client == "acme"', PASS),
        ('owners.owner.endsWith("@other.example")', FAIL),
        ('size(cases.failed_tests) == 0 && "contract" in difference.parts', PASS),
        ("backtest.newly_refused == 0", CANNOT_TELL),
    ],
)
def test_a_house_rule_is_cel_over_the_evidence(when: str, state: GateState) -> None:
    found = judged(house=RULE % when)["quiet"]

    assert found.state == state
    assert (found.number, found.asks) == (None, "nothing is newly refused")
    assert found.stops is (state is FAIL)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("gates: {drills: blocks}", "drills"),
        ("rules: [{id: a, when: 'contract.', say: x}]", "rules"),
        ("rules: [{id: a, when: '1 + 1', say: x}]", "not true or false"),
        ("rules: [{id: drill, when: 'true', say: x}]", "is taken"),
        ("rules: [{id: a, when: 'true', say: x}, {id: a, when: 'true', say: x}]", "is taken"),
        ("rules: [{id: a, when: 'nobody == 1', say: x}]", "nobody"),
    ],
)
def test_a_wrong_file_of_gates_says_its_fault(text: str, says: str) -> None:
    with pytest.raises(InvalidFile) as error:
        parse_house(text, name="gates.yaml")
    assert says in str([(one.path, one.problem, one.fix) for one in error.value.faults])


def waiver(*, expired: bool) -> Waiver:
    day = "2026-01-0{}T00:00:00Z"
    return Waiver(by="person:a@acme.example", why="for a week", at=day.format(1),
                  until=day.format(8), expired=expired)  # fmt: skip


def test_a_waiver_lets_a_gate_fail_until_it_expires() -> None:
    evidence = replace(EVIDENCE, contract=replace(TRIAL, newly_refused=1))

    holds = judged(evidence, waivers={"contract": waiver(expired=False)})["contract"]
    over = judged(evidence, waivers={"contract": waiver(expired=True)})["contract"]

    assert (holds.state, holds.stops, holds.do) == (GateState.WAIVED, False, None)
    assert (over.state, over.stops) == (FAIL, True)


def test_a_waiver_of_a_gate_that_passes_changes_nothing() -> None:
    found = judged(waivers={"contract": waiver(expired=False)})["contract"]

    assert found.state == PASS


def test_a_rule_that_nobody_may_waive_fails_whatever_was_waived() -> None:
    house = "rules: [{id: quiet, when: 'false', say: never}]"

    found = judged(house=house, waivers={"quiet": waiver(expired=False)})["quiet"]

    assert (found.state, found.waivable, found.stops) == (FAIL, False, True)


def test_evidence_is_read_as_it_was_recorded_and_known_by_its_digest() -> None:
    pieces = recorded(EVIDENCE)

    assert read_evidence(pieces) == EVIDENCE
    assert len({one.digest for one in pieces}) == 3
    other = recorded(replace(EVIDENCE, load=replace(LOAD, busiest=5)))
    assert [one.digest for one in other][:2] == [one.digest for one in pieces][:2]
    assert other[2].digest != pieces[2].digest


def test_an_approval_is_also_of_the_evidence_and_older_ones_stay_what_they_are() -> None:
    subject = Subject(
        client="acme", workflow="leads", kind="publish", definition="d", base=1, round=1,
        go_live_at=None,
    )  # fmt: skip

    one, other = (replace(subject, evidence={"cases": digest}) for digest in ("a", "b"))

    assert len({subject.digest(), one.digest(), other.digest()}) == 3
    assert replace(subject, evidence={}).digest() == subject.digest()


def test_evidence_in_another_form_is_none() -> None:
    odd = Recorded(kind=EvidenceKind.CASES, body='{"made": "many"}', digest="0" * 64)

    assert read_evidence((odd,)) == Evidence()


def test_each_required_field_is_tried_missing_renamed_and_of_a_wrong_type() -> None:
    found = run_cases(compiled().contract, [])

    assert found.example == "contract"
    assert (found.fields, found.made, found.failed) == (("email", "tier"), 7, ())


def test_nested_required_fields_are_tried_too_and_optional_ones_are_not() -> None:
    address = {
        "type": "object",
        "required": ["city"],
        "properties": {"city": {"type": "string", "minLength": 2}, "zip": {"type": "string"}},
    }
    schema = {
        "type": "object",
        "required": ["address"],
        "properties": {"address": address, "other": {**address}},
    }

    found = run_cases(contract_of(schema), [])

    assert found.fields == ("address", "address.city")
    assert found.failed == ()


def test_a_contract_that_takes_what_it_has_to_refuse_fails_by_name() -> None:
    says: dict[str, object] = {
        "type": "object",
        "required": ["a"],
        "properties": {"a": {"type": "string"}},
    }
    lax = replace(contract_of({"type": "object"}), schema=says)

    found = run_cases(lax, [])

    assert [one.case for one in found.failed] == [
        "`a` missing",
        "`a` renamed",
        "`a` of a wrong type",
    ]
    assert judged(replace(EVIDENCE, cases=found))["cases"].state == FAIL


def test_the_valid_payload_is_the_one_of_a_test_where_the_contract_alone_makes_none() -> None:
    schema = {
        "type": "object",
        "required": ["order"],
        "properties": {"order": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]+$"}},
    }
    contract = contract_of(schema)

    without = run_cases(contract, [{"order": "none"}])
    given = run_cases(contract, [{"order": "none"}, {"order": "ABC-1"}])

    assert (without.example, without.made) == (None, 0)
    assert (given.example, given.failed) == ("tests", ())
    assert judged(replace(EVIDENCE, cases=without))["cases"].state == CANNOT_TELL


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "string", "format": "email"},
        {"type": "string", "minLength": 40},
        {"type": "integer", "minimum": 7, "maximum": 9},
        {"type": "number", "exclusiveMaximum": -2},
        {"type": "array", "minItems": 2, "items": {"enum": ["x"]}},
        {"type": ["null", "boolean"]},
        {"const": {"a": 1}},
        {
            "allOf": [
                {"type": "object"},
                {"required": ["a"], "properties": {"a": {"type": "string"}}},
            ]
        },
    ],
)
def test_an_example_of_a_contract_is_taken_by_it(schema: dict[str, Any]) -> None:
    whole = {"type": "object", "required": ["value"], "properties": {"value": schema}}

    assert contract_of(whole).violations(example_of(whole)) == ()


def test_the_checklist_has_eight_questions_and_the_worst_state_of_its_gates() -> None:
    evidence = replace(EVIDENCE, contract=replace(TRIAL, newly_refused=1))
    found = checklist(compiled().workflow, list(judged(evidence).values()))

    assert [one.item for one in found] == [
        "trigger", "owner", "source of truth", "routing rule", "failure mode", "QA signal",
        "reporting metric", "recovery path",
    ]  # fmt: skip
    states = {one.item: one.state for one in found}
    assert states["trigger"] == FAIL
    assert states["routing rule"] == PASS
    assert states["recovery path"] == CANNOT_TELL
    assert found[0].answer == "lead.created"
