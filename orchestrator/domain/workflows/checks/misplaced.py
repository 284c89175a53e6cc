"""Names that are not there, of which it can be said what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.domain.contracts.declared import Declared, Member
from orchestrator.domain.text.hints import nearest
from orchestrator.domain.workflows.checks.inference import Misplaced
from orchestrator.domain.workflows.checks.problems import Problem, fault
from orchestrator.domain.workflows.workflow import Fact

_WORDS = {
    "True": "true", "TRUE": "true", "False": "false", "FALSE": "false", "None": "null",
    "NULL": "null", "Null": "null", "nil": "null", "undefined": "null",
}  # fmt: skip
_TYPES = frozenset(
    {"bool", "bytes", "double", "dyn", "int", "list", "map", "null_type", "string", "type", "uint"}
)
_PAYLOAD = frozenset({"payload", "event", "body", "input", "trigger", "json", "this", "it"})


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordScope:
    """The place of an expression that may name records of destinations."""

    of: str | None  # the destination whose field it is; None: a route's
    after: tuple[str, ...] = ()  # whose records it may use


def in_facts(root: Declared | None) -> Misplaced:
    """In a fact, which knows only `data`: a property of the payload without it."""

    def misplaced(name: str, written: str) -> Problem | None:
        if literal := _literal(name):
            return literal
        if root and isinstance(root.member(name), Member):
            return fault(f"`{name}` is a property of `data`", f"write `data.{written}`")
        if name in _PAYLOAD:
            rest = written.removeprefix(name)
            return fault(f"`{name}` is not known: the payload is `data`", f"write `data{rest}`")
        if name in _TYPES or root is None:
            return None
        if near := nearest(name, ["data", *root.names()]):
            start = near if near == "data" else f"data.{near}"
            return fault(f"`{name}` is not known", f"write `{start}{written.removeprefix(name)}`")
        fix = f"write `data.{written}`, and declare it in the contract"
        return fault(f"`{name}` is not known: a fact reads `data`, the payload", fix)

    return misplaced


def in_routes(facts: Mapping[str, Fact | None]) -> Misplaced:
    """In a rule, which knows only facts: a path into the payload."""
    by_text: dict[str, str] = {}
    for name, fact in facts.items():
        if fact:
            by_text.setdefault(fact.value, name)

    def misplaced(name: str, written: str) -> Problem | None:
        if literal := _literal(name):
            return literal
        if name == "data":
            return _of_payload(written, by_text)
        if name in _TYPES or nearest(name, facts):
            return None
        if f"data.{written}" in by_text:
            return fault(f"`{written}` is not a fact", f"write `{by_text[f'data.{written}']}`")
        if written != name:
            return None
        fix = f'write `"{name}"` if it is a text, or declare the fact'
        return fault(f"`{name}` is not a fact", fix)

    return misplaced


def in_sent(facts: Mapping[str, Fact | None], text: str) -> Misplaced:
    """In a field that is sent: the same, and a text that lacks its quotes."""
    otherwise = in_routes(facts)

    def misplaced(name: str, written: str) -> Problem | None:
        found = otherwise(name, written)
        if found is None or text.strip() != name or name in _WORDS:
            return found
        # The whole text of a field: its quotes are within those of YAML.
        return fault(found.problem, f"""write '"{name}"' if it is a text, or declare the fact""")

    return misplaced


def with_records(otherwise: Misplaced, records: Mapping[str, str], scope: RecordScope) -> Misplaced:
    """The same, and `crm.url` where it cannot be used.

    `records` are the destinations by the names of their records.
    """

    def misplaced(name: str, written: str) -> Problem | None:
        destination = records.get(name)
        if destination in scope.after:
            return None
        if destination is None or written == name:
            return otherwise(name, written)
        if scope.of is None:
            problem = f"`{written}`: a route is chosen before anything is sent"
            return fault(problem, "choose it by facts")
        if scope.of == destination:
            problem = f"`{written}`: there is no record of `{destination}` before it is sent"
            return fault(problem, "take it out")
        problem = f"`{written}`: `{scope.of}` does not come after `{destination}`"
        return fault(problem, f"add `after: [{destination}]` to `{scope.of}`")

    return misplaced


def _of_payload(written: str, by_text: Mapping[str, str]) -> Problem:
    problem = f"`{written}`: routes and fields see facts and not `data`"
    if written in by_text:
        return fault(problem, f"write `{by_text[written]}`")
    name = written.rpartition(".")[2]
    made = name if name.isidentifier() and name != "data" else "name"
    return fault(problem, f"declare the fact `{made}: {written}`, and write `{made}`")


def _literal(name: str) -> Problem | None:
    if name in _WORDS:
        return fault(f"`{name}` is not known", f"write `{_WORDS[name]}`")
    return None
