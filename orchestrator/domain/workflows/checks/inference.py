"""What an expression's value will be, worked out from the contract; and what cannot work in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from orchestrator.domain.workflows.cel.syntax import (
    Call,
    Constant,
    ListOf,
    Loop,
    MapOf,
    Name,
    Node,
    Select,
)
from orchestrator.domain.workflows.checks import members
from orchestrator.domain.workflows.checks.constants import fails
from orchestrator.domain.workflows.checks.guards import (
    NONE,
    NOT_EMPTY,
    NOT_NULL,
    Guards,
    path,
    where_false,
    where_true,
)
from orchestrator.domain.workflows.checks.misfits import condition_misfit, equality, misfit
from orchestrator.domain.workflows.checks.operators import applied
from orchestrator.domain.workflows.checks.problems import Problem, fault
from orchestrator.domain.workflows.checks.values import (
    NOTHING,
    UNKNOWN,
    Steps,
    Value,
    joined,
    of_kind,
    without_null,
)
from orchestrator.domain.workflows.checks.written import written

Misplaced = Callable[[str, str], Problem | None]
"""Of a name that is not there, and the path from it as it is written: what is wrong with it."""

_SAME_ENTRIES = frozenset({"distinct", "reverse", "slice", "sort"})
_COMPARED = ("_==_", "_!=_", "@in")
_CONSTANTS = {bool: "bool", int: "int", float: "double", str: "string", bytes: "bytes"}


@dataclass(kw_only=True)
class Inference:
    """One expression's."""

    names: Mapping[str, Value]  # that it may use
    optional: bool = False  # what it reads may be absent, and so may its value
    text: str | None = None  # of a fact, which could say `optional: true`
    misplaced: Misplaced | None = None  # says of names that are not there what was meant
    problems: list[Problem] = field(default_factory=list)

    def value(self, node: Node, scope: Scope | None = None) -> Value:
        """What is known of the value of a part; what is wrong in it is added to `problems`."""
        scope = scope or Scope(names=self.names)
        match node:
            case Constant() | ListOf() | MapOf():
                return self._literal(node, scope)
            case Name(name=name):
                self._misplaced(node, scope)
                return scope.find(name)
            case Loop():
                return self._loop(node, scope)
            case Select():
                return self._path(node, scope)
            case Call():
                return self._operation(node, scope)

    def _operation(self, node: Call, scope: Scope) -> Value:
        match node.function:
            case "_&&_" | "_||_":
                return self._both(node, scope)
            case "_?_:_":
                return self._either(node, scope)
            case "_[_]":
                return self._path(node, scope)
        return self._call(node, scope)

    def _literal(self, node: Constant | ListOf | MapOf, scope: Scope) -> Value:
        if isinstance(node, Constant):
            kind = _CONSTANTS.get(type(node.value), "null")
            return Value(kinds=frozenset({kind}), options=(node.value,))
        if isinstance(node, ListOf):
            entry = joined([self.value(one, scope) for one in node.items])
            return Value(kinds=frozenset({"list"}), entry=entry)
        for key, _ in node.entries:
            self.value(key, scope)
        entry = joined([self.value(one, scope) for _, one in node.entries])
        return Value(kinds=frozenset({"map"}), entry=entry, sure=_keys(node.entries))

    def _path(self, node: Node, scope: Scope) -> Value:
        """A path, as far as it goes; that it may be absent is said once, of the whole."""
        if self._misplaced(node, scope):
            return UNKNOWN
        before = len(self.problems)
        found = self._step(node, scope)
        if found.absent and not self.optional and len(self.problems) == before:
            self.problems.append(members.absent(written(node), found.absent, self.text))
        return found.value

    def _misplaced(self, node: Node, scope: Scope) -> bool:
        found = path(node)
        if found is None or found[0] in scope.names or self.misplaced is None:
            return False
        problem = self.misplaced(found[0], written(node))
        self.problems.extend([problem] if problem else [])
        return problem is not None

    def _step(self, node: Node, scope: Scope) -> members.Found:
        match node:
            case Select(of=of, field=name, is_test=True):
                before = self._path(of, scope) if _is_path(of) else self.value(of, scope)
                found = members.member(before, name, written(of), tested=True)
            case Select(of=of, field=name):
                before, absent = self._before(of, scope)
                found = members.member(before, name, written(of))
                found = found.after(absent)
            case Call(arguments=(of, key)) if node.function == "_[_]":
                before, absent = self._before(of, scope)
                at = self.value(key, scope)
                if problem := members.beyond(of, key):
                    self.problems.append(problem)
                    return members.Found(value=UNKNOWN)
                found = members.indexed(before, key, at, written(of))
                found = found.after(absent)
            case _:
                return members.Found(value=self.value(node, scope))
        self.problems.extend(found.problems)
        return found

    def _before(self, of: Node, scope: Scope) -> tuple[Value, members.Absent | None]:
        """What a step starts from, and which part of it may be absent."""
        if not _is_path(of):
            return self.value(of, scope), None
        found = self._step(of, scope)
        return found.value, found.absent

    def _loop(self, node: Loop, scope: Scope) -> Value:
        over = self.value(node.over, scope)
        start = self.value(node.start, scope)
        inner = scope.within({node.item: members.each(over, first=bool(node.second))})
        if node.second:
            inner = inner.within({node.second: members.each(over, first=False)})
        if problem := members.not_a_collection(over, written(node.over)):
            self.problems.append(problem)
        step = self.value(node.step, inner.within({node.result_name: start}))
        gathered = joined([start, step])
        return self.value(node.result, inner.within({node.result_name: gathered}))

    def _both(self, node: Call, scope: Scope) -> Value:
        one, other = node.arguments
        sure = where_true if node.function == "_&&_" else where_false
        for operand, beside in ((one, other), (other, one)):
            self._condition(operand, scope.knowing(sure(beside)))
        return of_kind("bool")

    def _either(self, node: Call, scope: Scope) -> Value:
        condition, yes, no = node.arguments
        self._condition(condition, scope)
        values = [
            self.value(yes, scope.knowing(where_true(condition))),
            self.value(no, scope.knowing(where_false(condition))),
        ]
        return joined(values)

    def _condition(self, node: Node, scope: Scope) -> None:
        value = self.value(node, scope)
        if problem := condition_misfit(value, written(node)):
            self.problems.append(problem)

    def _call(self, node: Call, scope: Scope) -> Value:
        before = len(self.problems)
        operands = [self.value(one, scope) for one in node.operands]
        found = fails(node) if len(self.problems) == before else None
        if found:
            problem, fix = found
            self.problems.append(fault(f"`{written(node)}` can never be computed: {problem}", fix))
        if node.function in _COMPARED:
            self.problems.extend(equality(node, operands))
            return of_kind("bool")
        if node.function in _SAME_ENTRIES and operands and operands[0].kinds == {"list"}:
            return replace(operands[0], sure=frozenset())
        result = applied(node.function, [one.kinds for one in operands])
        if result is None:
            return UNKNOWN
        if wrong := misfit(node, operands, result):
            self.problems.append(wrong)
        if node.function == "split":
            sure: frozenset[Steps] = frozenset({(NOT_EMPTY,)})
            return Value(kinds=frozenset({"list"}), entry=of_kind("string"), sure=sure)
        if result.kinds == {"list"}:
            return _together(operands)
        return Value(kinds=result.kinds) if result.kinds else UNKNOWN


