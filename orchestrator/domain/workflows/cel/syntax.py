"""An expression as a tree, as CEL's own parser has it: macros are unfolded into loops.

The library hands its tree out only as a serialized `cel.expr.ParsedExpr`, or `CheckedExpr`, where a
variable of the environment is one name with its dots in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.domain.workflows.cel import wire

Literal = None | bool | int | float | str | bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Constant:
    """A literal: `"pro"`, `1`, `1.5`, `true`, `null`."""

    value: Literal


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """A name by itself."""

    name: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Select:
    """`of.field`, or `has(of.field)`."""

    of: Node
    field: str
    is_test: bool  # of `has`


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A function, a method or an operator: `_+_`, `_[_]`, `size`, `!_`."""

    function: str
    target: Node | None  # of a method: the part before the dot
    arguments: tuple[Node, ...]

    @property
    def operands(self) -> tuple[Node, ...]:
        """What it is applied to, the target first."""
        return (self.target, *self.arguments) if self.target else self.arguments


@dataclass(frozen=True, kw_only=True, slots=True)
class ListOf:
    """`[a, b]`."""

    items: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class MapOf:
    """`{a: b}`."""

    entries: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Loop:
    """A macro such as `filter`, unfolded: `step` is computed for each item of `over`."""

    item: str
    second: str  # the item's value where the macro has two names; "" where it has one
    over: Node
    result_name: str  # under this name `condition`, `step` and `result` see what is gathered
    start: Node
    condition: Node
    step: Node
    result: Node


Node = Constant | Name | Select | Call | ListOf | MapOf | Loop

_PARSED, _CHECKED = "cel.expr.ParsedExpr", "cel.expr.CheckedExpr"


def tree(serialized: bytes) -> Node:
    """The tree of an expression, parsed or checked, that the library has serialized."""
    packed = wire.message(serialized)
    kind = wire.text(packed, 1)
    if not kind.endswith((_PARSED, _CHECKED)):
        raise ValueError(f"the expression is serialized as {kind}")
    place = 4 if kind.endswith(_CHECKED) else 2
    return _node(wire.inner(wire.message(wire.inner(packed, 2) or b""), place) or b"")


def parts(node: Node) -> tuple[Node, ...]:
    """What a node consists of."""
    match node:
        case Select(of=of):
            return (of,)
        case Call():
            return node.operands
        case ListOf(items=items):
            return items
        case MapOf(entries=entries):
            return tuple(part for entry in entries for part in entry)
        case Loop():
            return (node.over, node.start, node.condition, node.step, node.result)
        case _:
            return ()


def nodes(node: Node) -> Iterator[Node]:
    """A node and everything in it."""
    todo = [node]
    while todo:
        found = todo.pop()
        yield found
        todo.extend(parts(found))


def free_names(node: Node) -> frozenset[str]:
    """The names that an expression takes from outside, those of its loops left out."""
    if isinstance(node, Name):
        return frozenset({node.name})
    if isinstance(node, Loop):
        within = free_names(node.step) | free_names(node.condition)
        after = free_names(node.result) - {node.result_name}
        own = {node.item, node.second, node.result_name}
        return free_names(node.over) | free_names(node.start) | (within - own) | after
    return frozenset().union(*map(free_names, parts(node)))


def _node(raw: bytes) -> Node:
    found = wire.message(raw)
    for number, read in _READERS.items():
        if (value := wire.inner(found, number)) is not None:
            return read(wire.message(value))
    return Constant(value=None)


def _constant(found: wire.Message) -> Node:
    for number, values in found.items():
        value = values[-1]
        if isinstance(value, int):
            made: Literal = {1: None, 2: bool(value), 3: wire.signed(value), 4: value}.get(number)
        else:
            made = _packed(number, value)
        return Constant(value=made)
    return Constant(value=None)


def _packed(number: int, value: bytes) -> Literal:
    match number:
        case 5:
            return wire.double(value)
        case 6:
            return value.decode()
    return value


def _name(found: wire.Message) -> Node:
    return Name(name=wire.text(found, 1))


def _select(found: wire.Message) -> Node:
    return Select(
        of=_node(wire.inner(found, 1) or b""),
        field=wire.text(found, 2),
        is_test=wire.number_at(found, 3) == 1,
    )


def _call(found: wire.Message) -> Node:
    target = wire.inner(found, 1)
    return Call(
        function=wire.text(found, 2),
        target=None if target is None else _node(target),
        arguments=tuple(map(_node, wire.every(found, 3))),
    )


def _list(found: wire.Message) -> Node:
    return ListOf(items=tuple(map(_node, wire.every(found, 1))))


def _map(found: wire.Message) -> Node:
    entries = map(wire.message, wire.every(found, 2))
    return MapOf(
        entries=tuple(
            (_node(wire.inner(entry, 3) or b""), _node(wire.inner(entry, 4) or b""))
            for entry in entries
        )
    )


def _loop(found: wire.Message) -> Node:
    over, start, condition, step, result = (
        _node(wire.inner(found, number) or b"") for number in (2, 4, 5, 6, 7)
    )
    return Loop(
        item=wire.text(found, 1),
        second=wire.text(found, 8),
        over=over,
        result_name=wire.text(found, 3),
        start=start,
        condition=condition,
        step=step,
        result=result,
    )


_READERS = {3: _constant, 4: _name, 5: _select, 6: _call, 7: _list, 8: _map, 9: _loop}
