"""Facts made ready to be read: checked against the contract, and put after those that they use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cel_expr_python.cel import Type

from orchestrator.domain.contracts.paths import ContractPaths, DeclaredPath, UndeclaredPath
from orchestrator.domain.errors import Fault
from orchestrator.domain.text.hints import did_you_mean, in_yaml
from orchestrator.domain.workflows.cel.compile import (
    Environment,
    NotComputed,
    Uncompilable,
    gives_json,
)
from orchestrator.domain.workflows.cel.text import DataPath, calls, data_paths, plain_path, tokens
from orchestrator.domain.workflows.facts import (
    ABSENT,
    CompiledFact,
    Facts,
    Reader,
    Values,
    path_reader,
)
from orchestrator.domain.workflows.order import order_of
from orchestrator.domain.workflows.workflow import Fact

_LIST, _MAP = Type.List(Type.DYN), Type.Map(Type.STRING, Type.DYN)


def compile_facts(
    facts: Mapping[str, Fact | None], contract: Mapping[str, object] | None, faults: list[Fault]
) -> Facts:
    """The facts, checked against the contract. Faults are added to `faults`.

    A fact that is wrong, cannot be read (None) or has no contract to be checked against stays as
    one of unknown type, so that the rules which use it are checked, and not blamed for it.
    """
    paths = ContractPaths(contract) if contract is not None else None
    order = order_of(facts)
    compiled: dict[str, CompiledFact] = {}
    unsure = set()
    for name in order.names:
        fact = facts[name]
        found = [_circle(name, order.circles[name])] if name in order.circles else []
        known = [compiled[used] for used in order.uses[name] if used in compiled]
        one = _compile(name, fact, paths, known, found) if fact and paths else None
        if one is None:
            one = _untyped(name, fact)
            unsure.add(name)
        compiled[name] = one
        faults.extend(found)
    return Facts(facts=tuple(compiled.values()), unsure=frozenset(unsure))


def _circle(name: str, circle: Sequence[str]) -> Fault:
    problem = f"it would need itself: {' -> '.join(circle)}"
    fix = "write one of them without the others"
    return Fault(path=f"facts.{name}", problem=problem, fix=fix)


def _untyped(name: str, fact: Fact | None) -> CompiledFact:
    return CompiledFact(
        name=name,
        text=fact.value if fact else "",
        optional=fact.optional if fact else True,
        type=Type.DYN,
        read=lambda _payload, _values: ABSENT,
    )


def _compile(
    name: str,
    fact: Fact,
    contract: ContractPaths,
    known: Sequence[CompiledFact],
    faults: list[Fault],
) -> CompiledFact | None:
    """One fact; `known` are those that it uses."""
    words = tokens(fact.value)
    used = list(data_paths(words))
    where = f"facts.{name}"
    faults.extend(_path_faults(where, fact, used, contract))
    faults.extend(_spread_faults(where, fact, known))
    if calls(words, "has", "data"):
        fix = f"write {{value: ..., optional: true}}: where it is absent, `{name}` is left out"
        faults.append(Fault(path=where, problem="`has` does not work on `data`", fix=fix))
    if faults:
        return None
    try:
        if plain := plain_path(words):
            read, of = path_reader(plain.steps), _type(contract, plain.steps)
        else:
            read, of = _expression(fact, used, contract, known)
    except Uncompilable as error:
        faults.append(Fault(path=where, problem=error.problem, fix=error.fix))
        return None
    return CompiledFact(name=name, text=fact.value, optional=fact.optional, type=of, read=read)


def _path_faults(
    where: str, fact: Fact, used: Sequence[DataPath], contract: ContractPaths
) -> list[Fault]:
    faults = []
    for path in used:
        match contract.find(path.steps):
            case UndeclaredPath() as not_there:
                faults.append(undeclared(where, path, not_there))
            case DeclaredPath(always=False) if not fact.optional:
                faults.append(
                    Fault(
                        path=where,
                        problem=f"the contract does not require `{path.text}`",
                        fix=f"write {{value: {in_yaml(fact.value)}, optional: true}},"
                        " or make it required in the contract",
                    )
                )
    return faults


def _spread_faults(where: str, fact: Fact, known: Sequence[CompiledFact]) -> list[Fault]:
    return [
        Fault(
            path=where,
            problem=f"it uses `{used.name}`, which is optional and may be absent",
            fix=f"write {{value: {in_yaml(fact.value)}, optional: true}}",
        )
        for used in known
        if used.optional and not fact.optional
    ]


def undeclared(where: str, path: DataPath, found: UndeclaredPath) -> Fault:
    """The fault of a path that the contract does not declare."""
    before = path.steps[: found.step]
    declared = [".".join(("data", *before, name)) for name in found.names]
    if found.nearest:
        fix = f"write `{'.'.join(('data', *before, found.nearest))}`"
    elif declared:
        fix = f"{did_you_mean('', declared)}, or declare it in the contract"
    else:
        fix = f"declare it in the contract: `{'.'.join(('data', *before))}` declares no property"
    problem = f"the contract does not declare `{path.text}`"
    return Fault(path=where, problem=problem, fix=fix)


def _type(contract: ContractPaths, steps: Sequence[str]) -> Type:
    """The type that rules see: numbers and whatever can be of several types are dynamic."""
    found = contract.find(steps)
    types = found.types if isinstance(found, DeclaredPath) else frozenset()
    by_name = {"string": Type.STRING, "boolean": Type.BOOL, "array": _LIST, "object": _MAP}
    return by_name.get(next(iter(types)), Type.DYN) if len(types) == 1 else Type.DYN


def _expression(
    fact: Fact, used: Sequence[DataPath], contract: ContractPaths, known: Sequence[CompiledFact]
) -> tuple[Reader, Type]:
    variables = {".".join(("data", *path.steps[: path.dotted])): path for path in used}
    types = {name: _type(contract, path.steps[: path.dotted]) for name, path in variables.items()}
    types.update({other.name: other.type for other in known})
    compiled = Environment(types).compile(fact.value)
    if not gives_json(compiled.type):
        fix = "turn it into text, a number, a bool, a list or a map, such as string(...)"
        raise Uncompilable(f"its value would be a {compiled.type.name()}, not JSON", fix)
    variable_readers = [
        (name, path_reader(path.steps[: path.dotted])) for name, path in variables.items()
    ]
    whole_readers = [path_reader(path.steps) for path in used]
    others = [other.name for other in known]

    def read(payload: object, values: Values) -> object:
        found = ((name, read_one(payload, values)) for name, read_one in variable_readers)
        there = {name: one for name, one in found if one is not ABSENT}
        there.update({name: values[name] for name in others if name in values})
        value = compiled.value(there)
        if not isinstance(value, NotComputed):
            return value
        if value.absent and fact.optional:
            return ABSENT
        lacks = any(name not in values for name in others)
        return (
            ABSENT
            if lacks or any(one(payload, values) is ABSENT for one in whole_readers)
            else value
        )

    return read, compiled.type
