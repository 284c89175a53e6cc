"""The expressions of a workflow, each looked at with what is known of the names in it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from orchestrator.domain.contracts.declared import Declared
from orchestrator.domain.contracts.paths import ContractPaths
from orchestrator.domain.errors import Fault
from orchestrator.domain.workflows.cel.compile import Environment, Uncompilable
from orchestrator.domain.workflows.cel.syntax import Node
from orchestrator.domain.workflows.cel.text import tokens
from orchestrator.domain.workflows.checks.inference import Inference, Misplaced
from orchestrator.domain.workflows.checks.members import each as entry_of
from orchestrator.domain.workflows.checks.misplaced import (
    RecordScope,
    in_facts,
    in_routes,
    in_sent,
    with_records,
)
from orchestrator.domain.workflows.checks.values import UNKNOWN, Value, declared
from orchestrator.domain.workflows.items import item_variable
from orchestrator.domain.workflows.order import order_of
from orchestrator.domain.workflows.sending.records import PARTS, parts_used, record_word
from orchestrator.domain.workflows.workflow import Destination, Fact, Route


@dataclass(frozen=True, kw_only=True)
class Examined:
    """What a look at the facts found."""

    values: Mapping[str, Value]  # of each fact, UNKNOWN where it is wrong
    faults: list[Fault]


def examine_facts(
    facts: Mapping[str, Fact | None],
    contract: Mapping[str, object] | None,
    broken: Collection[str],
) -> Examined:
    """The facts against the contract; without one nothing is known of them.

    `broken` are the places of the file whose expressions do not compile.
    """
    values: dict[str, Value] = dict.fromkeys(facts, UNKNOWN)
    faults: list[Fault] = []
    if contract is None:
        return Examined(values=values, faults=faults)
    root = declared(Declared(ContractPaths(contract), contract), "data")
    for name in order_of(facts).names:
        fact = facts[name]
        node = parsed(fact.value) if fact else None
        if fact is None or node is None:
            continue
        path = f"facts.{name}"
        looked = Inference(
            names={**values, "data": root},
            optional=fact.optional,
            text=fact.value,
            misplaced=in_facts(root.place) if path in broken else None,
        )
        value = looked.value(node)
        found = list(_faults(path, looked))
        faults += found
        if all(one.is_note for one in found):
            values[name] = value
    return Examined(values=values, faults=faults)


def examine_routes(
    routes: Mapping[int, Route | None],
    facts: Mapping[str, Fact | None],
    values: Mapping[str, Value],
    broken: Collection[str],
    destinations: Collection[str] = (),
) -> Iterator[Fault]:
    """The rules, with what is known of the facts."""
    for index, route in routes.items():
        path = f"routes.{index}.when"
        if route:
            misplaced = None
            if path in broken:
                words, scope = _by_word(destinations), RecordScope(of=None)
                misplaced = with_records(in_routes(facts), words, scope)
            yield from _examine(path, route.when, values, misplaced)


def examine_sent(
    destinations: Mapping[str, Destination | None],
    facts: Mapping[str, Fact | None],
    values: Mapping[str, Value],
    broken: Collection[str],
    contract: Mapping[str, object] | None = None,
) -> Iterator[Fault]:
    """The fields that are sent, with what is known of the facts and of items."""
    records = _by_word(destinations)
    for name, destination in destinations.items():
        if destination is None:
            continue
        scope = RecordScope(of=name, after=destination.after)
        known, path = values, f"destinations.{name}"
        if destination.each is not None:
            listed = _listed(destination.each, values, contract)
            known = {**values, item_variable(destination): entry_of(listed, first=False)}
            yield from examine_items(path, destination, listed, known, broken)
        for field, sent in destination.send.items():
            place = f"{path}.send.{field}"
            for at, text in ((place, sent.value), (f"{place}.default", sent.default)):
                if text is not None:
                    misplaced = None
                    if at in broken:
                        yield from _unknown_parts(at, text, scope)
                        misplaced = with_records(in_sent(facts, text), records, scope)
                    of_item = destination.each is not None
                    yield from _examine(at, text, known, misplaced, optional=of_item)


def _listed(each: str, values: Mapping[str, Value], contract: Mapping[str, object] | None) -> Value:
    """What is known of the list that `each` names."""
    node = parsed(each)
    if node is None or contract is None:
        return UNKNOWN
    root = declared(Declared(ContractPaths(contract), contract), "data")
    return Inference(names={**values, "data": root}, optional=True).value(node)


def examine_items(
    path: str,
    destination: Destination,
    listed: Value,
    known: Mapping[str, Value],
    broken: Collection[str],
) -> Iterator[Fault]:
    """Whether there are items, whether their key can be one, and whether each is proven."""
    if listed.is_known and "list" not in listed.kinds and f"{path}.each" not in broken:
        fix = "name a list, such as `data.lines`"
        yield Fault(path=f"{path}.each", problem=f"`{destination.each}` is not a list", fix=fix)
        return
    if f"{path}.key" not in broken and (node := parsed(str(destination.key))):
        looked = Inference(names=known)
        kinds = looked.value(node).kinds
        yield from _faults(f"{path}.key", looked)
        if not looked.problems and kinds.isdisjoint({"string", "int"}):
            fix = "write what tells one item from the others: a text or a whole number"
            yield Fault(path=f"{path}.key", problem=f"`{destination.key}` cannot be a key", fix=fix)
    proofs = [destination.send[name] for name in destination.confirm if name in destination.send]
    if proofs and all(one.default is None and _may_lack(one.value, known) for one in proofs):
        yield Fault(
            path=f"{path}.confirm",
            problem="an item may lack every field that is confirmed; its event is quarantined then",
            fix="confirm a field too that every item has",
            is_note=True,
        )


def _may_lack(text: str, known: Mapping[str, Value]) -> bool:
    """Whether the value may be absent for an item."""
    node = parsed(text)
    if node is None:
        return False
    looked = Inference(names=known)
    looked.value(node)
    return bool(looked.problems)


def _unknown_parts(path: str, text: str, scope: RecordScope) -> Iterator[Fault]:
    """What an expression wants of a record that no record has."""
    for part in parts_used(tokens(text), scope.after):
        word, _, name = part.partition(".")
        if name not in PARTS:
            fix = "write " + " or ".join(f"`{word}.{one}`" for one in PARTS)
            yield Fault(path=path, problem=f"`{part}`: nothing but {_LISTED} is known", fix=fix)


_LISTED = " and ".join(PARTS)


def _by_word(destinations: Collection[str]) -> dict[str, str]:
    """The destinations by the names that their records have in expressions."""
    return {record_word(name): name for name in destinations}


def parsed(text: str) -> Node | None:
    """The tree of an expression; None where it is not CEL, which compiling tells."""
    try:
        return _without_names().syntax(text)
    except Uncompilable:
        return None


@cache
def _without_names() -> Environment:
    return Environment({})


def _examine(
    path: str,
    text: str,
    values: Mapping[str, Value],
    misplaced: Misplaced | None,
    *,
    optional: bool = False,
) -> Iterator[Fault]:
    if node := parsed(text):
        looked = Inference(names=values, misplaced=misplaced, optional=optional)
        looked.value(node)
        yield from _faults(path, looked)


def _faults(path: str, looked: Inference) -> Iterator[Fault]:
    for one in dict.fromkeys(looked.problems):
        yield Fault(path=path, problem=one.problem, fix=one.fix, is_note=one.is_note)
