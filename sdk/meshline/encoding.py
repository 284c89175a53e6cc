"""Events as JSON, and a word on what is not JSON before anything is sent."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from meshline.errors import Refused
from meshline.event import Event

_DEEPEST = 200  # the door's own limit is lower; this one also ends a circle
_INSTEAD = {
    "date": "send it as text: value.isoformat()",
    "datetime": "send it as text: value.isoformat()",
    "Decimal": "send it as text, or as float(value)",
    "UUID": "send it as text: str(value)",
    "bytes": "send it as text: value.decode()",
    "set": "send a list",
}


def encode(event: Event) -> bytes:
    """The event as the door reads it. Raises Refused that names what is not JSON, and where."""
    for name in ("type", "idempotency_key"):
        if not isinstance(value := getattr(event, name), str) or not value:
            raise _refuse("must be a text, and not empty", name, f"it is {value!r}")
    if event.client is not None and not isinstance(event.client, str):
        raise _refuse("must be a text", "client", f"it is {event.client!r}")
    body: dict[str, object] = {"type": event.type, "data": event.data}
    if event.client is not None:
        body["client"] = event.client
    body["idempotency_key"] = event.idempotency_key
    _check(body, "", 0)
    return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


def _check(value: object, path: str, depth: int) -> None:
    if depth > _DEEPEST:
        raise _refuse("is nested too deep, or holds itself", path[:80], "send it flatter")
    if isinstance(value, str):
        _check_text(value, path)
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise _refuse(f"{value} is not JSON", path, "send null, or leave it out")
    elif isinstance(value, dict):
        _check_object(value, path, depth)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            _check(item, f"{path}.{index}", depth + 1)
    elif value is not None and not isinstance(value, int):  # a bool is an int
        kind = type(value).__name__
        instead = _INSTEAD.get(kind, "send text, numbers, true, false, null, lists and dicts")
        raise _refuse(f"{kind} is not JSON", path, instead)


def _check_object(value: Mapping[object, object], path: str, depth: int) -> None:
    for key, item in value.items():
        if not isinstance(key, str):
            raise _refuse(f"the key {key!r} is not a text", path, "JSON's keys are text")
        where = f"{path}.{key}" if path else key
        _check_text(key, where)
        _check(item, where, depth + 1)


def _check_text(value: str, path: str) -> None:
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise _refuse(
                "holds half of a surrogate pair, which is not Unicode text",
                path.encode(errors="replace").decode(),
                "decode the text with errors='replace' where it comes from",
            ) from None


def _refuse(detail: str, field: str, fix: str) -> Refused:
    return Refused(detail, code="invalid_data", field=field, fix=fix)
