"""What a connector says of itself: for listings, and for the schema that editors read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connectors.definition.references import UnresolvedReference, is_reference, resolve
from connectors.http.definition import HttpDefinition
from connectors.http.wire.proxies import Proxies, UnusableProxy, target_of
from connectors.kinds import KINDS
from connectors.registry import Known
from orchestrator.domain.delivery.handoff import Action


def described(known: Known) -> dict[str, Any]:
    """A connector as JSON: its promises and what it needs here, never a secret's value."""
    limits, rate = known.connector.limits, known.connector.limits.rate
    return {
        "name": known.connector.name,
        "kind": known.kind,
        "title": known.definition.title if known.definition else "",
        "from": known.origin,
        "rate": rate
        and {"calls": rate.calls, "per_seconds": rate.per_seconds, "burst": rate.burst},
        "breaker": {
            "failures": limits.breaker.failures,
            "cooldown_seconds": limits.breaker.cooldown_seconds,
        },
        "proxy": _proxy(known),
        "references": [{"reference": one, "set": _is_set(one, known)} for one in references(known)],
        "actions": {name: _action(one) for name, one in known.connector.actions.items()},
    }


def references(known: Known) -> list[str]:
    """What a definition needs to be set on the machine that uses it."""
    if known.definition is None:
        return []
    said = known.definition.model_dump(exclude={"actions", "errors", "headers", "title"})
    return sorted(set(_references(said)))


def schema() -> dict[str, Any]:
    """The JSON Schema of definitions."""
    from pydantic.json_schema import models_json_schema  # a listing needs none

    models = [(kind.model, "validation") for kind in KINDS.values()]
    places, whole = models_json_schema(models, by_alias=True)  # type: ignore[arg-type]
    extending = {
        "type": "object",
        "required": ["connector", "extends"],
        "properties": {"connector": {"type": "string"}, "extends": {"type": "string"}},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A connector's definition",
        "anyOf": [*places.values(), extending],
        **whole,
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "idempotency": action.idempotency,
        "proof": action.proof,
        "required": sorted(action.required),
        "optional": sorted(action.optional),
        "open_fields": action.open_fields,
        "readable": sorted(action.readable),
        "compare": dict(action.compare),
        "zones": dict(action.zones),
        "can_undo": action.can_undo,
        "gives_url": action.gives_url,
        "timeout_seconds": action.timeout_seconds,
        "settle_seconds": action.settle_seconds,
        "confirm_seconds": action.confirm_seconds,
        "max_in_flight": action.max_in_flight,
        "batch_size": action.batch_size,
        "upserts": action.upserts,
        "then": list(action.steps),
    }


def _proxy(known: Known) -> str | None:
    """The proxy that calls go out by, its login left out; None where they go out directly."""
    if not isinstance(known.definition, HttpDefinition):
        return None
    try:
        found = Proxies().of(*target_of(resolve(known.definition.base_url, folder=known.folder)))
    except UnusableProxy as error:
        return str(error)
    except (UnresolvedReference, ValueError):  # what else is wrong with it is said elsewhere
        return None
    return None if found is None else found.url


def _references(said: object) -> Iterator[str]:
    if isinstance(said, str):
        if is_reference(said):
            yield said
    elif isinstance(said, dict):
        for value in said.values():
            yield from _references(value)


def _is_set(reference: str, known: Known) -> bool:
    try:
        resolve(reference, folder=known.folder)
    except UnresolvedReference:
        return False
    return True
