"""What browsers need of a form: that another page may send it, and where to go afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from urllib.parse import urlencode, urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from orchestrator.api.headers.preferences import prefers_html
from orchestrator.api.problems import Problem
from orchestrator.domain.sources.source import Source

_REMEMBERED = "600"  # seconds that a browser remembers the answer to a preflight
_SHOWN = "RateLimit, RateLimit-Policy, Retry-After"

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
<p role="alert">{said}</p>
<p>{advice}</p>
</main>
</body>
</html>
"""
_TITLE = "Your form was not sent"
_OF_PAGE = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_BACK = "Go back in your browser: what you wrote is usually still there."
_LATER = f"{_BACK} Then wait {{seconds}} s, and send it again."
_OWNER = "Tell those whose page this is: the form has to be changed there."
_SAID = {
    "form_refused": ("This page may not send this form.", _OWNER),
    "invalid_json": ("The form could not be read.", _OWNER),
    "invalid_encoding": ("The form could not be read.", _OWNER),
    "unsupported_content": ("The form could not be read.", _OWNER),
    "payload_too_large": ("The form is too long.", f"{_BACK} Then write less, and send it again."),
    "body_too_slow": ("The form took too long to arrive.", f"{_BACK} Then send it again."),
    "rate_limited": ("More forms came than are taken at once.", _LATER),
    "key_busy": ("More forms came than are taken at once.", _LATER),
}
_ANY = ("The form could not be kept. The fault is ours.", _LATER)  # store, door, an error of ours
_SOON = "60"  # seconds
_OF_A_FIELD = "invalid_trigger"
_KEPT = ("retry-after", "ratelimit", "ratelimit-policy")


def cross_origin_headers(source: Source, request: Request) -> Mapping[str, str]:
    """The headers by which a browser lets the page read the answer; none for other pages."""
    form, origin = source.rules.form, request.headers.get("origin", "")
    if form is None or origin.lower() not in form.origins:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-expose-headers": _SHOWN,
        "vary": "Origin, Accept",
    }


def answer_preflight(source: Source, request: Request) -> Response:
    """The answer to a browser that asks before it sends."""
    headers = dict(cross_origin_headers(source, request))
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
    if not prefers_html(request.headers.get("accept", "")):
        return None
    return Response(status_code=303, headers={"location": form.redirect})


def refused_form(source: Source, request: Request, problem: Problem) -> Response:
    """What a browser that shows pages gets of a refused form; of all else, the problem."""
    form = source.rules.form
    if form is None or not prefers_html(request.headers.get("accept", "")):
        return problem
    if form.on_error is not None:
        return Response(status_code=303, headers={"location": _told_at(form.on_error, problem)})
    kept = {name: problem.headers[name] for name in _KEPT if name in problem.headers}
    return HTMLResponse(_page_of(problem), problem.status_code, headers={**kept, **_OF_PAGE})


def _told_at(page: str, problem: Problem) -> str:
    """The address of a page, with what was refused in its query."""
    told = {"error": problem.code}
    if (field := _field_of(problem)) is not None:
        told["field"] = field
    if "retry-after" in problem.headers:  # of a redirect it would delay the redirect
        told["seconds"] = problem.headers["retry-after"]
    parts = urlsplit(page)
    query = "&".join(filter(None, (parts.query, urlencode(told))))
    return parts._replace(query=query).geturl()


def _field_of(problem: Problem) -> str | None:
    """The field of the form that is wrong; other places of a request mean nothing to people."""
    field = problem.document.get("field")
    return field if isinstance(field, str) and problem.code == _OF_A_FIELD else None


def _page_of(problem: Problem) -> str:
    if (field := _field_of(problem)) is not None:
        detail = escape(str(problem.document["detail"]))
        said = f"The field <strong>{escape(field)}</strong>: {detail}."
        advice = f"{_BACK} Then {escape(str(problem.document.get('fix', 'mend it')))}."
    else:
        said, advice = _SAID.get(problem.code, _ANY)
        advice = advice.format(seconds=problem.headers.get("retry-after", _SOON))
    return _PAGE.format(title=_TITLE, said=said, advice=advice)
