"""Events as JSON, and a word on what is not JSON before anything is sent.

What a door refuses of every event, whatever its settings, is refused here too: a test holds these
rules against a real door.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import NoReturn

from meshline.errors import Refused
from meshline.event import Event

Default = Callable[[object], object]
"""Makes JSON of a value that is not JSON. It raises TypeError for a value that it does not know."""

LONGEST = {"type": 255, "idempotency_key": 400, "client": 64}
"""Characters that a text may have."""

LARGEST_INTEGER = 2**64 - 1
SMALLEST_INTEGER = -(2**63)
"""What fits into 64 bits; a larger number would be rounded on its way."""

DEEPEST = 64
MOST_BYTES = 1024 * 1024
MOST_VALUES = 100_000
"""A door's own defaults, which its settings may change: only the door for tests refuses by them."""


_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_DEEPEST = 200  # the door's own limit is lower; this one also ends a circle
_INSTEAD = {
    "date": "send it as text: value.isoformat()",
    "datetime": "send it as text: value.isoformat()",
    "Decimal": "send it as text, or as float(value)",
    "UUID": "send it as text: str(value)",
    "bytes": "send it as text: value.decode()",
    "set": "send a list",
}


def encode(
    event: Event, default: Default | None = None, trace: Mapping[str, str] | None = None
) -> bytes:
    """The event as the door reads it. Raises Refused that names what is not JSON, and where."""
    body: dict[str, object] = {"type": event.type, "data": None}
    if event.client is not None:
        body["client"] = event.client
    body["idempotency_key"] = event.idempotency_key
    try:
        for name in LONGEST.keys() & body.keys():
            if fault := fault_of_text(name, body[name]):
                _refuse(fault[0], name, fault[1])
            _check_text(str(body[name]), name)
        body["data"] = _Plain(default).value(event.data, "data", 0)
        body.update(trace or {})
    except Refused as error:
        error.idempotency_key = event.idempotency_key
        raise
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def fault_of_text(name: str, value: object) -> tuple[str, str] | None:
    """What is wrong with one of an event's texts, and the fix; None: nothing."""
    if not isinstance(value, str):
        problem = f"must be a text, it is {value!r}"
    elif not 1 <= len(value) <= LONGEST[name]:
        problem = f"it has {len(value)} characters"
    elif _CONTROL.search(value):
        problem = "it holds a control character"
    else:
        return None
    return problem, f"send a text of 1 to {LONGEST[name]} characters, on one line"


class _Plain:
    """Builds the JSON of a value, and knows where it is."""

    def __init__(self, default: Default | None) -> None:
        self._default = default

    def value(self, value: object, path: str, depth: int) -> object:
        if depth > _DEEPEST:
            _refuse("is nested too deep, or holds itself", path[:80], "send it flatter")
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (str, int, float)):
            _check_scalar(value, path)
            return value
        if isinstance(value, dict):
            return self._object(value, path, depth)
        if isinstance(value, (list, tuple)):
            return [
                self.value(item, f"{path}.{index}", depth + 1) for index, item in enumerate(value)
            ]
        return self._other(value, path, depth)

    def _object(self, value: Mapping[object, object], path: str, depth: int) -> dict[str, object]:
        plain: dict[str, object] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                _refuse(f"the key {key!r} is not a text", path, "JSON's keys are text")
            where = f"{path}.{key}"
            _check_text(key, where)
            plain[key] = self.value(item, where, depth + 1)
        return plain

    def _other(self, value: object, path: str, depth: int) -> object:
        if self._default is not None:
            try:
                made = self._default(value)
            except TypeError:
                made = value
            if made is not value:
                return self.value(made, path, depth + 1)
        kind = type(value).__name__
        instead = _INSTEAD.get(kind, "send text, numbers, true, false, null, lists and dicts")
        raise _refusal(f"{kind} is not JSON", path, f"{instead}; or give default=meshline.plain")


def _check_scalar(value: object, path: str) -> None:
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, float):
        if not math.isfinite(value):
            _refuse(f"{value} is not JSON", path, "send null, or leave it out")
    elif isinstance(value, int) and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
        _refuse("the number does not fit into 64 bits", path, "send it as text")


def _check_text(value: str, path: str) -> None:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            _refuse(
                "holds half of a surrogate pair, which is not Unicode text",
                path.encode(errors="replace").decode(),
                "decode the text with errors='replace' where it comes from",
            )


def _refuse(detail: str, field: str, fix: str) -> NoReturn:
    raise _refusal(detail, field, fix) from None


def _refusal(detail: str, field: str, fix: str) -> Refused:
    return Refused(detail, code="invalid_data", field=field, fix=fix)
