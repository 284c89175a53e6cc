"""A place in a document, with its references followed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from referencing import Registry, Resource
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

_MOST_REFERENCES = 50  # one after another; more of them is a circle


@dataclass(frozen=True)
class Node:
    """A value, and what its relative references are relative to."""

    value: Any
    _resolver: Any

    def get(self, name: str) -> Node:
        """The node of a name; None's node where nothing does."""
        return self._at(self.value.get(name) if isinstance(self.value, dict) else None)

    def members(self) -> Iterator[tuple[str, Node]]:
        """The members of an object."""
        if isinstance(self.value, dict):
            yield from ((name, self._at(value)) for name, value in self.value.items())

    def elements(self) -> list[Node]:
        """The elements of a list."""
        return [self._at(one) for one in self.value] if isinstance(self.value, list) else []

    def text(self, name: str) -> str:
        """The text under a name; "" where there is none."""
        found = self.get(name).value
        return "" if found is None or isinstance(found, dict | list) else str(found)

    def beside(self, value: object) -> Node:
        """Another value that is read as if it were here."""
        return self._at(value)

    def _at(self, value: Any) -> Node:
        resolver = self._resolver
        for _ in range(_MOST_REFERENCES):
            reference = value.get("$ref") if isinstance(value, dict) else None
            if not isinstance(reference, str):
                break
            try:
                found = resolver.lookup(reference)
            except (Unresolvable, OSError, ValueError):
                return Node({}, resolver)  # what is not in the folder may be anything
            value, resolver = found.contents, found.resolver
        return Node(value, resolver)


def root(content: object, uri: str, read: Any) -> Node:
    """The whole of a document; `read` gives the content of other files by their URI."""

    def retrieve(other: str) -> Resource[Any]:
        return Resource.from_contents(read(other), default_specification=DRAFT202012)

    resource = Resource.from_contents(content, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry(retrieve=retrieve)  # type: ignore[call-arg]
    return Node(content, registry.with_resource(uri, resource).resolver(uri))
