"""`workflow try` and `workflow test`: what would be decided, from which line, and why."""

from __future__ import annotations

import json

import pytest

from tests.cli.desk import CommandLine
from tests.leads import TEXT

PRO = '{"email": "ann@example.com", "tier": "pro"}'
GOLD = '{"email": "ann@example.com", "tier": "gold"}'
TESTS = """
tests:
  - name: a pro lead reaches the CRM
    payload: {email: ann@example.com, tier: pro}
    expect: {route: [crm], sends: {crm: {email: ann@example.com}}}
  - name: gold is not a tier
    payload: {email: ann@example.com, tier: gold}
    expect: {reason: contract_violation, says: /tier}
"""
FAILING = TESTS.replace("crm: {email: ann@", "crm: {email: bob@")


def test_a_payload_is_tried_with_the_lines_of_the_file(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT)

    ran = meshline("workflow", "try", "leads.yaml", "--data", PRO)

    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "leads.yaml: leads of client acme; the lines are this file's",
        "payload 1: would be routed",
        "  contract: holds  (line 10)",
        '  fact email = "ann@example.com"  (line 17)',
        '  fact tier = "pro"  (line 17)',
        '  route 2: tier == "pro", to crm  (line 20)',
        "  crm: fake.record  (line 22)",
        '    sends email = "ann@example.com"  (line 22)',
        '    sends tier = "pro"  (line 22)',
        "    confirms email  (line 22)",
        "    confirms tier  (line 22)",
    ]
    assert not (meshline.folder / ".meshline").exists()


def test_what_would_be_quarantined_says_stage_owner_and_every_violation(
    meshline: CommandLine,
) -> None:
    meshline.write("leads.yaml", TEXT)

    ran = meshline("workflow", "try", "leads.yaml", "--data", '{"tier": "gold", "mail": "a"}')

    assert ran.code == 1
    assert "payload 1: would be quarantined: contract_violation" in ran.out
    assert '  contract: /tier: "gold" is not one of "enterprise" or "pro"  (line 16)' in ran.out
    assert "`mail` looks like the missing `email`  (line 12)" in ran.out
    assert "  quarantined in validate: " in ran.out
    assert "  owner support-ops@acme.example, recovery lead triage@acme.example" in ran.out


@pytest.mark.parametrize(
    "data",
    [f"[{PRO}, {GOLD}, 3]", f"{PRO}\n\n{GOLD}\n3\n", f"\n{PRO}\r\n{GOLD}\r\n3"],
    ids=["list", "lines", "lines of Windows"],
)
@pytest.mark.parametrize("way", ["file", "stdin"])
def test_many_payloads_are_tried_one_by_one(meshline: CommandLine, data: str, way: str) -> None:
    meshline.write("leads.yaml", TEXT)
    meshline.write("leads.json", data)

    ran = meshline("workflow", "try", "leads.yaml", "--json", "--data",
                   "leads.json" if way == "file" else "-", stdin=data)  # fmt: skip

    assert (ran.code, ran.err) == (1, "")
    document = ran.document
    assert [one["outcome"] for one in document["payloads"]] == [
        *("routed", "quarantined", "quarantined")
    ]
    assert (document["routed"], document["quarantined"], document["refused"]) == (1, 2, 0)


def test_a_line_that_is_not_json_is_refused_and_the_others_are_tried(
    meshline: CommandLine,
) -> None:
    meshline.write("leads.yaml", TEXT)
    meshline.write("leads.jsonl", f'{{"email"\n{PRO}\n{{"a": 1, "a": 2}}\n')

    ran = meshline("workflow", "try", "leads.yaml", "--data", "leads.jsonl")

    assert ran.code == 1
    titles = [line for line in ran.out.splitlines() if line.startswith("payload")]
    assert titles[0].startswith("payload 1, line 1 of leads.jsonl: would be refused: ")
    assert titles[1] == "payload 2, line 2 of leads.jsonl: would be routed"
    assert "at line 3, column " in titles[2]
    assert ran.err == "2 would be refused by the door, 1 would be routed\n"


def test_json_has_each_part_with_its_line(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT)

    document = meshline("workflow", "try", "leads.yaml", "--data", PRO, "--json").document

    (tried,) = document["payloads"]
    assert list(document) == [
        *("source", "client", "workflow", "routed", "quarantined", "refused", "payloads")
    ]
    assert list(tried) == [
        *("number", "line", "outcome", "contract", "facts", "route", "deliveries", "quarantine")
    ]
    assert tried["route"] == {
        "number": 2, "when": 'tier == "pro"', "to": ["crm"], "approve_within": None, "line": 20,
    }  # fmt: skip
    (delivery,) = tried["deliveries"]
    assert delivery["sends"][0] == {
        "field": "email",
        "value": "ann@example.com",
        "expression": "email",
        "defaulted": False,
        "line": 22,
    }
    assert delivery["confirms"] == [{"field": "email", "line": 22}, {"field": "tier", "line": 22}]


def test_a_live_workflow_is_tried_by_its_name(meshline: CommandLine) -> None:
    meshline.publish()

    ran = meshline("workflow", "try", "leads", "--client", "acme", "--data", PRO)

    assert ran.code == 0
    assert ran.out.startswith("leads of client acme, version 1\npayload 1: would be routed\n")
    assert "line" not in ran.out
    assert "no live workflow 'x'" in meshline("workflow", "try", "x", "--data", PRO).error


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ("", "it holds no payload"),
        ("[]", "it holds no payload"),
        ("[{} {}]", "expecting ',' delimiter"),
        ('{"a"', "would be refused"),
    ],
)
def test_data_that_is_not_json_is_refused(meshline: CommandLine, data: str, said: str) -> None:
    meshline.write("leads.yaml", TEXT)

    ran = meshline("workflow", "try", "leads.yaml", "--data", "-", stdin=data)

    assert ran.code == 1
    assert said in ran.out + ran.err


