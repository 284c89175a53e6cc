"""What CEL's operators and functions take, by the kinds of values.

CEL's own check knows this too, but takes every number of a payload, and whatever is in a list,
for a value of any type: only a payload would show that it does not fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from orchestrator.domain.workflows.checks.values import ALL, NUMBERS

_CLOCK = ("timestamp int", "timestamp string int")
_SPAN = (*_CLOCK, "duration int")
_ORDERED = (
    *(f"{one} {other} bool" for one in sorted(NUMBERS) for other in sorted(NUMBERS)),
    "string string bool", "bytes bytes bool", "bool bool bool", "timestamp timestamp bool",
    "duration duration bool",
)  # fmt: skip
_NUMERIC = ("int int int", "double double double", "uint uint uint")

_TAKEN: Mapping[str, tuple[str, ...]] = {
    "_+_": (
        *_NUMERIC, "string string string", "bytes bytes bytes", "list list list",
        "timestamp duration timestamp", "duration timestamp timestamp",
        "duration duration duration",
    ),
    "_-_": (
        *_NUMERIC, "timestamp timestamp duration", "timestamp duration timestamp",
        "duration duration duration",
    ),
    "_*_": _NUMERIC,
    "_/_": _NUMERIC,
    "_%_": ("int int int", "uint uint uint"),
    "-_": ("int int", "double double"),
    "!_": ("bool bool",),
    "_<_": _ORDERED,
    "_<=_": _ORDERED,
    "_>_": _ORDERED,
    "_>=_": _ORDERED,
    "size": ("string int", "bytes int", "list int", "map int"),
    "contains": ("string string bool",),
    "startsWith": ("string string bool",),
    "endsWith": ("string string bool",),
    "matches": ("string string bool",),
    "lowerAscii": ("string string",),
    "upperAscii": ("string string",),
    "trim": ("string string",),
    "replace": ("string string string string", "string string string int string"),
    "substring": ("string int string", "string int int string"),
    "charAt": ("string int string",),
    "split": ("string string list", "string string int list"),
    "join": ("list string", "list string string"),
    "indexOf": ("string string int", "string string int int"),
    "lastIndexOf": ("string string int", "string string int int"),
    "string": tuple(
        f"{one} string"
        for one in ("int", "uint", "double", "bool", "string", "bytes", "timestamp", "duration")
    ),
    "int": tuple(f"{one} int" for one in ("int", "uint", "double", "string", "timestamp")),
    "uint": tuple(f"{one} uint" for one in ("int", "uint", "double", "string")),
    "double": tuple(f"{one} double" for one in ("int", "uint", "double", "string")),
    "bool": ("bool bool", "string bool"),
    "bytes": ("bytes bytes", "string bytes"),
    "timestamp": ("timestamp timestamp", "string timestamp", "int timestamp"),
    "duration": ("duration duration", "string duration"),
    "getDate": _CLOCK,
    "getDayOfMonth": _CLOCK,
    "getDayOfWeek": _CLOCK,
    "getDayOfYear": _CLOCK,
    "getFullYear": _CLOCK,
    "getMonth": _CLOCK,
    "getHours": _SPAN,
    "getMinutes": _SPAN,
    "getSeconds": _SPAN,
    "getMilliseconds": _SPAN,
}  # fmt: skip
_TABLE = {
    name: {tuple(one.split()[:-1]): one.split()[-1] for one in taken}
    for name, taken in _TAKEN.items()
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """What becomes of an operator or function that is applied to values of some kinds."""

    kinds: frozenset[str]  # of the result; empty where it can never be computed
    misfits: tuple[frozenset[str], ...]  # by operand: the kinds that fit nothing of the others


def applied(function: str, operands: Sequence[frozenset[str]]) -> Applied | None:
    """What `function` makes of its operands; None where it is not in the table."""
    table = _TABLE.get(function)
    if table is None or all(len(taken) != len(operands) for taken in table):
        return None  # a call with other arguments than there are does not compile
    results, fitting = set(), [set[str]() for _ in operands]
    failed = [set[str]() for _ in operands]
    for kinds in product(*operands):
        result = table.get(kinds)
        if result:
            results.add(result)
        for place, kind in enumerate(kinds):
            (fitting if result else failed)[place].add(kind)
    misfits = tuple(
        frozenset() if kinds == ALL else frozenset(bad)
        for kinds, bad in zip(operands, failed, strict=True)
    )
    if any(kinds == ALL for kinds in operands):  # then nobody knows which of them would meet
        misfits = tuple(bad - ok for bad, ok in zip(misfits, map(frozenset, fitting), strict=True))
    return Applied(kinds=frozenset(results), misfits=misfits)


def can_be_equal(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether `==` can hold; of two kinds CEL compares only whole and decimal numbers."""
    if not one or not other or one & other or "null" in one | other:
        return True
    return bool(one & NUMBERS and other & NUMBERS)
