"""No payload and no contract makes the validator work for long; ordinary ones are never refused."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest

from orchestrator.domain.contracts import cost as contract_cost
from orchestrator.domain.contracts.contract import (
    Contract,
    TooDear,
    compile_contract,
    schema_faults,
)
from orchestrator.domain.contracts.cost import MOST_STEPS, cost_of
from orchestrator.domain.contracts.pattern_cost import Effort, effort_of, steps_on
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import Fault, InvalidFile
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.compiled import compile_workflow
from orchestrator.domain.workflows.file import parse_workflow
from orchestrator.pipeline.validate import validate
from tests.conftest import SHARED
from tests.leads import CATALOG, TEXT, lead_workflow

NODE = {"$ref": "#/$defs/node"}


def contract(schema: dict[str, Any]) -> Contract:
    faults = schema_faults(schema)
    compiled = compile_contract(schema, "annotate", faults)
    assert compiled is not None, faults
    return compiled


def recursive(node: dict[str, Any]) -> dict[str, Any]:
    return {"$defs": {"node": node}, **NODE}


def nested(levels: int, *, leaf: object = 1, name: str = "a") -> object:
    value = leaf
    for _ in range(levels):
        value = {name: value}
    return value


def faults_of(schema: dict[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    assert compile_contract(schema, "assert", faults) is None
    return faults


TWO_BRANCHES = recursive(
    {
        "anyOf": [
            {"properties": {"a": NODE}, "required": ["x"]},
            {"properties": {"a": NODE}, "required": ["y"]},
        ]
    }
)


def test_a_deep_payload_of_a_union_that_refers_to_itself_is_refused_by_its_cost() -> None:
    with pytest.raises(TooDear, match=r"breaks the contract.* more than 10,000,000 steps: send"):
        contract(TWO_BRANCHES).violations(nested(60))


def test_a_payload_is_quarantined_as_contract_limit_and_not_tried_again() -> None:
    workflow = dataclasses.replace(
        compile_workflow(lead_workflow()), contract=contract(TWO_BRANCHES)
    )

    verdict = validate(nested(60), workflow)

    assert isinstance(verdict, Rejected)
    assert verdict.reason == Reason.CONTRACT_LIMIT
    assert not verdict.violations


def test_a_deep_payload_that_satisfies_such_a_union_is_valid() -> None:
    payload: object = {"x": 1}
    for _ in range(60):
        payload = {"a": payload, "x": 1}

    assert contract(TWO_BRANCHES).violations(payload) == ()


def test_where_the_errors_of_a_union_would_fill_the_memory_it_says_that_nothing_fits() -> None:
    """At depth 14 the whole tree took 20 s and 622 MB."""
    (found,) = contract(TWO_BRANCHES).violations(nested(14))

    assert (found.path, found.kind) == ("", "anyOf")
    assert found.message == "it fits none of the 2 alternatives"
    assert found.schema_path == "/$defs/node/anyOf"


def test_beside_a_large_union_the_other_violations_are_listed() -> None:
    schema = {
        "$defs": {"node": TWO_BRANCHES["$defs"]["node"]},
        "required": ["id"],
        "properties": {"tree": NODE, "size": {"type": "integer"}},
    }

    found = contract(schema).violations({"tree": nested(14), "size": "large"})

    assert {(one.path, one.kind) for one in found} == {
        ("/size", "type"),
        ("/tree", "anyOf"),
        ("", "required"),
    }


def test_errors_that_each_hold_a_large_value_are_not_all_made() -> None:
    schema = recursive({"required": ["z"], "properties": {"a": NODE}})

    (found,) = contract(schema).violations(nested(60, leaf=list(range(100_000))))

    assert found.kind == "required"


def test_names_as_long_as_a_body_do_not_fill_the_memory() -> None:
    """1,000 errors under one path of a megabyte took 12 s and 4 GB."""
    payload: object = [1] * 1_000
    for level in range(60):
        payload = {f"{level}{'x' * 16_000}": payload}
    schema = recursive({"additionalProperties": NODE, "items": {"type": "string"}})

    (found,) = contract(schema).violations(payload)

    assert found.kind == "type"


def test_names_as_long_as_a_body_are_compared_with_no_missing_one() -> None:
    """Fifty of 20,000 characters took 19 s."""
    names = {f"name_{number}": True for number in range(50)}
    schema = {"required": list(names), "properties": names, "additionalProperties": False}
    payload = {f"{number}{'ab_' * 6_500}": 1 for number in range(50)}

    found = contract(schema).violations(payload)

    assert len(found) == 51
    assert not any(one.hint for one in found)


def doubling(levels: int, **around: Any) -> dict[str, Any]:
    """A contract that is read 2 ** levels times for any value."""
    following = {
        f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(levels)
    }
    return {
        "$defs": {**following, f"d{levels}": {"type": "object"}},
        "$ref": "#/$defs/d0",
        **around,
    }


def test_a_contract_that_is_dear_for_every_payload_is_refused_with_the_place() -> None:
    (fault,) = faults_of(doubling(28))

    assert fault.path.startswith("contract.$defs.d1")
    assert "steps for each value" in fault.problem
    assert "refer to each schema once" in fault.fix


def test_the_check_of_a_workflow_names_the_line_of_what_is_too_dear() -> None:
    twice = "    d{}: {{allOf: [{{$ref: '#/$defs/d{}'}}, {{$ref: '#/$defs/d{}'}}]}}"
    levels = [twice.format(level, level + 1, level + 1) for level in range(28)]
    contract_text = "\n".join(["  $defs:", *levels, "    d28: {}", "  $ref: '#/$defs/d0'", ""])
    text = re.sub(r"(?<=contract:\n).*(?=facts:)", lambda _: contract_text, TEXT, flags=re.DOTALL)

    with pytest.raises(InvalidFile) as found:
        lead_workflow(text)

    (fault,) = [one for one in found.value.faults if "steps" in one.problem]
    assert fault.line is not None
    assert text.splitlines()[fault.line - 1].strip().startswith(fault.path.split(".")[-1] + ":")


def test_a_contract_that_is_dear_through_unevaluated_properties_is_refused() -> None:
    """It asks each of its parts again: fourfold a level, though no schema is named twice."""
    levels = {
        f"d{level}": {
            "anyOf": [{"allOf": [{"$ref": f"#/$defs/d{level + 1}"}]}],
            "unevaluatedProperties": False,
        }
        for level in range(20)
    }

    (fault,) = faults_of({"$defs": {**levels, "d20": {}}, "$ref": "#/$defs/d0"})

    assert "steps for each value" in fault.problem


def test_a_contract_that_grows_with_the_depth_of_a_payload_is_refused_for_deep_ones_only() -> None:
    following = {
        f"d{level}": {"allOf": [{"properties": {"a": {"$ref": f"#/$defs/d{level + 1}"}}}] * 2}
        for level in range(40)
    }
    schema = {"$defs": {**following, "d40": {}}, "$ref": "#/$defs/d0"}

    assert contract(schema).violations(nested(8)) == ()
    with pytest.raises(TooDear, match="to hold it against the contract takes more than"):
        contract(schema).violations(nested(40))


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#"},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}},
         "$ref": "#/$defs/a"},
        {"$dynamicAnchor": "here", "allOf": [{"$dynamicRef": "#here"}]},
    ],
)  # fmt: skip
def test_a_contract_that_refers_to_itself_for_the_same_value_is_refused(
    schema: dict[str, Any],
) -> None:
    (fault,) = faults_of(schema)

    assert fault.problem == "it refers to itself for the same value"


def test_a_contract_that_nests_too_many_schemas_for_one_value_is_refused() -> None:
    chain = {f"d{level}": {"$ref": f"#/$defs/d{level + 1}"} for level in range(5_000)}

    (fault,) = faults_of({"$defs": {**chain, "d5000": {}}, "$ref": "#/$defs/d0"})

    assert "are nested in one another" in fault.problem


def test_a_contract_of_too_many_schemas_is_refused_by_their_number() -> None:
    (fault,) = faults_of({"properties": {f"p{number}": {} for number in range(10_001)}})

    assert fault.problem == "it has more than 10,000 schemas"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (200_000, "large.json holds more than 100,000 values"),
        (1_200_000, "it holds more than 1000000 values"),
    ],
)
def test_a_contract_file_of_too_many_values_is_refused_with_the_line(
    tmp_path: Path, values: int, problem: str
) -> None:
    (tmp_path / "large.json").write_text(json.dumps({"enum": list(range(values))}))
    text = re.sub(
        r"contract:\n.*(?=facts:)", "contract: {file: large.json}\n", TEXT, flags=re.DOTALL
    )

    with pytest.raises(InvalidFile) as found:
        parse_workflow(text, name="leads.yaml", folder=tmp_path, catalog=CATALOG)

    (fault,) = found.value.faults
    assert fault.problem == problem
    assert fault.line == text.splitlines().index("contract: {file: large.json}") + 1


def test_objects_in_an_enum_are_counted_one_by_one() -> None:
    """To compare 1,000 values with 10,000 objects took 7 s."""
    schema = {"items": {"enum": [{"a": number} for number in range(2_500)]}}

    with pytest.raises(TooDear):
        contract(schema).violations([{"a": -1}] * 5_000)


@pytest.mark.parametrize(
    ("pattern", "effort"),
    [
        (r"^[a-z0-9._]+@[a-z.]+$", Effort.LINEAR),
        (r"^(a{1,100}b?){1,90}$", Effort.LINEAR),
        (r"[(?=*+)]+", Effort.LINEAR),
        (r"^(?!.*\.\.)[^@]+$", Effort.LINEAR),
        (r"^(?=.*[A-Z])(?=.*\d).{8,}$", Effort.LINEAR),
        (r"(?=.*[A-Z])(?=.*\d).{8,}$", Effort.SQUARE),
        (r"(?<!b)a*c", Effort.SQUARE),
        (r"(?:(?=a*)a)*c", Effort.BACKTRACKING),
        (r"(a+)+\1$", Effort.BACKTRACKING),
        (r"^(?>a*)b", Effort.BACKTRACKING),
        (r"a++b", Effort.BACKTRACKING),
        (r"\p{L}+", Effort.LINEAR),
        (r"[\p{L}\d]+\u{41}*", Effort.LINEAR),
    ],
)
def test_the_effort_of_a_pattern_is_seen_from_its_form(pattern: str, effort: Effort) -> None:
    assert effort_of(pattern) == effort


def test_a_long_text_for_a_pattern_that_goes_back_is_refused_and_a_short_one_is_not() -> None:
    """100,000 ways of 3,000 characters each took 1.7 s."""
    schema = {"items": {"pattern": r"(?:(?=a*)a)*c"}}

    assert contract(schema).violations(["aaaac"]) == ()
    with pytest.raises(TooDear):
        contract(schema).violations(["a" * 3_000])


def test_no_ordinary_payload_is_counted_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The example's contract takes 5 steps a value: no accepted payload reaches the limit."""
    compiled = compile_workflow(lead_workflow())
    monkeypatch.setattr(contract_cost, "Walk", None)
    most_bytes = 1_048_576

    cost = compiled.contract.cost

    assert cost.steps_a_value * (most_bytes // 2 + 1) <= MOST_STEPS
    assert compiled.contract.violations({"email": "a@example.com", "tier": "pro"}) == ()


def test_a_contract_that_refers_to_itself_once_is_linear() -> None:
    tree = recursive(
        {"type": "object", "properties": {"children": {"type": "array", "items": NODE}}}
    )

    cost = cost_of(tree, [])

    assert cost is not None
    assert cost.steps_a_value < 50


def test_a_contract_in_which_all_lead_to_all_is_counted_and_taken() -> None:
    following = {
        f"d{level}": {
            "anyOf": [
                {"properties": {"k": {"$ref": f"#/$defs/d{min(level + 1 + more, 99)}"}}}
                for more in range(40)
            ]
        }
        for level in range(99)
    }
    schema = {"$defs": {**following, "d99": {}}, "$ref": "#/$defs/d0"}

    assert contract(schema).violations(nested(2, name="k")) == ()
    with pytest.raises(TooDear):
        contract(schema).violations(nested(20, name="k"))


def test_steps_on_a_text_never_fall_as_it_grows() -> None:
    for effort in Effort:
        steps = [steps_on(effort, length) for length in range(200)]
        assert steps == sorted(steps)


@pytest.mark.skipif(
    not SHARED.is_dir(), reason="the published schemas are not beside this checkout"
)
def test_a_published_contract_with_5000_schemas_is_taken() -> None:
    schema = json.loads((SHARED / "inputs" / "github-webhooks" / "schema.json").read_text())

    cost = cost_of(schema, [])

    assert cost is not None
    assert cost.steps_a_value < 10_000
