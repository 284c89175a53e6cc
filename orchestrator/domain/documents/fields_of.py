"""A value as a JSON object: the keys of the object are the fields of the value."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any


def fields_of(value: Any) -> dict[str, object]:
    """The fields of a frozen value by their names, in their order.

    Only the value itself is taken apart, not the values in it. Raises TypeError where it is not
    a dataclass.
    """
    if isinstance(value, type) or not is_dataclass(value):
        raise TypeError(f"{type(value).__name__} has no form as JSON")
    return {field.name: getattr(value, field.name) for field in fields(value)}
