"""What browsers need of a form: leave to ask from another page, and where to go afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic

from starlette.requests import Request
from starlette.responses import Response

from orchestrator.api.problems import KeyBusy
from orchestrator.domain.sources.reading import FormRules
from orchestrator.domain.sources.source import Source

_REMEMBERED = "600"  # seconds that a browser keeps a leave


def leave(source: Source, request: Request) -> Mapping[str, str]:
    """The headers by which a browser lets the page read the answer; none for other pages."""
    form, origin = source.rules.form, request.headers.get("origin", "")
    if form is None or origin.lower() not in form.origins:
        return {}
    return {"access-control-allow-origin": origin, "vary": "Origin"}


def answer_preflight(source: Source, request: Request) -> Response:
    """The answer to a browser that asks before it sends."""
    headers = dict(leave(source, request))
    if headers:
        headers |= {
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "content-type",
            "access-control-max-age": _REMEMBERED,
        }
    return Response(status_code=204, headers=headers)


def redirect_of(source: Source, request: Request) -> Response | None:
    """Where a browser that shows pages goes afterwards; None for a script, which reads JSON."""
    form = source.rules.form
    if form is None or form.redirect is None:
        return None
    if "text/html" not in request.headers.get("accept", ""):
        return None
    return Response(status_code=303, headers={"location": form.redirect})


@dataclass
class _Bucket:
    left: float
    at: float


class FormRates:
    """How many requests each form may still send to this door."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}

    def take(self, name: str, form: FormRules) -> None:
        """Count one. Raises KeyBusy where there were too many."""
        now = monotonic()
        bucket = self._buckets.setdefault(name, _Bucket(form.calls, now))
        refill = (now - bucket.at) * form.calls / form.per_seconds
        bucket.left, bucket.at = min(form.calls, bucket.left + refill), now
        if bucket.left < 1:
            raise KeyBusy("this form sends too much", fix="send it again in a moment")
        bucket.left -= 1
