"""The door's answers as values; whatever else answers is not taken for it."""

from __future__ import annotations

import json
from typing import Any

from meshline.errors import Explained, MeshlineError, Misconfigured, Refused, Unreachable
from meshline.event import Emitted
from meshline.patience import PASSING, retry_after
from meshline.transport import Response

_OF_THE_EVENT = frozenset({400, 409, 413, 422})
"""Statuses by which a door says that the event itself is wrong."""


def as_emitted(response: Response) -> Emitted:
    """The one answer of a single trigger. Raises Misconfigured where it is not a door's."""
    return _emitted(_parsed(response), response)


def as_emitted_many(response: Response, count: int) -> list[Emitted]:
    """The `count` answers of a batch, in order. Raises Misconfigured where it is no such answer."""
    parsed = _parsed(response)
    items = parsed.get("events") if isinstance(parsed, dict) else None
    if not isinstance(items, list) or len(items) != count:
        raise _stranger(response)
    return [_emitted(item, response) for item in items]


def as_failure(response: Response) -> MeshlineError:
    """Any other answer as the error that says whose fault it is.

    Only a door's own problem document (RFC 9457, with a `code`) makes an event wrong for good:
    anything between may answer 404 or 413 too.
    """
    problem = _problem(response)
    explained = _without_reason(response) if problem is None else _explained(problem, response)
    if response.status in PASSING:
        asked = retry_after(response.headers.get("retry-after"))
        passing = Unreachable(str(explained), retry_after=asked)
        passing.__cause__ = explained
        return passing
    return explained


def _problem(response: Response) -> dict[str, Any] | None:
    try:
        parsed = _parsed(response)
    except Misconfigured:
        return None
    ours = isinstance(parsed, dict) and "detail" in parsed and isinstance(parsed.get("code"), str)
    return parsed if ours else None


def _explained(problem: dict[str, Any], response: Response) -> Explained:
    errors, index = problem.get("errors"), problem.get("index")
    kind = Refused if response.status in _OF_THE_EVENT else Misconfigured
    return kind(
        str(problem["detail"]),
        status=response.status,
        code=problem["code"],
        field=_text(problem.get("field")),
        fix=_text(problem.get("fix")),
        index=index if isinstance(index, int) else None,
        errors=[one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else (),
    )


def _without_reason(response: Response) -> Misconfigured:
    status = response.status
    if 300 <= status < 400:
        to = response.headers.get("location", "elsewhere")
        detail, fix = f"the address leads to {to}", "use that as the url, if you trust it"
        return Misconfigured(detail, status=status, code="redirected", field="url", fix=fix)
    detail = f"the answer was {status}, and not a Meshline door's"
    fix = "look at the url, and at what is between here and the door"
    return Misconfigured(detail, status=status, code="not_a_door", field="url", fix=fix)


def _emitted(item: object, response: Response) -> Emitted:
    if isinstance(item, dict) and isinstance(item.get("id"), str):
        return Emitted(id=item["id"], duplicate=item.get("duplicate") is True)
    raise _stranger(response)


def _parsed(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        raise _stranger(response) from None


def _stranger(response: Response) -> Misconfigured:
    start = response.body[:80].decode(errors="replace")
    detail = f"what answered {response.status} is not a Meshline door: {start!r}"
    fix = "look at the url, and at what is between here and the door"
    status = response.status
    return Misconfigured(detail, status=status, code="not_a_door", field="url", fix=fix)


def _text(value: object) -> str | None:
    return None if value is None else str(value)
