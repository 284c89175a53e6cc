"""Routes: the first rule that holds decides; an error is never taken for a yes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cel_expr_python.cel import Type

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import Fault
from orchestrator.domain.reasons import Reason
from orchestrator.domain.text.abbreviate import abbreviate
from orchestrator.domain.workflows.cel.compile import (
    Environment,
    Expression,
    NotComputed,
    Uncompilable,
)
from orchestrator.domain.workflows.cel.text import names, tokens
from orchestrator.domain.workflows.facts import ABSENT, Facts, missing_fact, rule_error
from orchestrator.domain.workflows.workflow import Route

_MOST_REMEMBERED = 1_024  # decisions per workflow
_LONGEST_REMEMBERED = 200  # characters of a text by which a decision is remembered

Decision = int | Rejected
"""The place of the route that matched, from 0."""

Decider = Callable[[Mapping[str, object]], Decision]
"""The decision that the routes come to, from the facts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One route's condition."""

    index: int
    text: str
    condition: Expression
    names: tuple[str, ...]  # of the facts in it


def compile_rules(
    routes: Mapping[int, Route], facts: Facts, environment: Environment, faults: list[Fault]
) -> Decider:
    """The routes, by their places, as one function; what is wrong is added to `faults`."""
    rules = []
    for index, route in routes.items():
        used = tuple(fact.name for fact in facts.facts if fact.name in names(tokens(route.when)))
        try:
            condition = _condition(environment, route.when, sure=facts.unsure.isdisjoint(used))
        except Uncompilable as error:
            fault = Fault(path=f"routes.{index}.when", problem=error.problem, fix=error.fix)
            faults.append(fault)
        else:
            rules.append(Rule(index=index, text=route.when, condition=condition, names=used))
    return _decider(rules, environment)


def _condition(environment: Environment, text: str, *, sure: bool) -> Expression:
    condition = environment.compile(text)
    if condition.type == Type.BOOL or not sure:
        return condition
    if condition.type == Type.DYN:
        fix = f"compare it, such as `{text} == true`"
        raise Uncompilable("its value need not be true or false", fix)
    problem = f"its value is a {condition.type.name()}, not true or false"
    raise Uncompilable(problem, "compare it with something")


def _decider(rules: Sequence[Rule], environment: Environment) -> Decider:
    """`_decide`, remembering what it decided for the values that the rules look at."""
    used = tuple(dict.fromkeys(name for rule in rules for name in rule.names))

    # `typed`, for to Python 1, 1.0 and True are one key, and to a rule they are not.
    @lru_cache(maxsize=_MOST_REMEMBERED, typed=True)
    def remembered(*values: object) -> Decision:
        return decide_anew(values)

    def decide_anew(values: Sequence[object]) -> Decision:
        return _decide(rules, environment, dict(zip(used, values, strict=True)))

    def decide(facts: Mapping[str, object]) -> Decision:
        values = [facts.get(name, ABSENT) for name in used]
        for value in values:
            if isinstance(value, list | dict):
                return decide_anew(values)
            if isinstance(value, str) and len(value) > _LONGEST_REMEMBERED:
                return decide_anew(values)
        return remembered(*values)

    return decide


def _decide(
    rules: Sequence[Rule], environment: Environment, looked_at: Mapping[str, object]
) -> Decision:
    present = {name: value for name, value in looked_at.items() if value is not ABSENT}
    bound = environment.bind(present)
    for rule in rules:
        answer = rule.condition.is_true(bound)
        if answer is True:
            return rule.index
        if isinstance(answer, NotComputed):
            return _undecided(rule, answer, present)
    return _no_route(looked_at)


def _undecided(rule: Rule, error: NotComputed, present: Mapping[str, object]) -> Rejected:
    path = f"routes.{rule.index}.when"
    absent = [name for name in rule.names if name not in present]
    if absent:
        return missing_fact(absent[0], f"route {rule.index + 1} ({rule.text})", path=path)
    return rule_error(f"route {rule.index + 1}", rule.text, error, path=path)


def _no_route(looked_at: Mapping[str, object]) -> Rejected:
    shown = ", ".join(
        f"`{name}` is {'absent' if value is ABSENT else abbreviate(value)}"
        for name, value in list(looked_at.items())[:10]
    )
    detail = f"no route matches: {shown}" if shown else "no route matches"
    return Rejected(reason=Reason.NO_ROUTE, detail=detail, path="routes")
