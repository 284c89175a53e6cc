"""Tests of a workflow's file: they pass where all that they expect comes, and say what differs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.documents import strict_json
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.domain.workflows.payload_files import LARGEST
from orchestrator.domain.workflows.tests import MOST_TESTS, WorkflowTest
from orchestrator.domain.workflows.workflow import Workflow
from orchestrator.operations.run_tests import run_tests
from orchestrator.pipeline.expectations import run_test
from tests.unit.example import CATALOG, changed, compiled

LEAD: dict[str, Any] = {"email": "ann@example.com", "tier": "enterprise"}


def unmet(payload: object, **expect: object) -> list[str]:
    """What differs, each with its path."""
    test = WorkflowTest.model_validate({"name": "it", "payload": payload, "expect": expect})
    return [f"{one.path}: {one.problem}" for one in run_test(test, compiled())]


def read(*tests: object, folder: Path | None = None, **parts: object) -> Workflow:
    text = json.dumps(changed(tests=list(tests), **parts))
    return parse_workflow(text, name="leads.yaml", folder=folder, catalog=CATALOG)


def faults(*tests: object, folder: Path | None = None, **parts: object) -> list[Fault]:
    with pytest.raises(InvalidFile) as refused:
        read(*tests, folder=folder, **parts)
    return list(refused.value.faults)


GOOD = {"name": "it", "payload": LEAD, "expect": {"route": 1}}


@pytest.mark.parametrize(
    "expect",
    [
        {"route": 1},
        {"route": ["crm", "senior-desk"]},
        {"route": ["senior-desk", "crm"]},
        {"sends": {"crm": {"email": "ann@example.com"}}},
        {"sends": {"crm": {"tier": "enterprise"}, "senior-desk": {"queue": "senior"}}},
        {"omits": {"crm": ["note"]}},
    ],
)
def test_a_test_passes_where_all_that_it_expects_comes(expect: dict[str, Any]) -> None:
    assert unmet(LEAD, **expect) == []


@pytest.mark.parametrize(
    ("payload", "expect"),
    [
        ({**LEAD, "tier": "gold"}, {"reason": "contract_violation"}),
        ({**LEAD, "tier": "gold"}, {"reason": "contract_violation", "says": "/tier: "}),
        ({"tier": 1}, {"reason": "contract_violation", "says": '"email" is a required'}),
        ({**LEAD, "tier": "starter"}, {"reason": "no_route", "says": "starter"}),
    ],
)
def test_a_test_passes_where_the_reason_comes(payload: object, expect: dict[str, Any]) -> None:
    assert unmet(payload, **expect) == []


@pytest.mark.parametrize(
    ("payload", "expect", "told"),
    [
        (LEAD, {"route": 2}, "expect.route: route 1 would be taken, not route 2"),
        (LEAD, {"route": ["crm"]}, "expect.route: it would go to crm, senior-desk, not to crm"),
        (
            LEAD,
            {"sends": {"crm": {"tier": "pro"}}},
            'expect.sends.crm.tier: "enterprise" would be sent, not "pro"',
        ),
        (
            LEAD,
            {"sends": {"crm": {"note": None}}},
            "expect.sends.crm.note: `note` would not be sent: a fact that it needs is absent",
        ),
        (
            {**LEAD, "tier": "pro"},
            {"sends": {"senior-desk": {"queue": "senior"}}},
            "expect.sends.senior-desk: nothing would be sent to `senior-desk`, but to crm",
        ),
        (
            {**LEAD, "tier": "pro"},
            {"omits": {"senior-desk": ["queue"]}},
            "expect.omits.senior-desk: nothing would be sent to `senior-desk`, but to crm",
        ),
        (
            {**LEAD, "message": "hi"},
            {"omits": {"crm": ["note"]}},
            'expect.omits.crm.0: `note` would be sent: "hi"',
        ),
        (
            LEAD,
            {"reason": "no_route"},
            "expect.reason: route 1 would be taken, to crm, senior-desk, and nothing quarantined",
        ),
        (
            {"tier": "pro"},
            {"reason": "no_route"},
            (
                "expect.reason: it would be quarantined as contract_violation, not no_route:"
                ' "email" is a required property'
            ),
        ),
        (
            {"tier": "pro"},
            {"reason": "contract_violation", "says": "/tier"},
            'expect.says: the quarantine does not say "/tier", but: "email" is a required property',
        ),
        (
            {"tier": "pro"},
            {"sends": {"crm": {"tier": "pro"}}},
            'expect: it would be quarantined as contract_violation: "email" is a required property',
        ),
    ],
)
def test_what_differs_is_told(payload: object, expect: dict[str, Any], told: str) -> None:
    assert unmet(payload, **expect) == [told]


def test_every_difference_of_a_test_is_told() -> None:
    found = unmet(LEAD, route=2, sends={"crm": {"email": "bob", "tier": "pro"}})

    assert [one.partition(":")[0] for one in found] == [
        *("expect.route", "expect.sends.crm.email", "expect.sends.crm.tier"),
    ]


def test_values_compare_as_json() -> None:
    sent = {"connector": "crm", "action": "upsert_contact", "send": {"note": "seats"}}
    workflow = compiled(
        destinations={"crm": sent}, routes=[{"when": "true", "to": ["crm"]}],
    )  # fmt: skip

    def meets(seats: float, wanted: object) -> bool:
        expect = {"sends": {"crm": {"note": wanted}}}
        test = {"name": "it", "payload": {**LEAD, "seats": seats}, "expect": expect}
        return not run_test(WorkflowTest.model_validate(test), workflow)

    assert meets(1, 1.0)
    assert not meets(1, True)
    assert not meets(1, "1")


def test_long_texts_are_shown_where_they_differ() -> None:
    long = "x" * 1_000

    (told,) = unmet({**LEAD, "message": f"{long}abc"}, sends={"crm": {"note": f"{long}abd"}})

    assert "from character 1003 on" in told
    assert 'abc" would be sent, not "' in told
    assert len(told) < 300


def test_a_version_is_the_same_with_other_tests() -> None:
    with_tests, without = read(GOOD), read()

    assert with_tests.tests != without.tests
    assert strict_json.digest(with_tests.definition()) == strict_json.digest(without.definition())
    assert "tests" not in with_tests.definition()


def test_a_payload_may_have_a_file_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "lead.json").write_text(json.dumps(LEAD))

    workflow = read({"name": "it", "file": "lead.json", "expect": {"route": 1}}, folder=tmp_path)

    assert workflow.tests[0].payload == LEAD
    assert [run.passed for run in run_tests(workflow)] == [True]


@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("absent.json", "absent.json cannot be read: No such file"),
        ("../lead.json", "leads out of the workflow's folder"),
        ("broken.json", "broken.json: "),
        ("large.json", "large.json is larger than 1 MiB"),
        (".", "cannot be read: Is a directory"),
    ],
)
def test_a_payload_file_that_cannot_be_read_is_a_fault(
    tmp_path: Path, file: str, problem: str
) -> None:
    (tmp_path / "broken.json").write_text('{"email":')
    (tmp_path / "large.json").write_text(json.dumps("x" * LARGEST))

    (fault,) = faults({"name": "it", "file": file, "expect": {"route": 1}}, folder=tmp_path)

    assert fault.path == "tests.0.file"
    assert problem in fault.problem


def test_all_payload_files_together_have_a_bound(tmp_path: Path) -> None:
    (tmp_path / "lead.json").write_text(json.dumps("x" * (LARGEST - 2)))
    test = {"name": "it", "file": "lead.json", "expect": {"route": 1}}

    (fault,) = faults(*[test] * 17, folder=tmp_path)

    assert fault.path == "tests.16.file"
    assert "larger than 16 MiB" in fault.problem


@pytest.mark.parametrize(
    ("test", "path", "fix"),
    [
        ({**GOOD, "expect": {"route": 3}}, "expect.route", "write 1 to 2"),
        ({**GOOD, "expect": {"route": 0}}, "expect.route", "write a route's number from the top"),
        ({**GOOD, "expect": {"route": True}}, "expect.route", "write a route's number from"),
        ({**GOOD, "expect": {"route": ["crmm"]}}, "expect.route.0", "write `crm`"),
        ({**GOOD, "expect": {"sends": {"crmm": {}}}}, "expect.sends.crmm", "write `crm`"),
        (
            {**GOOD, "expect": {"sends": {"crm": {"teir": 1}}}},
            "expect.sends.crm.teir",
            "write `tier`",
        ),
        ({**GOOD, "expect": {"omits": {"crm": ["teir"]}}}, "expect.omits.crm.0", "write `tier`"),
        ({**GOOD, "expect": {"reason": "no_ruote"}}, "expect.reason", "write `no_route`"),
        ({**GOOD, "expect": {"reason": "handoff_mismatch"}}, "expect.reason", "use one of"),
        ({**GOOD, "expect": {"says": "tier"}}, "expect", "write `route`, `sends` or `reason`"),
        ({**GOOD, "expect": {"route": 1, "says": "x"}}, "expect", "add `reason: ...`"),
        ({**GOOD, "expect": {"route": 1, "reason": "no_route"}}, "expect", "write `reason` alone"),
        ({**GOOD, "expect": {}}, "expect", "write `route`, `sends` or `reason`"),
        ({**GOOD, "file": "lead.json"}, "file", "write `payload` or `file`"),
        ({"name": "it", "expect": {"route": 1}}, "payload", "or `file: lead.json`"),
        ({"payload": LEAD, "expect": {"route": 1}}, "name", "add `name: "),
        ({**GOOD, "expects": 1}, "expects", "write `expect`"),
    ],
)
def test_what_a_test_cannot_mean_is_a_fault(test: dict[str, Any], path: str, fix: str) -> None:
    (fault,) = faults(test)

    assert fault.path == f"tests.0.{path}"
    assert fault.line == 1
    assert fix in fault.fix


def test_a_test_is_held_against_the_workflow_also_where_the_file_has_other_faults() -> None:
    found = faults({**GOOD, "expect": {"route": 9}}, title=7)

    assert {one.path for one in found} == {"title", "tests.0.expect.route"}


def test_there_are_at_most_so_many_tests() -> None:
    assert len(read(*[GOOD] * MOST_TESTS).tests) == MOST_TESTS
    (fault,) = faults(*[GOOD] * (MOST_TESTS + 1))
    assert (fault.path, fault.fix) == ("tests", f"write at most {MOST_TESTS}")


def test_what_has_no_time_left_fails_unrun() -> None:
    runs = run_tests(read(GOOD, GOOD), seconds=0)

    assert [run.passed for run in runs] == [False, False]
    assert "was not run" in runs[0].unmet[0].problem
