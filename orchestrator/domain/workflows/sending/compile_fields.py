"""The expressions of what is sent, compiled; CEL is left out where they are only facts and text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cel_expr_python.cel import Type

from orchestrator.domain.contracts.paths import ContractPaths
from orchestrator.domain.errors import Fault
from orchestrator.domain.workflows.cel.compile import (
    Environment,
    NotComputed,
    Uncompilable,
    gives_json,
)
from orchestrator.domain.workflows.cel.text import Token, calls, names, plain_string, tokens
from orchestrator.domain.workflows.facts import ABSENT, Facts
from orchestrator.domain.workflows.items import (
    ItemSource,
    ListedItems,
    item_faults,
    item_variable,
    item_variable_meant,
    list_of,
    with_item,
)
from orchestrator.domain.workflows.sending.fields import (
    CompiledDestination,
    Compute,
    SentField,
    Values,
)
from orchestrator.domain.workflows.sending.records import parts_used, record_types, record_word
from orchestrator.domain.workflows.workflow import Destination, Sent


@dataclass(frozen=True, kw_only=True)
class _Scope:
    """What the expressions of one destination may use."""

    facts: Facts  # with the item
    environment: Environment
    after: tuple[str, ...] = ()  # the destinations whose records it may use

    def optional(self, text: str) -> tuple[str, ...]:
        """The optional facts that an expression names."""
        return tuple(sorted(names(tokens(text)) & self.facts.optional))

    def awaits(self, text: str) -> tuple[str, ...]:
        """The parts of records that an expression names."""
        return parts_used(tokens(text), self.after) if self.after else ()


def compile_destination(
    name: str,
    destination: Destination,
    facts: Facts,
    environment: Environment,
    faults: list[Fault],
    contract: ContractPaths | None = None,
) -> CompiledDestination:
    """The destination with its fields compiled; what is wrong is added to `faults`.

    `environment` knows the facts.
    """
    items, fields, after = None, [], destination.after
    if destination.each is not None:
        facts, items = _with_items(name, destination, facts, contract, faults)
        environment = Environment(facts.types)
    if after:
        environment = Environment({**facts.types, **record_types(after)})
    scope = _Scope(facts=facts, environment=environment, after=after)
    for field, sent in destination.send.items():
        path = f"destinations.{name}.send.{field}"
        try:
            compute = _compile(sent.value, scope)
        except Uncompilable as error:
            faults.append(Fault(path=path, problem=error.problem, fix=error.fix))
            continue
        fields.append(
            SentField(
                name=field,
                text=sent.value,
                required=field in destination.required,
                needs=scope.optional(sent.value),
                compute=compute,
                default=_default(path, sent, scope, faults),
                awaits=scope.awaits(f"{sent.value} {sent.default or ''}"),
            )
        )
    return CompiledDestination(
        name=name,
        connector=destination.connector,
        action=destination.action,
        fields=tuple(fields),
        confirm=destination.confirm,
        items=items,
        after=after,
    )


def _with_items(
    name: str,
    destination: Destination,
    facts: Facts,
    contract: ContractPaths | None,
    faults: list[Fault],
) -> tuple[Facts, ItemSource | None]:
    """The facts with an item, and where its items come from."""
    listed = list_of(destination, facts, contract)
    variable = item_variable(destination)
    if isinstance(listed, Fault):  # one mistake is one fault: the name that follows of it is not
        variable = item_variable_meant(destination, facts)
    facts = with_item(facts, variable, Type.DYN)
    scope = _Scope(facts=facts, environment=Environment(facts.types))
    return facts, _items(name, destination, scope, variable, listed, faults)


def _items(
    name: str,
    destination: Destination,
    scope: _Scope,
    variable: str,
    listed: ListedItems | Fault,
    faults: list[Fault],
) -> ItemSource | None:
    """Where its items come from; what is wrong is added to `faults`."""
    path, key_text = f"destinations.{name}", destination.key
    found = item_faults(name, destination, scope.facts, variable)
    if isinstance(listed, Fault):
        found.append(replace(listed, path=f"{path}.{listed.path}"))
    try:
        key = _compile(str(key_text), scope)
    except Uncompilable as error:
        found.append(Fault(path=f"{path}.key", problem=error.problem, fix=error.fix))
    faults.extend(found)
    if found or isinstance(listed, Fault):
        return None
    return ItemSource(
        destination=name,
        text=str(destination.each),
        variable=variable,
        read=listed.read,
        key_text=str(key_text),
        key=key,
    )


def _default(path: str, sent: Sent, scope: _Scope, faults: list[Fault]) -> Compute | None:
    """What is sent in place of an absent value; what is wrong with it is added to `faults`."""
    if sent.default is None:
        return None
    is_sure = not scope.optional(sent.value) and not scope.awaits(sent.value)
    if is_sure and scope.facts.unsure.isdisjoint(names(tokens(sent.value))):
        problem = f"the default would never be sent: nothing in `{sent.value}` is optional"
        faults.append(Fault(path=path, problem=problem, fix=f"write {sent.value} alone"))
        return None
    urls = tuple(part for part in scope.awaits(sent.default) if part.endswith(".url"))
    if absent := scope.optional(sent.default) or urls:
        problem = f"its default uses `{absent[0]}`, which may be absent too"
        fix = "write a default of what is always there, such as '\"support\"'"
        faults.append(Fault(path=f"{path}.default", problem=problem, fix=fix))
        return None
    try:
        return _compile(sent.default, scope)
    except Uncompilable as error:
        faults.append(Fault(path=f"{path}.default", problem=error.problem, fix=error.fix))
        return None


def _compile(text: str, scope: _Scope) -> Compute:
    words, types = tokens(text), scope.facts.types
    for word in map(record_word, scope.after):
        if calls(words, "has", word):
            fix = f"write {{value: {word}.url, default: ...}}"
            raise Uncompilable(f"`has` does not work on the record `{word}`", fix)
    compiled = scope.environment.compile(text)
    if not gives_json(compiled.type):
        fix = "turn it into text, a number, a bool, a list or a map, such as string(...)"
        raise Uncompilable(f"its value would be a {compiled.type.name()}, not JSON", fix)
    used, awaits = names(words) & types.keys(), scope.awaits(text)
    if not awaits:
        if len(words) == 1 and used:
            return _copy(words[0].text)
        if not used:
            return _constant(compiled.value({}))
        if (parts := _joined(words, types)) is not None:
            return _join(parts)
    needs = (*scope.optional(text), *awaits)

    def compute(values: Values) -> object:
        value = compiled.value(values)
        if isinstance(value, NotComputed) and any(name not in values for name in needs):
            return ABSENT
        return value

    return compute


def _copy(name: str) -> Compute:
    return lambda facts: facts.get(name, ABSENT)


def _constant(value: object) -> Compute:
    if isinstance(value, NotComputed):
        raise Uncompilable(f"it cannot be computed: {value.error}", "write another expression")
    return lambda _facts: value


def _joined(words: Sequence[Token], types: Mapping[str, Type]) -> list[tuple[str, bool]] | None:
    """The parts of `"text" + fact + …`, each with whether it is a fact, where it is only that."""
    if len(words) % 2 == 0 or any(word.text != "+" for word in words[1::2]):
        return None
    parts = []
    for word in words[::2]:
        if (text := plain_string(word)) is not None:
            parts.append((text, False))
        elif word.kind == "name" and types.get(word.text) == Type.STRING:
            parts.append((word.text, True))
        else:
            return None
    return parts


def _join(parts: Sequence[tuple[str, bool]]) -> Compute:
    def compute(facts: Mapping[str, Any]) -> object:
        try:
            return "".join([facts[part] if is_fact else part for part, is_fact in parts])
        except KeyError:
            return ABSENT
        except TypeError:
            return NotComputed(error="a fact in it is not text")

    return compute
