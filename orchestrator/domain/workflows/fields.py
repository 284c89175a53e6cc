"""What a destination is sent: each field a CEL expression over the facts, computed per event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python.cel import Type

from orchestrator.domain.delivery.verdicts import Rejected
from orchestrator.domain.errors import Fault
from orchestrator.domain.event import PlannedDelivery
from orchestrator.domain.workflows.cel import Environment, NotComputed, Uncompilable, gives_json
from orchestrator.domain.workflows.cel_text import Token, names, plain_string, tokens
from orchestrator.domain.workflows.facts import ABSENT, Facts, missing_fact, rule_error
from orchestrator.domain.workflows.workflow import Destination

Compute = Callable[[Mapping[str, object]], object]


@dataclass(frozen=True, kw_only=True, slots=True)
class SentField:
    """One field of a destination."""

    name: str
    text: str  # as the workflow has it
    required: bool  # the action is nothing without it
    needs: tuple[str, ...]  # the optional facts in it
    compute: Compute  # the value as JSON, ABSENT or NotComputed, from the facts


@dataclass(frozen=True, kw_only=True, slots=True)
class CompiledDestination:
    """One destination, ready to be planned for events."""

    name: str
    connector: str
    action: str
    fields: tuple[SentField, ...]
    confirm: tuple[str, ...]

    def plan(self, facts: Mapping[str, object]) -> PlannedDelivery | Rejected:
        """The delivery for these facts.

        A field whose facts are absent is neither sent nor confirmed, unless the action requires it.
        """
        send: dict[str, object] = {}
        for field in self.fields:
            value = field.compute(facts)
            if value is ABSENT:
                if field.required:
                    return self._missing(field, facts)
            elif isinstance(value, NotComputed):
                return rule_error(f"`{field.name}` of {self.name}", field.text, value)
            else:
                send[field.name] = value
        confirm = self.confirm
        if len(send) != len(self.fields):
            confirm = tuple(name for name in confirm if name in send)
        return PlannedDelivery(
            destination=self.name,
            connector=self.connector,
            action=self.action,
            send=send,
            confirm=confirm,
        )

    def _missing(self, field: SentField, facts: Mapping[str, object]) -> Rejected:
        absent = next(name for name in field.needs if name not in facts)
        return missing_fact(absent, f"`{field.name}` of {self.name}")


def compile_destination(
    name: str,
    destination: Destination,
    facts: Facts,
    environment: Environment,
    faults: list[Fault],
) -> CompiledDestination:
    """The destination with its fields compiled; what is wrong is added to `faults`."""
    fields = []
    for field, text in destination.send.items():
        try:
            compute = _compile(text, facts, environment)
        except Uncompilable as error:
            path = f"destinations.{name}.send.{field}"
            faults.append(Fault(path=path, problem=error.problem, fix=error.fix))
        else:
            fields.append(
                SentField(
                    name=field,
                    text=text,
                    required=field in destination.required,
                    needs=optional_facts(text, facts),
                    compute=compute,
                )
            )
    return CompiledDestination(
        name=name,
        connector=destination.connector,
        action=destination.action,
        fields=tuple(fields),
        confirm=destination.confirm,
    )


def optional_facts(text: str, facts: Facts) -> tuple[str, ...]:
    """The optional facts that an expression names."""
    return tuple(sorted(names(tokens(text)) & facts.optional))


def _compile(text: str, facts: Facts, environment: Environment) -> Compute:
    """A function of the facts; CEL is left out where the expression is only facts and text."""
    compiled = environment.compile(text)
    if not gives_json(compiled.type):
        fix = "turn it into text, a number, a bool, a list or a map, such as string(...)"
        raise Uncompilable(f"its value would be a {compiled.type.name()}, not JSON", fix)
    words = tokens(text)
    types = facts.types
    used = names(words) & types.keys()
    if len(words) == 1 and used:
        return _copy(words[0].text)
    if not used:
        return _constant(compiled.value({}))
    if (parts := _joined(words, types)) is not None:
        return _join(parts)
    needs = optional_facts(text, facts)

    def compute(facts: Mapping[str, object]) -> object:
        value = compiled.value(facts)
        if isinstance(value, NotComputed) and any(name not in facts for name in needs):
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
