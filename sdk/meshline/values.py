"""JSON of values that applications commonly hold, for a producer's `default=`."""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import uuid


def plain(value: object) -> object:
    """A Decimal, UUID, date or time as text; a dataclass or pydantic model as its fields.

    >>> plain(decimal.Decimal("1.10")), plain(dt.date(2026, 4, 5))
    ('1.10', '2026-04-05')

    Raises TypeError for a value of another kind.
    """
    if isinstance(value, (decimal.Decimal, uuid.UUID)):
        return str(value)
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: getattr(value, field.name) for field in fields}
    return _of_pydantic(value)


def _of_pydantic(value: object) -> object:
    """Pydantic is not imported: a model is known by the method that its version has."""
    if not isinstance(value, type):
        if callable(dump := getattr(value, "model_dump", None)):
            return dump(mode="json")
        if hasattr(value, "__fields__") and callable(dump := getattr(value, "dict", None)):
            return dump()  # version 1
    raise TypeError(f"{type(value).__name__} is not known here")
