"""What a condition makes sure of where it holds: `has(l.note)`, `l.company != null`."""

from __future__ import annotations

from orchestrator.domain.workflows.cel.syntax import Call, Constant, Name, Node, Select
from orchestrator.domain.workflows.checks.values import Steps

NOT_NULL = "\0not null"
NOT_EMPTY = "\0not empty"

Guards = frozenset[tuple[str, Steps]]
"""Names, each with a path from it that is there; a last step may be NOT_NULL or NOT_EMPTY."""

NONE: Guards = frozenset()


def path(node: Node) -> tuple[str, Steps] | None:
    """The name that a part begins with, and its steps, where it is only that."""
    match node:
        case Name(name=name):
            return name, ()
        case Select(of=of, field=field, is_test=False) if found := path(of):
            return found[0], (*found[1], field)
        case Call(function="_[_]", arguments=(of, Constant(value=str(key)))) if found := path(of):
            return found[0], (*found[1], key)
        case Call(function="_[_]", arguments=(of, Constant(value=int(at)))) if found := path(of):
            return found[0], (*found[1], entry_step(at))
    return None


def entry_step(index: int) -> str:
    """The step to an entry of a list."""
    return f"[{index}]"


def where_true(node: Node) -> Guards:
    """What is sure where a condition holds."""
    match node:
        case Call(function="_&&_", arguments=(one, other)):
            return where_true(one) | where_true(other)
        case Call(function="!_", arguments=(inner,)):
            return where_false(inner)
        case Select(of=of, field=field, is_test=True):
            return _at(of, field)
        case Call(function="@in", arguments=(Constant(value=str(key)), of)):
            return _at(of, key)
        case Call(function="_!=_", arguments=(one, other)):
            return _not_null(one, other) | _not_empty(one, other)
        case Call(function="_>_" | "_>=_", arguments=(one, Constant(value=int()))):
            return _sized(one)
    return NONE


def where_false(node: Node) -> Guards:
    """What is sure where a condition does not hold."""
    match node:
        case Call(function="_||_", arguments=(one, other)):
            return where_false(one) | where_false(other)
        case Call(function="!_", arguments=(inner,)):
            return where_true(inner)
        case Call(function="_==_", arguments=(one, other)):
            return _not_null(one, other) | _not_empty(one, other)
    return NONE


def _at(of: Node, *steps: str) -> Guards:
    found = path(of)
    return frozenset({(found[0], (*found[1], *steps))}) if found else NONE


def _not_null(one: Node, other: Node) -> Guards:
    if other == Constant(value=None):
        return _at(one, NOT_NULL)
    return _at(other, NOT_NULL) if one == Constant(value=None) else NONE


def _not_empty(one: Node, other: Node) -> Guards:
    is_zero = isinstance(other, Constant) and other.value == 0
    return _sized(one) if is_zero else NONE


def _sized(node: Node) -> Guards:
    match node:
        case (
            Call(function="size", target=None, arguments=(of,))
            | Call(function="size", target=of, arguments=())
        ) if of is not None:
            return _at(of, NOT_EMPTY)
    return NONE
