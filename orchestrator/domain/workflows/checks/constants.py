"""Constants that fail whatever the payload: `matches("[")`, `int("x")`, `x / 0`."""

from __future__ import annotations

from cel_expr_python.cel import Env, NewEnv, Type

from orchestrator.domain.text.abbreviate import shorten
from orchestrator.domain.workflows.cel.syntax import Call, Constant, Loop, Name, nodes
from orchestrator.domain.workflows.checks.written import written

_GETTER = 'timestamp("2026-01-01T00:00:00Z").{name}(constant)'
_PROBES: dict[str, tuple[str, str]] = {
    "matches": ('"".matches(constant)', "write a regular expression as RE2 has it"),
    "int": ("int(constant)", "write a number, such as 5"),
    "uint": ("uint(constant)", "write a number, such as 5u"),
    "double": ("double(constant)", "write a number, such as 1.5"),
    "bool": ("bool(constant)", "write true or false"),
    "timestamp": ("timestamp(constant)", 'write a moment, such as "2026-01-31T12:00:00Z"'),
    "duration": ("duration(constant)", 'write a duration, such as "90s" or "1h30m"'),
    **{
        name: (_GETTER.format(name=name), 'write a time zone, such as "Europe/Berlin"')
        for name in (
            "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getFullYear", "getHours",
            "getMilliseconds", "getMinutes", "getMonth", "getSeconds",
        )
    },
}  # fmt: skip
"""By function, an expression that fails where its constant does, and what to write instead."""

_envs: list[Env] = []


def fails(call: Call) -> tuple[str, str] | None:
    """Why a call fails with its constant for every payload, and what to write instead."""
    if call.function in ("_/_", "_%_"):
        return _by_zero(call) or _constant_call(call)
    if call.function not in _PROBES or not call.operands:
        return _constant_call(call)
    constant = call.operands[-1]
    is_subject = call.function.startswith("get") and len(call.operands) < 2
    if not isinstance(constant, Constant) or is_subject:
        return None
    probe, fix = _PROBES[call.function]
    problem = _computed(probe, constant.value)
    return (problem, fix) if problem else None


def _by_zero(call: Call) -> tuple[str, str] | None:
    divisor = call.arguments[1]
    if isinstance(divisor, Constant) and divisor.value == 0 and isinstance(divisor.value, int):
        return "it divides by 0", "divide by something else"
    return None


def _constant_call(call: Call) -> tuple[str, str] | None:
    """Of a call that uses no name at all."""
    if any(isinstance(one, Name | Loop) for one in nodes(call)):
        return None
    problem = _computed(written(call), None)
    return (problem, "write another expression") if problem else None


def _computed(expression: str, constant: object) -> str | None:
    """The error of a computation, or None."""
    if not _envs:
        _envs.append(NewEnv(variables={"constant": Type.DYN}))
    try:
        compiled = _envs[0].compile(expression)
    except RuntimeError:  # compiling the whole says so
        return None
    try:
        result = compiled.eval(data={"constant": constant})
        if result.type() != Type.ERROR:
            return None
        problem = str(result.value())
    except RuntimeError as error:
        problem = str(error)
    return shorten(problem.splitlines()[0].partition(": ")[2] or problem, 200)
