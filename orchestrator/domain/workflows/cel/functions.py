"""The functions that expressions have beside CEL's standard ones: its libraries, and `sum`.

CEL's optional values are left out on purpose: `orValue` would be a guess that a route could see.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cel_expr_python.cel import (
    CelExtension,
    Env,
    FunctionDecl,
    NewEnv,
    NewEnvConfigFromYaml,
    Overload,
    Type,
)

_LIBRARIES = NewEnvConfigFromYaml(
    "extensions: [{name: strings, version: 4}, {name: lists, version: 2}, {name: math, version: 2}]"
)
LIBRARY_WORDS = frozenset(
    {
        "charAt", "distinct", "flatten", "format", "indexOf", "join", "lastIndexOf", "lists",
        "lowerAscii", "math", "replace", "reverse", "slice", "sort", "sortBy", "split", "strings",
        "substring", "sum", "trim", "upperAscii",
    }
)  # fmt: skip
"""The words of which an expression that uses the libraries has at least one."""

_LARGEST = (1 << 63) - 1


def env_with_libraries(variables: Mapping[str, Type]) -> Env:
    """An environment of these variables that has the libraries and `sum`."""
    return NewEnv(config=_LIBRARIES, variables=dict(variables), extensions=[_OURS])


def _sum(numbers: Sequence[object]) -> int | float:
    """The sum of a list of numbers: whole where all of them are, decimal otherwise."""
    total: int | float = 0
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise TypeError("sum() takes a list of numbers")
        total += number
    if isinstance(total, int) and not -_LARGEST <= total <= _LARGEST:
        raise ValueError("sum() is too large a number")
    return total


_OURS = CelExtension(
    "meshline",
    [
        FunctionDecl(
            "sum",
            [
                Overload(
                    "list_sum",
                    return_type=Type.DYN,
                    parameters=[Type.List(Type.DYN)],
                    is_member=True,
                    impl=_sum,
                )
            ],
        )
    ],
)
