"""The door's answers as values; whatever else answers is not taken for it."""

from __future__ import annotations

import json
from typing import Any

from meshline.errors import Refused, Unreachable
from meshline.event import Emitted
from meshline.transport import Response


def as_emitted(response: Response) -> Emitted:
    """The one answer of a single trigger. Raises Unreachable where it is not a door's."""
    return _emitted(_parsed(response), response)


def as_emitted_many(response: Response, count: int) -> list[Emitted]:
    """The `count` answers of a batch, in order. Raises Unreachable where it is no such answer."""
    parsed = _parsed(response)
    items = parsed.get("events") if isinstance(parsed, dict) else None
    if not isinstance(items, list) or len(items) != count:
        raise _stranger(response)
    return [_emitted(item, response) for item in items]


def as_refusal(response: Response) -> Refused:
    """A problem document (RFC 9457) as an error; without one, what the status says."""
    try:
        problem = _parsed(response)
    except Unreachable:
        problem = None
    if not isinstance(problem, dict) or "detail" not in problem:
        return _without_problem(response)
    errors, index = problem.get("errors"), problem.get("index")
    return Refused(
        str(problem["detail"]),
        status=response.status,
        code=str(problem.get("code", "refused")),
        field=_text(problem.get("field")),
        fix=_text(problem.get("fix")),
        index=index if isinstance(index, int) else None,
        errors=[one for one in errors if isinstance(one, dict)] if isinstance(errors, list) else (),
    )


def _without_problem(response: Response) -> Refused:
    status = response.status
    if 300 <= status < 400:
        to = response.headers.get("location", "elsewhere")
        detail, fix = f"the address leads to {to}", "use that as the url, if you trust it"
        return Refused(detail, status=status, code="redirected", field="url", fix=fix)
    return Refused(f"the answer was {status}, without a reason", status=status)


def _emitted(item: object, response: Response) -> Emitted:
    if isinstance(item, dict) and isinstance(item.get("id"), str):
        return Emitted(id=item["id"], duplicate=item.get("duplicate") is True)
    raise _stranger(response)


def _parsed(response: Response) -> Any:
    try:
        return json.loads(response.body)
    except (ValueError, RecursionError):
        raise _stranger(response) from None


def _stranger(response: Response) -> Unreachable:
    start = response.body[:80].decode(errors="replace")
    return Unreachable(f"what answered {response.status} is not a Meshline door: {start!r}")


def _text(value: object) -> str | None:
    return None if value is None else str(value)
