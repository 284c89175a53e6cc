"""Cases for each required field, made from the contract: valid, missing, wrong type, renamed."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.domain.changes.gates.evidence import CasesRun, FailedCase
from orchestrator.domain.changes.gates.example import example_of
from orchestrator.domain.changes.words.fields import ENTRY, ContractField, fields_of
from orchestrator.domain.contracts.contract import Contract, TooDear
from orchestrator.domain.contracts.paths import ANY

_MOST_FIELDS = 100
_RENAMED = "_renamed"
_WRONG: Mapping[str, object] = {
    "string": "wrong", "boolean": True, "number": 0.5, "object": {"wrong": True},
    "array": ["wrong"], "null": None,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One payload, and whether the contract has to take it."""

    name: str
    payload: object
    valid: bool


def run_cases(
    contract: Contract, given: Sequence[object], *, tests: int = 0, failed_tests: Sequence[str] = ()
) -> CasesRun:
    """Hold the cases of every required field against the contract.

    The valid payload is the first of the `given` ones that the contract takes, else one that is
    made from it. `tests` is how many the file has, and `failed_tests` names those that failed.
    """
    example, source = _example(contract, given)
    fields = _required(contract) if source is not None else []
    cases = list(_cases(example, fields)) if source is not None else []
    failed = [found for one in cases if (found := _failure(contract, one)) is not None]
    return CasesRun(
        example=source,
        fields=tuple(one.path for one in fields),
        made=len(cases),
        failed=tuple(failed),
        tests=tests,
        failed_tests=tuple(failed_tests),
    )


def _example(contract: Contract, given: Sequence[object]) -> tuple[object, str | None]:
    for payload in given:
        if _is_taken(contract, payload):
            return payload, "tests"
    made = example_of(contract.schema)
    return (made, "contract") if _is_taken(contract, made) else (None, None)


def _required(contract: Contract) -> list[ContractField]:
    """The fields that every valid payload has; entries of lists are left out."""
    always: list[ContractField] = []
    holders = {""}
    for one in fields_of(contract.schema).values():
        if one.required and one.steps and ENTRY not in one.steps and one.holder in holders:
            holders.add(one.path)
            always.append(one)
    return always[:_MOST_FIELDS]


def _cases(example: object, fields: Sequence[ContractField]) -> Iterator[Case]:
    yield Case(name="a valid payload", payload=example, valid=True)
    for field in fields:
        where = f"`{field.path}`"
        if (without := _edited(example, field.steps, "drop")) is not None:
            yield Case(name=f"{where} missing", payload=without, valid=False)
        if (renamed := _edited(example, field.steps, "rename")) is not None:
            yield Case(name=f"{where} renamed", payload=renamed, valid=False)
        wrong = [one for kind, one in _WRONG.items() if _is_wrong(kind, field.types)]
        if wrong and (other := _edited(example, field.steps, "set", wrong[0])) is not None:
            yield Case(name=f"{where} of a wrong type", payload=other, valid=False)


def _is_wrong(kind: str, types: frozenset[str]) -> bool:
    return types != ANY and kind not in types


def _edited(payload: object, steps: tuple[str, ...], how: str, value: object = None) -> object:
    """A copy with one field dropped, renamed or set; None where it is not there."""
    made = copy.deepcopy(payload)
    holder: object = made
    for step in steps[:-1]:
        holder = holder.get(step) if isinstance(holder, dict) else None
    name = steps[-1]
    if not isinstance(holder, dict) or name not in holder:
        return None
    if how == "set":
        holder[name] = value
        return made
    kept = holder.pop(name)
    if how == "rename":
        holder[name + _RENAMED] = kept
    return made


def _failure(contract: Contract, case: Case) -> FailedCase | None:
    if _is_taken(contract, case.payload) is case.valid:
        return None
    problem = "the contract refuses it" if case.valid else "the contract takes it"
    return FailedCase(case=case.name, problem=problem)


def _is_taken(contract: Contract, payload: object) -> bool:
    try:
        return not contract.errors(payload, 1)
    except TooDear:
        return False
