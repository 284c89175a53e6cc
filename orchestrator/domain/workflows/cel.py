"""CEL, the language of facts, routes and fields: typed when compiled, and no error taken for true.

An expression may be MOST_CHARACTERS long; the library bounds how deep it nests (32) and how many
turns its loops take in one computation (about ten thousand), which then is an error like any other.
What these turns may cost is counted before; see `cel_cost`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cel_expr_python.cel import Activation, Env, NewEnv, Type
from cel_expr_python.cel import Expression as CelExpression

from orchestrator.domain.text.abbreviate import shorten
from orchestrator.domain.text.hints import did_you_mean
from orchestrator.domain.workflows.cel_cost import MOST_LOOP_STEPS, Loops, loops_of
from orchestrator.domain.workflows.cel_text import tokens

MOST_CHARACTERS = 2_000

Types = Mapping[str, Type]

_ERROR = re.compile(r"ERROR: <input>:-?\d+:(?P<column>-?\d+): (?P<problem>.*)")
_UNKNOWN_NAME = re.compile(r"undeclared reference to '(?P<name>[^']*)'")
_CODE = re.compile(r"^[A-Z_]+: | \[[A-Z_]+\]$")
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


_TOO_DEAR = NotComputed(
    error=f"its loops could take more than {MOST_LOOP_STEPS:,} steps on these values;"
    " send shorter lists, or look at less in each turn"
)


class Environment:
    """The names that expressions may use, and their types."""

    def __init__(self, types: Types) -> None:
        self._types = types
        self._env: Env = NewEnv(variables=dict(types))

    def compile(self, text: str) -> Expression:
        """Raises Uncompilable."""
        if len(text) > MOST_CHARACTERS:
            raise Uncompilable(
                f"it is {len(text)} characters long", f"use at most {MOST_CHARACTERS}"
            )
        if not text.strip():
            raise Uncompilable("it is empty", "write a CEL expression")
        try:
            compiled = self._env.compile(text)
        except RuntimeError as error:
            raise _uncompilable(str(error), self._types) from None
        return Expression(compiled, loops_of(tokens(text), self._types))

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

    __slots__ = ("_compiled", "_loops", "type")

    def __init__(self, compiled: CelExpression, loops: Loops) -> None:
        self._compiled = compiled
        self._loops = loops
        self.type: Type = compiled.return_type()

    def is_true(self, bound: Bound) -> bool | NotComputed:
        """The answer of an expression whose type is bool."""
        if self._loops.count and self._loops.passes(bound.values.values()):
            return _TOO_DEAR
        try:
            answer = self._compiled.eval(bound.activation).value()
        except RuntimeError as error:
            return NotComputed(error=_clean(str(error)))
        # An error is a value too, and truthy; only True itself is a yes.
        if answer is True or answer is False:
            return answer is True
        return NotComputed(error=_clean(str(answer)))

    def value(self, values: Mapping[str, object]) -> object:
        """The value as JSON, or NotComputed."""
        if self._loops.count and self._loops.passes(values.values()):
            return _TOO_DEAR
        try:
            result = self._compiled.eval(data=values)
            if result.type() == Type.ERROR:
                return NotComputed(error=_clean(str(result.value())))
            value = result.plain_value()
        except RuntimeError as error:
            return NotComputed(error=_clean(str(error)))
        return value if _is_json(value) else NotComputed(error="its value is not JSON")


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


def _uncompilable(message: str, types: Iterable[str]) -> Uncompilable:
    found = list(_ERROR.finditer(message))
    if not found:
        return Uncompilable(_clean(message), "write a CEL expression")
    said = [f"{_said(one['problem'])} (column {one['column']})" for one in found]
    problem = shorten("; ".join(dict.fromkeys(said)), 400)
    if unknown := _UNKNOWN_NAME.search(message):
        is_function = re.search(rf"\b{re.escape(unknown['name'])}\s*\(", message)
        fix = "use a function of CEL" if is_function else did_you_mean(unknown["name"], types)
        return Uncompilable(problem, fix)
    return Uncompilable(problem, _fix(problem))


def _said(problem: str) -> str:
    return shorten(_clean(problem).replace(" (in container '')", ""), 200)


def _fix(problem: str) -> str:
    if "no matching overload" in problem:
        return "compare and combine values of one type"
    if "Syntax error" in problem:
        return "write a CEL expression; text stands in quotes within it"
    return "write it in CEL, see https://cel.dev"


def _clean(message: str) -> str:
    first = message.splitlines()[0] if message else ""
    return shorten(_CODE.sub("", _CODE.sub("", first)), 200)
