"""How large a value is, and how large what a function of CEL makes of it can be at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from orchestrator.domain.workflows.cel.syntax import Call, Constant, Node

CHARACTERS_A_STEP = 16
MOST_OF_A_NUMBER = 40  # characters of a number or a moment that becomes text
_MOST_OF_A_PLACEHOLDER = 90  # what "%.1000f" can make of a number, in steps

_TO_SCALAR = frozenset(
    {
        "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_&&_", "_||_", "!_", "-_", "_-_", "_*_",
        "_/_", "_%_", "@in", "size", "contains", "startsWith", "endsWith", "matches", "indexOf",
        "lastIndexOf", "@not_strictly_false", "int", "uint", "double", "bool", "timestamp",
        "duration", "type", "sum",
    }
)  # fmt: skip


class Size(NamedTuple):
    """How large a value can be."""

    steps: float  # one for each value in it, and one for each sixteen characters
    items: float = 0  # its length, of a list or a map
    each: float = 0  # the steps of its largest item


SCALAR, NOTHING = Size(1), Size(0)


def size_of(value: object) -> Size:
    """How large a value is."""
    if isinstance(value, str):
        return Size(_steps_of_text(len(value)))
    if not isinstance(value, dict | list):
        return SCALAR
    sizes = [_steps(item) for item in (value.values() if isinstance(value, dict) else value)]
    if isinstance(value, dict):  # a loop over an object takes its keys
        sizes += [_steps_of_text(len(key)) for key in value]
    return Size(1 + sum(sizes), len(value), max(sizes, default=0))


def inside(size: Size) -> Size:
    """An item or a property of something."""
    return Size(size.each, size.each, size.each)


def gathered(sizes: Sequence[Size]) -> Size:
    """A list or map of such values."""
    steps = [size.steps for size in sizes]
    return Size(1 + sum(steps), len(sizes), max(steps, default=0))


def made_by(call: Call, sizes: Sequence[Size]) -> Size:
    """What a call makes of operands of these sizes; a loop, an index and `split` aside."""
    if rule := _RULES.get(call.function):
        return rule(call, sizes)
    if call.function in _TO_SCALAR or call.function.startswith(("math.", "get")):
        return SCALAR
    return Size(  # all operands together, and a little more for a number that becomes text
        2 + sum(size.steps for size in sizes),
        sum(size.items for size in sizes),
        max((size.each for size in sizes), default=0),
    )


def pieces_of(call: Call, text: Size, most: float) -> Size:
    """What `split` makes of a text, of which a separator is in the values `most` times."""
    pieces = min(1 + characters(text) / max(1, len(constant_text(call.operands[1]) or "")), most)
    return Size(1 + text.steps + pieces, pieces, 1 + text.steps)


def occurrences(text: str, values: Iterable[object]) -> int:
    """How often a text is in the text that has it most, whichever letters are small or large."""
    text = text.lower()
    found, todo = 0, list(values)
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            found = max(found, part.lower().count(text))
        elif isinstance(part, dict):
            todo.extend(part.keys())
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)
    return found


def characters(size: Size) -> float:
    """How many characters a text of this size can have."""
    return size.steps * CHARACTERS_A_STEP


def constant_text(node: Node) -> str | None:
    """The text that is written out at a place."""
    return node.value if isinstance(node, Constant) and isinstance(node.value, str) else None


def length_of_range(call: Call) -> int:
    """How long a `lists.range` says that it is, or -1."""
    end = call.operands[0]
    return end.value if isinstance(end, Constant) and isinstance(end.value, int) else -1


def _steps(value: object) -> float:
    total, todo = 0.0, [value]
    while todo:
        part = todo.pop()
        if isinstance(part, str):
            total += _steps_of_text(len(part))
            continue
        total += 1
        if isinstance(part, dict):
            todo.extend(part.keys())
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)
    return total


def _steps_of_text(length: float) -> float:
    return 1 + length / CHARACTERS_A_STEP


def _replaced(call: Call, sizes: Sequence[Size]) -> Size:
    old, new = constant_text(call.operands[1]), constant_text(call.operands[2])
    if old and new is not None:
        return Size(1 + sizes[0].steps * max(1, len(new) / len(old)))
    places = 1 + characters(sizes[0]) / max(1, len(old or ""))
    return Size(sizes[0].steps + places * sizes[2].steps)


def _joined(_call: Call, sizes: Sequence[Size]) -> Size:
    separator = sizes[1].steps if len(sizes) > 1 else 0
    return Size(1 + sizes[0].steps + sizes[0].items * separator)


def _formatted(call: Call, sizes: Sequence[Size]) -> Size:
    pattern = constant_text(call.operands[0])
    placeholders = characters(sizes[0]) if pattern is None else pattern.count("%")
    return Size(sizes[0].steps + 3 * sizes[1].steps + placeholders * _MOST_OF_A_PLACEHOLDER)


def _range(call: Call, _sizes: Sequence[Size]) -> Size:
    return Size(1 + length_of_range(call), length_of_range(call), 1)


def _either(_call: Call, sizes: Sequence[Size]) -> Size:
    return Size(*map(max, sizes[1], sizes[2]))


_RULES: Mapping[str, Callable[[Call, Sequence[Size]], Size]] = {
    "_?_:_": _either,
    "replace": _replaced,
    "join": _joined,
    "format": _formatted,
    "lists.range": _range,
    "flatten": lambda _, sizes: Size(sizes[0].steps, sizes[0].steps, sizes[0].each),
    "strings.quote": lambda _, sizes: Size(1 + 2 * sizes[0].steps),
    "@sortByAssociatedKeys": lambda _, sizes: sizes[0],
}
