"""What `workflow check` says of a file that compiles and yet cannot work, and its notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.workflows.file import read_workflow_file
from tests.unit.example import CATALOG

CONTRACT = """\
  type: object
  additionalProperties: false
  required: [email, tier, seats, price, lines, rows, pair, labels, company, when]
  properties:
    email: {type: string, x-pii: email}
    tier: {enum: [enterprise, pro]}
    seats: {type: integer}
    price: {type: number}
    topic: {type: string}
    text: {type: [string, "null"]}
    when: {type: string, format: date-time}
    pair: {type: array, minItems: 1, maxItems: 2, items: {type: string}}
    labels: {type: object, additionalProperties: {type: integer}}
    company: {type: [object, "null"], required: [name], properties: {name: {type: string}}}
    rows: {type: array, items: {type: array, items: {$ref: '#/$defs/cell'}}}
    lines:
      type: array
      items:
        type: object
        required: [sku, quantity, price]
        properties:
          sku: {type: string}
          quantity: {type: integer}
          price: {type: number}
          remark: {type: string}
          maker: {type: [object, "null"], required: [name], properties: {name: {type: string}}}
  $defs:
    cell: {type: object, required: [text], properties: {text: {type: string}, hint: {type: string}}}
"""
FILE = """\
workflow: lead-routing
client: acme
title: New leads reach the onboarding desk
trigger: {type: lead.created}
owners:
  owner: support-ops@acme.example
  recovery_lead: triage@acme.example
  approver: head-of-support@acme.example
  backstop: on-call@agency.example
contract:
CONTRACT
facts:
  email: data.email
  tier: data.tier
  seats: data.seats
  lines: data.lines
  company: data.company
  looked_at: FACT
routes:
  - {when: RULE, to: [crm]}
  - {when: 'tier == "pro"', to: [crm]}
destinations:
  crm:
    connector: crm
    action: upsert_contact
    send: {email: email, note: SENT}
    confirm: [email]
