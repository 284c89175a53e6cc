"""CEL, the language of facts, routes and fields: typed when compiled, and no error taken for true.

An expression may be MOST_CHARACTERS long; the library bounds how deep it nests (32) and how many
turns its loops take in one computation (about ten thousand), which then is an error like any other.
The cost of these turns and the functions in it is counted before; see `cost`. What texts it makes
hold MOST_CHARACTERS_MADE characters together.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cel_expr_python.cel import Activation, Env, NewEnv, Type
from cel_expr_python.cel import Expression as CelExpression

from orchestrator.domain.workflows.cel.cost import (
    COUNTED,
    LONGEST_RANGE,
    MOST_STEPS,
    Cost,
    is_bounded,
)
from orchestrator.domain.workflows.cel.functions import LIBRARY_WORDS, env_with_libraries
from orchestrator.domain.workflows.cel.messages import clean, explained
from orchestrator.domain.workflows.cel.syntax import Node, tree
from orchestrator.domain.workflows.cel.text import tokens

MOST_CHARACTERS = 2_000
MOST_CHARACTERS_MADE = 4_000_000

Types = Mapping[str, Type]

# How the library says that a list or an object does not have what is asked of it.
_ABSENT = re.compile(
    r"[A-Z_]+: (Index error: index=|Key not found in map : |Applying SELECT to non-message type"
    r"|Invalid container type: 'null_type')"
)
_JSON_TYPES = (Type.BOOL, Type.INT, Type.UINT, Type.DOUBLE, Type.STRING, Type.NULL, Type.DYN)


class Uncompilable(Exception):
    """Raised when an expression does not compile: what is wrong, and what to write instead."""

    def __init__(self, problem: str, fix: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.fix = fix


@dataclass(frozen=True, kw_only=True, slots=True)
class NotComputed:
    """What comes instead of a value when an expression cannot be computed."""

    error: str
    absent: bool = False  # there is no such entry, no such property, or a null in its place


_TOO_DEAR = NotComputed(
    error=f"it could take more than {MOST_STEPS:,} steps on these values;"
    " send shorter lists and texts, or make less of them"
)
_TOO_LARGE = NotComputed(
    error=f"its value holds more than {MOST_CHARACTERS_MADE:,} characters; make less of it"
)
# What the library raises: an error of the expression, or of memory that it could not have.
_FAILURES = (RuntimeError, ValueError, MemoryError)


class Environment:
    """The names that expressions may use, and their types."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._env: Env = NewEnv(variables=dict(types))
        self._with_libraries: Env | None = None  # its first expression costs 0.2 ms more

    def compile(self, text: str) -> Expression:
        """Raises Uncompilable."""
        if len(text) > MOST_CHARACTERS:
            raise Uncompilable(
                f"it is {len(text)} characters long", f"use at most {MOST_CHARACTERS}"
            )
        if not text.strip():
            raise Uncompilable("it is empty", "write a CEL expression")
        words = _words(text)
        try:
            compiled = self._env_for(words).compile(text)
        except RuntimeError as error:
            raise Uncompilable(*explained(str(error), text, self._types)) from None
        return Expression(compiled, None if COUNTED.isdisjoint(words) else _cost(compiled))

    def _env_for(self, words: frozenset[str]) -> Env:
        if LIBRARY_WORDS.isdisjoint(words):
            return self._env
        if self._with_libraries is None:
            self._with_libraries = env_with_libraries(self._types)
        return self._with_libraries

    def syntax(self, text: str) -> Node:
        """The tree of an expression, its names and types unchecked. Raises Uncompilable."""
        try:
            parsed = self._env_for(_words(text)).compile(text, disable_check=True)
        except RuntimeError as error:
            raise Uncompilable(*explained(str(error), text, self._types)) from None
        return tree(parsed.serialize())

    def bind(self, values: Mapping[str, object]) -> Bound:
        """Values for more than one expression of this environment: cheaper than each by itself."""
        return Bound(values=values, activation=self._env.Activation(dict(values)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Bound:
    """Values as expressions take them."""

    values: Mapping[str, object]
    activation: Activation


class Expression:
    """A compiled expression."""

    __slots__ = ("_compiled", "_cost", "type")

    def __init__(self, compiled: CelExpression, cost: Cost | None) -> None:
        self._compiled = compiled
        self._cost = cost
        self.type: Type = compiled.return_type()

    def is_true(self, bound: Bound) -> bool | NotComputed:
        """The answer of an expression whose type is bool."""
        if self._cost and self._cost.passes(bound.values):
            return _TOO_DEAR
        try:
            answer = self._compiled.eval(bound.activation).value()
        except _FAILURES as error:
            return NotComputed(error=clean(str(error)))
        # An error is a value too, and truthy; only True itself is a yes.
        if answer is True or answer is False:
            return answer is True
        return _not_computed(answer)

    def value(self, values: Mapping[str, object]) -> object:
        """The value as JSON, or NotComputed."""
        if self._cost and self._cost.passes(values):
            return _TOO_DEAR
        try:
            result = self._compiled.eval(data=values)
            if result.type() == Type.ERROR:
                return _not_computed(result.value())
            value = result.plain_value()
        except _FAILURES as error:
            return NotComputed(error=clean(str(error)))
        if not _is_json(value):
            return NotComputed(error="its value is not JSON")
        if self._cost and _characters(value) > MOST_CHARACTERS_MADE:
            return _TOO_LARGE
        return value


def _not_computed(error: object) -> NotComputed:
    message = str(error)
    return NotComputed(error=clean(message), absent=_ABSENT.match(message) is not None)


def _cost(compiled: CelExpression) -> Cost:
    found = tree(compiled.serialize())
    if not is_bounded(found):
        problem = "the length of `lists.range` is not written out"
        raise Uncompilable(problem, f"write a number of 0 to {LONGEST_RANGE:,} in its brackets")
    return Cost(tree=found)


def _words(text: str) -> frozenset[str]:
    return frozenset(word.text for word in tokens(text) if word.kind == "name")


def gives_json(of: Type) -> bool:
    """Whether values of a type can be written as JSON."""
    name = of.name()
    return of in _JSON_TYPES or name.startswith(("LIST", "MAP<STRING", "MAP<DYN"))


def _is_json(value: object) -> bool:
    match value:
        case None | bool() | int() | str():
            return True
        case float():
            return math.isfinite(value)
        case list():
            return all(map(_is_json, value))
        case dict():
            return all(isinstance(key, str) and _is_json(one) for key, one in value.items())
    return False


def _characters(value: object) -> int:
    """How many characters the texts of a JSON value hold."""
    match value:
        case str():
            return len(value)
        case list():
            return sum(map(_characters, value))
        case dict():
            return sum(len(key) + _characters(one) for key, one in value.items())
    return 0
