"""The shipped definitions, as they are read."""

from __future__ import annotations

from functools import cache

from connectors.definition_file import read_definition
from connectors.definition_http import HttpDefinition
from connectors.extending import SHIPPED


@cache  # reading one takes 30 ms, and it is frozen
def definition(name: str) -> HttpDefinition:
    """The shipped definition over HTTP of a name."""
    found = read_definition(SHIPPED / f"{name}.yaml")
    assert isinstance(found, HttpDefinition)
    return found
