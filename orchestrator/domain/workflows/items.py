"""One delivery per item: the list that a destination goes over, and the key that tells its items.

An item is never guessed away: a list that is absent or empty, an item without a key, and two items
with the same key each send the event to a person, before anything of it is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count

from cel_expr_python.cel import Type

from orchestrator.domain.contracts.paths import ContractPaths, DeclaredPath, UndeclaredPath
from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import Fault
from orchestrator.domain.event import Item
from orchestrator.domain.reasons import Reason
from orchestrator.domain.workflows.cel.compile import NotComputed
from orchestrator.domain.workflows.cel.text import names, plain_path, tokens
from orchestrator.domain.workflows.compile_facts import undeclared
from orchestrator.domain.workflows.facts import (
    ABSENT,
    CompiledFact,
    Facts,
    Values,
    missing_fact,
    path_reader,
    rule_error,
)
from orchestrator.domain.workflows.workflow import Destination

MOST_ITEMS = 500  # of one event at one destination
LONGEST_KEY = 200  # characters
LONGEST_NAME = 50  # characters of the destination: its deliveries are `name.item-1`

Items = Mapping[Item, object]
"""Items by their keys, in their order."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemSource:
    """Where a destination has its items from."""

    destination: str
    text: str  # `data.lines`, as the workflow has it
    variable: str  # what `key` and `send` call an item
    read: Callable[[object, Values], object]  # the list, or ABSENT
    key_text: str
    key: Callable[[Mapping[str, object]], object]  # of the facts and one item

    def read_items(self, payload: object, facts: Mapping[str, object]) -> Items | Rejected:
        """The items of a payload by their keys."""
        listed = self.read(payload, facts)
        if listed is ABSENT:
            return missing_fact(self.text, self.destination, path=self._path("each"))
        if not isinstance(listed, list):
            return self._rejected(Reason.RULE_ERROR, "each", f"`{self.text}` is not a list")
        if not listed:
            return self._rejected(Reason.MISSING_FACT, "each", f"`{self.text}` has no item")
        if len(listed) > MOST_ITEMS:
            detail = f"`{self.text}` has {len(listed):,} items, and {MOST_ITEMS} are the most"
            return self._rejected(Reason.RULE_ERROR, "each", detail)
        return self._by_key(listed, facts)

    def _by_key(self, listed: list[object], facts: Mapping[str, object]) -> Items | Rejected:
        found: dict[Item, object] = {}
        places: dict[Item, int] = {}
        for number, item in zip(count(1), listed, strict=False):
            key = self.key({**facts, self.variable: item})
            if isinstance(key, NotComputed):
                what = f"the key of item {number} of {self.destination}"
                return rule_error(what, self.key_text, key, path=self._path("key"))
            if not isinstance(key, str | int) or not _is_key(key):
                detail = f"the key of item {number} (`{self.key_text}`) is {_wrong(key)}"
                return self._rejected(Reason.RULE_ERROR, "key", detail)
            if key in found:
                detail = f"items {places[key]} and {number} of `{self.text}` have the same key"
                return self._rejected(Reason.DUPLICATE_ITEM, "key", f"{detail} (`{self.key_text}`)")
            found[key], places[key] = item, number
        return found

    def _rejected(self, reason: Reason, part: str, detail: str) -> Rejected:
        return Rejected(
            reason=reason, detail=f"{self.destination}: {detail}", path=self._path(part)
        )

    def _path(self, part: str) -> str:
        return f"destinations.{self.destination}.{part}"


def _is_key(key: str | int) -> bool:
    if isinstance(key, str):
        return 0 < len(key) <= LONGEST_KEY
    return not isinstance(key, bool)


def _wrong(key: object) -> str:
    if key is ABSENT:
        return "absent"
    if isinstance(key, str):
        return f"longer than {LONGEST_KEY} characters" if key else "empty"
    return "neither a text nor a whole number"


def item_variable(destination: Destination) -> str:
    """What an item is called: `as`, or the list's last name in the singular, or `item`.

    >>> singular("lines"), singular("entries"), singular("addresses"), singular("staff")
    ('line', 'entry', 'address', 'item')
    """
    if destination.item_name:
        return destination.item_name
    path = plain_path(tokens(destination.each or ""))
    return singular(path.steps[-1] if path and path.steps else destination.each or "")


def singular(name: str) -> str:
    """An English plural's singular; `item` for what is none."""
    if not name.isidentifier() or name.endswith("ss"):
        return "item"
    for ending, one in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("s", "")):
        if name.endswith(ending) and len(name) > len(ending):
            return name.removesuffix(ending) + one
    return "item"


def item_variable_meant(destination: Destination, facts: Facts) -> str:
    """The same, where `each` names no list: the one name in the key that is not a fact."""
    unknown = names(tokens(str(destination.key))) - facts.types.keys()
    if destination.item_name or len(unknown) != 1:
        return item_variable(destination)
    return next(iter(unknown))


def with_item(facts: Facts, variable: str, of: Type) -> Facts:
    """The facts and one item, as `key` and `send` see them: parts of the item may be absent."""
    item = CompiledFact(
        name=variable, text=variable, optional=True, type=of, read=lambda _payload, _values: ABSENT
    )
    return Facts(facts=(*facts.facts, item), unsure=facts.unsure)


def item_faults(name: str, destination: Destination, facts: Facts, variable: str) -> list[Fault]:
    """What is wrong with how items are called; `facts` have the item among them."""
    faults = []
    if [fact.name for fact in facts.facts].count(variable) > 1:
        fix = f"write another name for it, such as `as: one_{variable}`"
        problem = f"an item would be called `{variable}`, which is a fact"
        faults.append(Fault(path=f"destinations.{name}.each", problem=problem, fix=fix))
    used = names(tokens(str(destination.key)))
    if variable not in used and used <= facts.types.keys():  # else an unknown name is the fault
        problem = f"the key says nothing of the item, which is called `{variable}`"
        fix = f"write what tells it from the others, such as `{variable}.id`"
        faults.append(Fault(path=f"destinations.{name}.key", problem=problem, fix=fix))
    if len(name) > LONGEST_NAME:
        problem = f"the name is {len(name)} characters long, and its items' names would be longer"
        fix = f"use at most {LONGEST_NAME}"
        faults.append(Fault(path=f"destinations.{name}", problem=problem, fix=fix))
    return faults


@dataclass(frozen=True, kw_only=True)
class ListedItems:
    """The list that `each` names."""

    read: Callable[[object, Values], object]


def list_of(
    destination: Destination, facts: Facts, contract: ContractPaths | None
) -> ListedItems | Fault:
    """The list that a destination's `each` leads to, or what is wrong with it."""
    text = str(destination.each).strip()
    if text in facts.types:
        return ListedItems(read=lambda _payload, values: values.get(text, ABSENT))
    path = plain_path(tokens(text))
    if path is None or not path.steps:
        problem = f"`{text}` is neither a path of the payload nor a fact"
        return Fault(path="each", problem=problem, fix="write a list, such as `data.lines`")
    if contract is not None:
        match contract.find(path.steps):
            case UndeclaredPath() as not_there:
                return undeclared("each", path, not_there)
            case DeclaredPath(types=types) if "array" not in types:
                fix = "name a list: its contract says `type: array`"
                return Fault(path="each", problem=f"`{text}` is not a list", fix=fix)
            case DeclaredPath(always=False):
                problem = f"the contract does not require `{text}`"
                fix = "require it, with `minItems: 1`, or name an optional fact of it"
                return Fault(path="each", problem=problem, fix=fix)
    return ListedItems(read=path_reader(path.steps))
