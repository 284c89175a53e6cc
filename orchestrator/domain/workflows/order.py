"""The order in which facts are computed: each after those that it uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.workflows.cel.compile import Environment, Uncompilable
from orchestrator.domain.workflows.cel.syntax import free_names
from orchestrator.domain.workflows.cel.text import names, tokens
from orchestrator.domain.workflows.workflow import Fact


@dataclass(frozen=True, kw_only=True)
class FactOrder:
    """Which facts a fact uses, and where that leads in a circle."""

    names: tuple[str, ...]  # every fact, after those that it uses; else in the file's order
    uses: Mapping[str, tuple[str, ...]]
    circles: Mapping[str, tuple[str, ...]]  # by the fact at which it was found: a, b, a


def order_of(facts: Mapping[str, Fact | None]) -> FactOrder:
    """The order of a workflow's facts; None stands for one that cannot be read."""
    uses = {name: _used(fact.value, facts) if fact else () for name, fact in facts.items()}
    walk = _Walk(uses)
    for name in facts:
        walk.visit(name, ())
    return FactOrder(names=tuple(walk.done), uses=uses, circles=walk.circles)


def _used(text: str, facts: Mapping[str, object]) -> tuple[str, ...]:
    mentioned = names(tokens(text)) & facts.keys()
    if not mentioned:
        return ()
    try:
        free = free_names(Environment({}).syntax(text))
    except Uncompilable:
        return ()
    return tuple(name for name in facts if name in free)


class _Walk:
    def __init__(self, uses: Mapping[str, tuple[str, ...]]) -> None:
        self.done: dict[str, None] = {}
        self.circles: dict[str, tuple[str, ...]] = {}
        self._uses = uses

    def visit(self, name: str, path: tuple[str, ...]) -> None:
        """Put a fact after those that it uses; `path` is how it was reached."""
        if name in self.done:
            return
        if name in path:
            circle = path[path.index(name) :]
            self.circles[circle[0]] = (*circle, name)
            return
        for used in self._uses[name]:
            self.visit(used, (*path, name))
        self.done[name] = None