@dataclass(frozen=True, kw_only=True, slots=True)
class Scope:
    """The names at a place of an expression, and what conditions around it make sure of."""

    names: Mapping[str, Value]
    guards: Guards = NONE

    def find(self, name: str) -> Value:
        """The value of a name; that nobody declared it is said by compiling."""
        value = self.names.get(name, UNKNOWN)
        sure = frozenset(steps for root, steps in self.guards if root == name and steps)
        if not sure:
            return value
        value = replace(value, sure=value.sure | sure)
        return without_null(value) if (NOT_NULL,) in sure else value

    def within(self, names: Mapping[str, Value]) -> Scope:
        """The same with names of a loop, which hide those outside."""
        guards = frozenset(one for one in self.guards if one[0] not in names)
        return Scope(names={**self.names, **names}, guards=guards)

    def knowing(self, guards: Guards) -> Scope:
        """The same where a condition holds."""
        return Scope(names=self.names, guards=self.guards | guards) if guards else self


def _keys(entries: tuple[tuple[Node, Node], ...]) -> frozenset[Steps]:
    """The keys of a map that is written out; none where one of them is computed."""
    keys = [key.value for key, _ in entries if isinstance(key, Constant)]
    texts = [key for key in keys if isinstance(key, str)]
    return frozenset((key,) for key in texts) if len(texts) == len(entries) else frozenset()


def _is_path(node: Node) -> bool:
    return isinstance(node, Select | Call) and (isinstance(node, Select) or node.function == "_[_]")


def _together(operands: list[Value]) -> Value:
    """Two lists as one."""
    entries = [members.each(one, first=False) for one in operands if one.entry is not NOTHING]
    return Value(kinds=frozenset({"list"}), entry=joined(entries))
