"""The addresses of sources, which prove themselves by what they sign and not by a key."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from orchestrator.api.desk.events import ACCEPTED
from orchestrator.api.desk.routes import Route

_BODIES = {
    "application/json": {"schema": {"description": "what the vendor sends"}},
    "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
}
_OF_FORMS = {**_BODIES, "multipart/form-data": {"schema": {"type": "object"}}}
_REFUSALS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
_ANSWERS = {
    "description": "of a source that reads it; others get what they take",
    "anyOf": [
        ACCEPTED,
        {
            "type": "object",
            "required": ["events"],
            "properties": {"events": {"type": "array", "items": ACCEPTED}},
        },
    ],
}


def _sent(*, path: str, name: str, says: str, content: Mapping[str, object]) -> Route:
    """An address that takes what a source sends."""
    return Route(
        method="POST",
        path=path,
        name=name,
        act=None,
        says=says,
        answers=_ANSWERS,
        status=HTTPStatus.ACCEPTED,
        also=HTTPStatus.OK,
        content=content,
        may_be_empty=True,
        refusals=_REFUSALS,
    )


ROUTES = (
    _sent(
        path="/v1/hooks/{source}",
        name="send_hook",
        says="Take a signed request of a source; what is answered 2xx is stored.",
        content=_BODIES,
    ),
    _sent(
        path="/v1/hooks/{source}/{secret}",
        name="send_hook_with_secret",
        says="The same of a form, or of a source whose secret is in its address.",
        content=_OF_FORMS,
    ),
    Route(
        method="OPTIONS",
        path="/v1/hooks/{source}/{secret}",
        name="ask_hook",
        act=None,
        says="Whether a page may send a form, as browsers ask it.",
        answers=None,
        status=HTTPStatus.NO_CONTENT,
        refusals=(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
    ),
)