def test_a_file_with_faults_is_not_tried(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT.replace("tier: data.tier}", "tier: data.teir}"))

    ran = meshline("workflow", "try", "leads.yaml", "--data", PRO)

    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("leads.yaml:17: facts.tier: ")


def test_the_trial_decides_as_the_stages_do(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT)
    (event_id,) = meshline.leads(1, tier="gold")
    kept = meshline("events", "show", event_id, "--json").document["quarantine"]

    ran = meshline("workflow", "try", "leads.yaml", "--data", GOLD, "--json")

    tried = ran.document["payloads"][0]["quarantine"]
    same = ("stage", "reason", "detail", "owner", "recovery_lead")
    assert {name: tried[name] for name in same} == {name: kept[name] for name in same}


def test_tests_are_shown_each_passed_or_what_differs(meshline: CommandLine) -> None:
    meshline.write("good.yaml", TEXT + TESTS)
    meshline.write("bad.yaml", TEXT + FAILING)

    good, bad = meshline("workflow", "test", "good.yaml"), meshline("workflow", "test", "bad.yaml")

    first = TEXT.count("\n") + 3
    assert (good.code, good.err) == (0, "2 passed, 0 failed\n")
    assert good.out.splitlines() == [
        f"good.yaml:{first}: passed: a pro lead reaches the CRM",
        f"good.yaml:{first + 3}: passed: gold is not a tier",
    ]
    assert (bad.code, bad.err) == (1, "1 passed, 1 failed\n")
    assert bad.out.splitlines()[:2] == [
        f"bad.yaml:{first}: failed: a pro lead reaches the CRM",
        (
            f"  line {first + 2}: tests.0.expect.sends.crm.email:"
            ' "ann@example.com" would be sent, not "bob@example.com"'
        ),
    ]


def test_json_of_tests_has_what_differs(meshline: CommandLine) -> None:
    meshline.write("bad.yaml", TEXT + FAILING)

    ran = meshline("workflow", "test", "bad.yaml", "--json")

    assert (ran.code, ran.err) == (1, "")
    document = ran.document
    assert (document["ok"], document["passed"], document["failed"]) == (False, 1, 1)
    failed, passed = document["tests"]
    assert (passed["passed"], passed["differences"]) == (True, [])
    assert list(failed) == ["file", "line", "name", "passed", "differences"]
    assert failed["differences"][0]["path"] == "tests.0.expect.sends.crm.email"


def test_a_failed_test_is_a_fault_and_keeps_the_file_from_being_published(
    meshline: CommandLine,
) -> None:
    meshline.write("bad.yaml", TEXT + FAILING)

    checked = meshline("workflow", "check", "bad.yaml")
    published = meshline("workflow", "publish", "bad.yaml")

    line = TEXT.count("\n") + 5
    assert checked.err == published.err
    assert checked.err.startswith(
        f"bad.yaml:{line}: tests.0.expect.sends.crm.email: the test 'a pro lead reaches the CRM'"
    )
    assert (checked.code, published.code, checked.out, published.out) == (1, 1, "", "")
    assert not (meshline.folder / ".meshline").exists()


def test_other_tests_do_not_make_another_version(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT)
    meshline("workflow", "publish", "leads.yaml")
    meshline.write("leads.yaml", TEXT + TESTS)

    again = meshline("workflow", "publish", "leads.yaml")

    assert "version 1 is live already and says the same" in again.out
    assert "tests" not in json.dumps(meshline("workflow", "show", "leads", "--json").document)


def test_a_file_without_tests_says_so(meshline: CommandLine) -> None:
    meshline.write("leads.yaml", TEXT)

    ran = meshline("workflow", "test", "leads.yaml")

    assert (ran.code, ran.out) == (0, "")
    assert ran.err.startswith("leads.yaml has no tests")


def test_a_default_that_would_be_sent_is_said(meshline: CommandLine) -> None:
    text = TEXT.replace("facts: {", "facts: {note: {value: data.note, optional: true}, ")
    text = text.replace("    tier: {enum", "    note: {type: string}\n    tier: {enum")
    text = text.replace("tier: tier}", "tier: tier, note: {value: note, default: '\"none\"'}}", 1)
    meshline.write("leads.yaml", text)

    said = meshline("workflow", "try", "leads.yaml", "--data", PRO)
    document = meshline("workflow", "try", "leads.yaml", "--data", PRO, "--json").document

    assert '    sends note = "none" (its default)  (line 23)' in said.out.splitlines()
    sent = {
        one["field"]: one["defaulted"] for one in document["payloads"][0]["deliveries"][0]["sends"]
    }
    assert sent == {"email": False, "tier": False, "note": True}


def test_a_route_that_asks_says_so(meshline: CommandLine) -> None:
    asking = TEXT.replace("to: [crm]}", "to: [crm], approve: {within: 4h}}")
    meshline.write("leads.yaml", asking)

    tried = meshline("workflow", "try", "leads.yaml", "--data", PRO).out

    assert "waits for the approver's yes, at most 4h; then it is quarantined  (line 20)" in tried