sla: {deliver_within: 15m, recover_within: 72h}
"""


def checked(
    folder: Path,
    *,
    fact: str = "data.email",
    rule: str = 'tier == "enterprise"',
    sent: str = "email",
    contract: str = CONTRACT,
) -> list[Fault]:
    """Faults and notes of the file with one thing in it changed."""
    file = folder / "leads.yaml"
    text = FILE.replace("CONTRACT\n", contract)
    for place, expression in (("FACT", fact), ("RULE", rule), ("SENT", sent)):
        written = expression if expression.startswith("{") else _quoted(expression)
        text = text.replace(place, written)
    file.write_text(text)
    try:
        return list(read_workflow_file(file, CATALOG).notes)
    except InvalidFile as error:
        return [*error.faults, *error.notes]


def _quoted(expression: str) -> str:
    return "'" + expression.replace("'", "''") + "'"


def told(found: list[Fault]) -> list[tuple[bool, str, str]]:
    return [(one.is_note, one.problem, one.fix) for one in found]


@pytest.mark.parametrize(
    ("fact", "problem", "fix"),
    [
        # names within loops, behind indexes, in lists of lists
        ('data.lines.filter(l, l.suk == "x")', "declare `l.suk` in `data.lines[]`", "`l.sku`"),
        ("data.lines.exists(l, l.quantty > 1)", "declare `l.quantty`", "`l.quantity`"),
        ("data.lines.all(l, l.name > 1)", "declare `l.name`", "declare it in the contract"),
        ("data.lines.map(l, l.suk)", "declare `l.suk`", "`l.sku`"),
        ("data.lines.map(l, l.quantity > 1, l.suk)", "declare `l.suk`", "`l.sku`"),
        ('data.lines.map(l, {"s": l.suk})', "declare `l.suk`", "`l.sku`"),
        ("data.lines.map(y, y).map(x, x.suk)", "declare `x.suk`", "`x.sku`"),
        ("(data.lines + data.lines).map(l, l.suk)", "declare `l.suk`", "`l.sku`"),
        ("data.lines.filter(l, l.quantity > 1).map(l, l.suk)", "declare `l.suk`", "`l.sku`"),
        ("data.lines.filter(l, l.quantity > 1)[0].suk", "`data.lines.filter(...)[0].suk`", "sku`"),
        ("data.lines[0].suk", "declare `data.lines[0].suk`", "`data.lines[0].sku`"),
        ("data.lines[data.seats].suk", "declare `data.lines[data.seats].suk`", "].sku`"),
        ("data.rows[0][0].txet", "declare `data.rows[0][0].txet`", "`data.rows[0][0].text`"),
        ("data.rows.map(r, r.map(c, c.txet))", "declare `c.txet` in `data.rows[][]`", "`c.text`"),
        ("data.lines.exists(l, has(l.remrak))", "declare `l.remrak`", "`l.remark`"),
        ("data.lines.sku", "`data.lines` is a list", "`data.lines[0].sku`"),
        ("data.email.domain", "`data.email` is text", "`data.email`"),
        ("data.email.length > 3", "not a field", "`size(data.email)`"),
        # what need not be there
        ("data.lines.map(l, l.remark)", "not require `l.remark`", "`has(l.remark) && ...`"),
        ('data.lines.exists(l, l.remark == "x")', "not require `l.remark`", "has(l.remark)"),
        ("data.rows.map(r, r.map(c, c.hint))", "not require `c.hint`", "has(c.hint)"),
        ("data.lines[0].remark", "not require `data.lines[0].remark`", "optional: true"),
        ('data.lines.all(l, has(l.maker) && l.maker.name == "x")', "`l.maker.name`", "!= null"),
        ("data.company.name", "not require `data.company.name`", "optional: true"),
        ('["a", "b"][2]', "has 2 entries", "from 0"),
        ("data.pair[2]", "never there: the contract allows 2", "`[1]`"),
        ("data.lines[-1].sku", "counted from 0", "data.lines[0]"),
        # kinds
        ("data.seats * 1.5", "mixes whole number (`data.seats`)", "`double(data.seats) * 1.5`"),
        ("1.5 * data.seats", "mixes", "`1.5 * double(data.seats)`"),
        ("double(data.seats) * 2", "mixes", "`double(data.seats) * 2.0`"),
        ("data.lines.map(l, l.quantity * 1.5)", "mixes", "`double(l.quantity) * 1.5`"),
        ("data.lines.map(l, l.quantity).exists(q, q / 2.0 > 1.0)", "mixes", "`double(q) / 2.0`"),
        ("data.labels[data.email] + 1.0", "mixes", "double(data.labels[data.email]) + 1.0"),
        ("data.lines.map(l, l.sku + l.quantity)", "text (`l.sku`)", "`string(l.quantity)`"),
        ('data.lines.exists(l, l.quantity == "5")', "never equal", "string(l.quantity)"),
        ('data.seats == "5"', "never equal", "string(data.seats)"),
        ("data.lines.exists(l, l.sku)", "has to be true or false", "compare it"),
        ("data.lines.filter(l, l.quantity)", "has to be true or false", "compare it"),
        ("data.seats.map(s, s)", "", ""),
        ("data.lines.map(l, l.sku.size() + l.sku)", "does not take this", "string(l.sku.size())"),
        ("data.lines.exists(l, l.sku < 5)", "does not take this", '"5"'),
        ("data.lines.map(l, -l.sku)", "does not take this", "one type"),
        ("size(data.seats)", "", ""),
        ("data.lines.slice(0, 1).map(l, l.suk)", "declare `l.suk`", "`l.sku`"),
        ('data.email.split("@").exists(p, p == 5)', "never equal", '"5"'),
        ("data.lines.map(l, l.quantity.trim())", "does not take this", "one type"),
        # constants
        ('data.email.matches("[")', "invalid regular expression", "RE2"),
        ('data.lines.exists(l, l.sku.matches("(?=x)"))', "invalid regular expression", "RE2"),
        ('matches(data.email, "a(")', "invalid regular expression", "RE2"),
        ('int("five") + data.seats', "can never be computed", "a number"),
        ("data.seats > 5 / size([])", "can never be computed", "another"),
        ("data.seats / 0", "divides by 0", "something else"),
        ('timestamp("tomorrow") == timestamp(data.when)', "can never be computed", "a moment"),
        ('timestamp(data.when).getHours("Europe/Berln")', "timezone", "Europe/Berlin"),
        ('duration("5 minutes") == duration("5m")', "can never be computed", "90s"),
    ],
)
def test_a_fact_that_can_never_be_computed_is_a_fault(
    tmp_path: Path, fact: str, problem: str, fix: str
) -> None:
    found = [one for one in checked(tmp_path, fact=fact) if not one.is_note]

    assert [(one.path, one.line) for one in found] == [("facts.looked_at", 45)], found
    assert problem in found[0].problem
    assert fix in found[0].fix


@pytest.mark.parametrize(
    "fact",
    [
        'data.lines.filter(l, has(l.remark) && l.remark == "x")',
        'data.lines.filter(l, l.remark == "x" && has(l.remark))',
        'data.lines.exists(l, !has(l.remark) || l.remark == "x")',
        'data.lines.map(l, has(l.remark) ? l.remark : "")',
        'data.lines.map(l, !has(l.remark) ? "" : l.remark)',
        "data.lines.filter(l, has(l.remark)).map(l, l.remark)",
        'data.lines.exists(l, "remark" in l && l.remark == "x")',
        'data.lines.all(l, has(l.maker) && l.maker != null && l.maker.name == "x")',
        'size(data.lines) > 0 ? data.lines[0].sku : ""',
        "data.pair[0]",
        "data.seats > 1.5",
        'data.email.split("@")[0].lowerAscii() == "ann"',
        "data.lines.map(l, l.quantity).sum() > 3",
        'data.lines.map(l, l.sku.trim()).join(", ")',
        "math.greatest(data.seats, 5) > 2",
        '"%s of %d".format([data.email, data.seats])',
        "data.price > 1",
        "double(data.price) * 1.5",
        "data.lines.map(l, l.sku + string(l.quantity))",
        "data.labels.map(k, data.labels[k] + 1)",
        "data.rows.map(r, r.filter(c, has(c.hint)).map(c, c.hint + c.text))",
        "{value: data.topic, optional: true}",
        "{value: data.company.name, optional: true}",
        'data.tier == "pro" ? 1 : 2',
        'data.email.matches("^[a-z]+$")',
        """{value: '{"pro": 1, "enterprise": 2}[data.tier]'}""",
        'timestamp(data.when).getHours("Europe/Berlin") < 12',
    ],
)
def test_a_fact_that_works_is_neither_a_fault_nor_a_note(tmp_path: Path, fact: str) -> None:
    assert told(checked(tmp_path, fact=fact)) == []


@pytest.mark.parametrize(
    ("fact", "problem", "fix"),
    [
        ("data.price * 1.5", "where `data.price` is whole (2)", "`double(data.price) * 1.5`"),
        ("data.price * 2", "where `data.price` is not whole (2.5)", "double(data.price) * 2.0"),
        ("data.price * data.seats", "one of its numbers is whole", "double(data.seats)"),
        ('data.tier == "por"', 'never "por"', 'write "pro"'),
        ('data.tier in ["pro", "enterprize"]', 'never "enterprize"', 'write "enterprise"'),
        ("""{value: '{"pro": 1}[data.tier]'}""", 'no entry for "enterprise"', "add the entries"),
        ("data.lines.map(l, l.price * 1.5)", "where `l.price` is whole", "double(l.price)"),
    ],
)
def test_a_fact_that_fails_for_some_payloads_is_a_note(
    tmp_path: Path, fact: str, problem: str, fix: str
) -> None:
    (found,) = checked(tmp_path, fact=fact)

    assert found.is_note
    assert found.line == 45
    assert problem in found.problem
    assert fix in found.fix


@pytest.mark.parametrize(
    ("rule", "problem", "fix"),
    [
        ('lines.exists(l, l.suk == "x")', "declare `l.suk` in `data.lines[]`", "`l.sku`"),
        ("lines[0].quantty > 1", "declare `lines[0].quantty`", "`lines[0].quantity`"),
        ('lines.exists(l, l.remark == "x")', "not require `l.remark`", "has(l.remark)"),
        ('company != null && company.nmae == "x"', "declare `company.nmae`", "`company.name`"),
        ('company.name == "x"', "not require `company.name`", "`company != null && ...`"),
        ("seats * 1.5 > 3.0", "mixes", "`double(seats) * 1.5`"),
        ('email.matches("[")', "invalid regular expression", "RE2"),
        ('seats == "5"', "never equal", "string(seats)"),
    ],
)
def test_rules_and_fields_know_what_their_facts_hold(
    tmp_path: Path, rule: str, problem: str, fix: str
) -> None:
    for path, found in (
        ("routes.0.when", checked(tmp_path, rule=rule)),
        ("destinations.crm.send.note", checked(tmp_path, sent=f"string({rule})")),
    ):
        faults = [one for one in found if not one.is_note]

        assert [one.path for one in faults] == [path]
        assert problem in faults[0].problem
        assert fix in faults[0].fix


@pytest.mark.parametrize(
    ("place", "expression", "fix"),
    [
        ("fact", "price > 1.0", "write `data.price`"),
        ("fact", "payload.email", "write `data.email`"),
        ("fact", "emial", "write `data.email`"),
        ("fact", "wholly.unknown", "write `data.wholly.unknown`, and declare it"),
        ("fact", "data.seats == None", "write `null`"),
        ("rule", 'data.tier == "pro"', "write `tier`"),
        ("rule", "data.price > 1.0", "declare the fact `price: data.price`, and write `price`"),
        ("rule", "tier != None", "write `null`"),
        ("rule", "tier == pro", 'write `"pro"` if it is a text'),
        ("sent", "data.email", "write `email`"),
        ("sent", "desk", "write '\"desk\"' if it is a text"),
    ],
)
def test_a_name_that_is_written_at_the_wrong_place_is_told_what_was_meant(
    tmp_path: Path, place: str, expression: str, fix: str
) -> None:
    found = [one for one in checked(tmp_path, **{place: expression}) if not one.is_note]

    assert len(found) == 1
    assert fix in found[0].fix


@pytest.mark.parametrize("rule", ["true", "1 == 1", '"a" != "b"', '!false || tier == "pro"'])
def test_a_route_behind_one_that_always_holds_is_a_fault(tmp_path: Path, rule: str) -> None:
    (found,) = checked(tmp_path, rule=rule)

    assert (found.path, found.is_note) == ("routes.1", False)
    assert "route 1 always holds" in found.problem


def test_a_route_with_the_rule_of_another_is_a_fault(tmp_path: Path) -> None:
    (found,) = checked(tmp_path, rule='(tier)   == "pro"')

    assert (found.path, found.is_note) == ("routes.1", False)
    assert "route 1 has the same rule" in found.problem


def test_a_rule_that_never_holds_is_a_note(tmp_path: Path) -> None:
    (found,) = checked(tmp_path, rule='false && tier == "pro"')

    assert (found.path, found.is_note) == ("routes.0", True)


@pytest.mark.parametrize(
    ("old", "new", "path", "problem", "fix"),
    [
        ("{type: string, x-pii: email}", "{x-pii: email, minLenght: 3}", "email.minLenght",
         "is not a keyword", "`minLength`"),
        ("{type: string, x-pii: email}", "{x-pii: email, max_length: 3}", "email.max_length",
         "is not a keyword", "`maxLength`"),
        ("seats: {type: integer}", "seats: {typ: integer}", "seats.typ", "keyword", "`type`"),
        ("$ref: '#/$defs/cell'", "ref: '#/$defs/cell'", "items.ref", "keyword", "`$ref`"),
        ("required: [text]", "requierd: [text]", "$defs.cell.requierd", "keyword", "`required`"),
        ("{type: string, x-pii: email}", "{type: string, minLength: 5, maxLength: 3}", "email",
         "no value can satisfy it", "in common"),
        ("seats: {type: integer}", 'seats: {type: integer, enum: ["1"]}', "seats",
         "`type` and `enum` leave nothing", "in common"),
        ("[email, tier,", "[emial, tier,", "required.0", "`emial` is required", "`email`"),
        ("[email, tier,", "[email, phone, tier,", "required.1", "no payload can satisfy",
         "declare it in `properties`"),
    ],
)  # fmt: skip
def test_a_contract_that_nothing_satisfies_or_that_checks_nothing_is_a_fault(
    tmp_path: Path, old: str, new: str, path: str, problem: str, fix: str
) -> None:
    found = checked(tmp_path, contract=CONTRACT.replace(old, new, 1))
    found = [one for one in found if one.path.startswith("contract") and not one.is_note]

    assert len(found) == 1
    assert found[0].path.endswith(path)
    assert found[0].line
    assert problem in found[0].problem
    assert fix in found[0].fix


@pytest.mark.parametrize(
    ("new", "problem", "fix"),
    [
        (
            "{type: string, x-pii: true, default: x}",
            "`default` is never applied",
            "make the fact optional",
        ),
        ("{type: string, x-pii: true, nullable: true}", "`nullable` is not a keyword", '"null"'),
        (
            "{type: string, x-pii: true, x-origin: crm}",
            "`x-origin` is not a keyword",
            "other programs",
        ),
        (
            "{type: string, x-pii: true, tsType: Mail}",
            "`tsType` is not a keyword",
            "other programs",
        ),
        ("{type: string, x-pii: true, enumNames: [a]}", "`enumNames` is not a keyword", "leave it"),
        (
            "{type: string, x-pii: true, minimum: 3}",
            "`minimum` says nothing of type string",
            "number",
        ),
        (
            "{type: string, x-pii: true, dependencies: {a: [b]}}",
            "not a keyword of the contract's draft",
            "dep",
        ),
    ],
)
def test_what_a_contract_says_without_effect_is_a_note(
    tmp_path: Path, new: str, problem: str, fix: str
) -> None:
    contract = CONTRACT.replace("email: {type: string, x-pii: email}", f"email: {new}", 1)

    (found,) = checked(tmp_path, contract=contract)

    assert found.is_note
    assert found.line == 15
    assert problem in found.problem
    assert fix in found.fix


@pytest.mark.parametrize(
    "more",
    [
        "anyOf: [{required: [topic]}, {required: [text]}]",
        "allOf: [{if: {required: [topic]}, then: {required: [text]}}]",
        "then: {properties: {topic: {minLength: 1}}, required: [topic, email]}",
        "examples: [{minLenght: 1}]",
        "$comment: none",
    ],
)
def test_what_real_contracts_say_is_neither_a_fault_nor_a_note(tmp_path: Path, more: str) -> None:
    assert told(checked(tmp_path, contract=f"  {more}\n{CONTRACT}")) == []


def test_an_open_object_may_require_what_it_does_not_declare_and_a_note_says_so(
    tmp_path: Path,
) -> None:
    contract = CONTRACT.replace("required: [text]", "required: [text, origin]")

    (found,) = checked(tmp_path, contract=contract)

    assert found.is_note
    assert "`origin` is required" in found.problem


@pytest.mark.parametrize(
    "fact",
    ["data.lines[0].sku", 'data.lines.filter(l, l.sku == "a")[0].sku', 'data.email.split("@")[1]'],
)
def test_an_entry_that_a_shorter_list_lacks_needs_an_optional_fact(
    tmp_path: Path, fact: str
) -> None:
    (found,) = checked(tmp_path, fact=fact)

    assert not found.is_note
    assert "is not there where the list is shorter" in found.problem
    assert "optional: true" in found.fix
    assert told(checked(tmp_path, fact=f"{{value: '{fact}', optional: true}}")) == []


def test_the_first_part_of_a_text_is_always_there(tmp_path: Path) -> None:
    assert told(checked(tmp_path, fact='data.email.split("@")[0]')) == []
