"""The shipped definitions, as they are read."""

from __future__ import annotations

from functools import cache

from connectors.definition.extending import SHIPPED
from connectors.definition_file import read_definition
from connectors.http.definition import HttpDefinition


@cache  # reading one takes 30 ms, and it is frozen
def definition(name: str) -> HttpDefinition:
    """The shipped definition over HTTP of a name."""
    found = read_definition(SHIPPED / f"{name}.yaml")
    assert isinstance(found, HttpDefinition)
    return found
