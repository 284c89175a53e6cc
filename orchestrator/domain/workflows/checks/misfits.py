"""Operators and functions on values that they do not take, said with what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.domain.text.hints import nearest
from orchestrator.domain.workflows.cel.syntax import Call, Constant, ListOf, Node
from orchestrator.domain.workflows.checks.members import each
from orchestrator.domain.workflows.checks.operators import Applied, can_be_equal
from orchestrator.domain.workflows.checks.problems import Problem, fault, note
from orchestrator.domain.workflows.checks.values import ALL, NUMBERS, Value, said
from orchestrator.domain.workflows.checks.written import operator_of, written

_MOST_OPTIONS = 6


def misfit(node: Call, operands: Sequence[Value], result: Applied) -> Problem | None:
    """What is wrong with a call, or with some of the values that it may meet."""
    if not any(result.misfits) or any(not one.kinds for one in operands):
        return None
    text = written(node)
    numeric = all(one.kinds <= NUMBERS for one in operands)
    if not result.kinds:
        if numeric and (fix := _mixed(node, operands)):
            return fault(f"`{text}` mixes {_each(node, operands)}, which CEL does not", fix)
        return fault(f"`{text}`: {_each(node, operands)}; `{_called(node)}` does not take this",
                     _convert(node, operands))  # fmt: skip
    if numeric:
        return _unsure(node, operands)
    return _some(node, operands, result)


def _unsure(node: Call, operands: Sequence[Value]) -> Problem | None:
    """A calculation with numbers that a payload may have with a decimal point or without."""
    fix = _mixed(node, operands)
    if fix is None:
        return None
    names = [
        f"`{written(operand)}`"
        for operand, value in zip(node.operands, operands, strict=True)
        if len(value.kinds) > 1
    ]
    constant = next((one for one in node.operands if isinstance(one, Constant)), None)
    if constant is None:
        when = "one of its numbers is whole (2) in the payload and the other is not (2.5)"
    else:
        kind = "not whole (2.5)" if isinstance(constant.value, int) else "whole (2)"
        when = f"{names[0]} is {kind} in the payload"
    return note(f"`{written(node)}` fails where {when}", fix)


def _some(node: Call, operands: Sequence[Value], result: Applied) -> Problem | None:
    for operand, value, bad in zip(node.operands, operands, result.misfits, strict=True):
        if bad and value.is_known and value.kinds != ALL:
            if value.kinds == bad:
                continue
            name = written(operand)
            problem = f"`{written(node)}` fails where `{name}` is {said(bad)}"
            fix = f"write `{name} != null ? ... : ...`" if bad == {"null"} else _test(name, bad)
            return note(problem, fix)
    return None


def _test(name: str, bad: frozenset[str]) -> str:
    kind = min(bad)
    return f"ask first: `type({name}) == {kind}`"


def condition_misfit(value: Value, text: str) -> Problem | None:
    """What is wrong with a condition that is never true or false."""
    if value.is_known and value.kinds and "bool" not in value.kinds:
        problem = f"`{text}` is {said(value.kinds)}, and has to be true or false"
        return fault(problem, "compare it with something")
    return None


def equality(node: Call, operands: Sequence[Value]) -> Iterator[Problem]:
    """Comparisons that can never hold."""
    one, other = operands
    if node.function == "@in":
        yield from _membership(node, one, other)
        return
    if not can_be_equal(one.kinds, other.kinds):
        yield _never_equal(node, operands)
        return
    for place, value in enumerate(operands):
        if not isinstance(node.arguments[place], Constant):
            yield from _not_an_option(node.arguments[place], value, node.arguments[1 - place])


def _membership(node: Call, one: Value, other: Value) -> Iterator[Problem]:
    among = node.arguments[1]
    if other.kinds == {"map"} and one.is_known and "string" not in one.kinds:
        yield fault(f"`{written(node)}` never holds: keys are text", "look for a text")
    entry = other.entry
    if other.place is not None and other.kinds == {"list"}:
        entry = each(other, first=False)
    if other.kinds == {"list"} and entry and not can_be_equal(one.kinds, entry.kinds):
        yield _never_equal(node, (one, entry))
    if isinstance(among, ListOf):
        for item in among.items:
            yield from _not_an_option(node.arguments[0], one, item)


def _never_equal(node: Call, operands: Sequence[Value]) -> Problem:
    one, other = operands
    problem = f"`{written(node)}` compares {said(one.kinds)} with {said(other.kinds)}"
    return fault(f"{problem}: they are never equal", _convert(node, operands))


def _not_an_option(of: Node, value: Value, constant: Node) -> Iterator[Problem]:
    """A constant that the contract does not allow there."""
    options = value.options
    if options is None or not isinstance(constant, Constant) or not isinstance(constant.value, str):
        return
    texts = [one for one in options if isinstance(one, str)]
    if not texts or constant.value in texts:
        return
    near = nearest(constant.value, texts)
    shown = ", ".join(f'"{one}"' for one in texts[:_MOST_OPTIONS])
    more = " ..." if len(texts) > _MOST_OPTIONS else ""
    problem = f'`{written(of)}` is never "{constant.value}": the contract allows {shown}{more}'
    fix = f'write "{near}"' if near else "write one of these, or allow it in the contract"
    yield note(problem, fix)


def _mixed(node: Call, operands: Sequence[Value]) -> str | None:
    """What to write instead of an operation on whole and decimal numbers."""
    operator = operator_of(node)
    if operator is None or operator == "%":
        return "write `int(...)` around both" if operator else None
    parts = []
    for operand, value in zip(node.operands, operands, strict=True):
        match operand:
            case Constant(value=int(number)):
                parts.append(f"{number}.0")
            case Constant():
                parts.append(written(operand))
            case _ if value.kinds == {"double"}:
                parts.append(_bracketed(operand))
            case _:
                parts.append(f"double({written(operand)})")
    return f"write `{parts[0]} {operator} {parts[1]}`"


def _bracketed(operand: Node) -> str:
    is_operation = isinstance(operand, Call) and operator_of(operand) is not None
    return f"({written(operand)})" if is_operation else written(operand)


def _each(node: Call, operands: Sequence[Value]) -> str:
    """Each operand with what it is."""
    shown = [
        f"{said(value.kinds)} (`{written(operand)}`)"
        for operand, value in zip(node.operands, operands, strict=True)
        if value.is_known
    ]
    return " and ".join(shown)


def _called(node: Call) -> str:
    return operator_of(node) or node.function.strip("_")


def _convert(node: Call, operands: Sequence[Value]) -> str:
    kinds = [one.kinds for one in operands]
    if {"string"} in kinds:
        for operand, value in zip(node.operands, operands, strict=True):
            if value.kinds <= NUMBERS | {"bool"} and value.kinds:
                if isinstance(operand, Constant):
                    return f'write `"{written(operand)}"`'
                return f"write `string({written(operand)})`, or compare it with a number"
    return "compare and combine values of one type"
