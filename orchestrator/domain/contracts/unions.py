"""Contracts whose `anyOf` and `oneOf` say only that nothing in them fits.

The validator's own error of a union holds the errors of each alternative, with those of the unions
in them, and so on. Where that could fill the memory, a union is asked for its answer alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jsonschema_rs

from orchestrator.domain.documents.json_pointer import json_pointer

Build = Callable[..., jsonschema_rs.Validator]

UNIONS = ("anyOf", "oneOf")

_MOST_UNIONS = 200  # of one contract; for each that is met a validator is compiled, some 10 ms
_HOME = "urn:meshline:contract"


@dataclass(kw_only=True, eq=False)
class Unions:
    """The alternatives of one contract's unions, each compiled when it is first asked."""

    draft: int
    schema: Mapping[str, Any]
    build: Build  # the validator of a schema, with the contract's own options
    _found: int = 0
    _registry: jsonschema_rs.Registry = field(init=False)

    def __post_init__(self) -> None:
        self._registry = jsonschema_rs.Registry([(_HOME, dict(self.schema))], draft=self.draft)

    def keyword(self, name: str) -> type[Any]:
        """What the validator takes for `anyOf` or `oneOf`."""
        unions = self

        class Union:
            def __init__(self, _: object, value: list[object], path: list[str | int]) -> None:
                unions._found += 1
                pointer = json_pointer(path)
                self._refs = [f"{_HOME}#{pointer}/{place}" for place in range(len(value))]
                self._alternatives: jsonschema_rs.Validator | None = None

            def validate(self, instance: Any) -> None:
                if self._alternatives is None:
                    schema = {name: [{"$ref": ref} for ref in self._refs]}
                    self._alternatives = unions.build(schema, registry=unions._registry)
                if not self._alternatives.is_valid(instance):
                    raise ValueError(_said(name, len(self._refs)))

        return Union

    @property
    def too_many(self) -> bool:
        """Whether there are more than may be compiled; known once the contract is compiled."""
        return self._found > _MOST_UNIONS


def without_trees(
    schema: Mapping[str, Any], draft: int, build: Build
) -> jsonschema_rs.Validator | None:
    """The validator of a contract, its unions brief; None where there are too many of them."""
    unions = Unions(draft=draft, schema=schema, build=build)
    validator = build(schema, keywords={name: unions.keyword(name) for name in UNIONS})
    return None if unions.too_many else validator


def _said(name: str, alternatives: int) -> str:
    if name == "anyOf":
        return f"it fits none of the {alternatives} alternatives"
    return f"it does not fit exactly one of the {alternatives} alternatives"
