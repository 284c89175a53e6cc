"""Routes that no event can take."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cel_expr_python.cel import Type

from orchestrator.domain.errors import Fault
from orchestrator.domain.workflows.cel.compile import Environment, Uncompilable
from orchestrator.domain.workflows.checks.expressions import parsed
from orchestrator.domain.workflows.workflow import Route


def dead_routes(routes: Mapping[int, Route | None], facts: Mapping[str, object]) -> Iterator[Fault]:
    """Routes behind one that always holds, or whose rule another has before them."""
    environment = Environment(dict.fromkeys(facts, Type.DYN))
    seen: dict[str, int] = {}
    always: int | None = None
    for index, route in routes.items():
        if route is None:
            continue
        path = f"routes.{index}"
        rule = repr(parsed(route.when) or route.when)
        if always is not None:
            problem = f"route {always + 1} always holds, so this one is never reached"
            yield Fault(path=path, problem=problem, fix="move it up, or take it out")
        elif rule in seen:
            problem = f"route {seen[rule] + 1} has the same rule, so this one is never reached"
            yield Fault(path=path, problem=problem, fix="name all destinations in one `to`")
        else:
            holds = _whatever_the_facts(environment, route.when)
            always = index if holds else always
            if holds is False:
                fix = "take the route out, or write a rule over the facts"
                yield Fault(path=path, problem="its rule never holds", fix=fix, is_note=True)
        seen.setdefault(rule, index)


def _whatever_the_facts(environment: Environment, rule: str) -> bool | None:
    """The answer of a rule that needs no fact: `true || x` is true whatever `x` is."""
    try:
        answer = environment.compile(rule).is_true(environment.bind({}))
    except Uncompilable:
        return None
    return answer if isinstance(answer, bool) else None
