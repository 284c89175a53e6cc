"""Every refusal as one problem document (RFC 9457), and the one table of status codes."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

from orchestrator.domain.errors import Refused, StoreUnavailable
from orchestrator.operations.accept_triggers import RefusedAt

log = logging.getLogger(__name__)


class UnsupportedContent(Refused):
    """Raised when a body is of a type that the door does not read."""

    code = "unsupported_content"


class MethodNotAllowed(Refused):
    """Raised when an address is asked in a way that it does not answer."""

    code = "method_not_allowed"


class BodyTooSlow(Refused):
    """Raised when a body does not arrive within the time that it has."""

    code = "body_too_slow"


class DoorFull(Refused):
    """Raised when as much waits for a commit as the door holds."""

    code = "door_full"


class KeyBusy(Refused):
    """Raised when one key's bodies take the share of the door that a key has."""

    code = "key_busy"


STATUS = {
    "invalid_json": HTTPStatus.BAD_REQUEST,
    "key_refused": HTTPStatus.UNAUTHORIZED,
    "client_not_permitted": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "body_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "idempotency_conflict": HTTPStatus.CONFLICT,
    "payload_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_content": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "invalid_trigger": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_trigger": HTTPStatus.UNPROCESSABLE_ENTITY,
    "key_busy": HTTPStatus.TOO_MANY_REQUESTS,
    "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "store_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "door_full": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The status of each code. People script against both: a code never changes its status."""

_HEADERS: Mapping[str, Mapping[str, str]] = {
    "key_refused": {"www-authenticate": 'Bearer realm="meshline"'},
    "store_unavailable": {"retry-after": "2"},  # seconds
    "door_full": {"retry-after": "1"},
    "key_busy": {"retry-after": "1"},
}

_AGAIN = "send it again with the same idempotency key"


class Problem(Response):
    """A problem document. `code` is what metrics count it by."""

    media_type = "application/problem+json"

    def __init__(
        self, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        self.code = code
        status = STATUS[code]
        document = {
            "type": "about:blank",  # `code` tells one problem from another
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "code": code,
            **{name: value for name, value in more.items() if value is not None},
        }
        super().__init__(
            orjson.dumps(document), status, headers={**_HEADERS.get(code, {}), **(headers or {})}
        )


def problem_of(error: Exception) -> Problem:
    """The answer to an error. What was not foreseen is logged whole, and answered with an id."""
    if isinstance(error, RefusedAt):
        return _refusal(error.cause, index=error.index)
    if isinstance(error, Refused):
        return _refusal(error)
    if isinstance(error, StoreUnavailable):
        return Problem("store_unavailable", error.reason, fix=_AGAIN)
    if isinstance(error, HTTPException):
        return _of_the_router(error)
    incident = secrets.token_hex(6)
    log.error("incident %s", incident, exc_info=error)
    return Problem(
        "internal_error", f"the door failed; its log tells more under {incident}", fix=_AGAIN
    )


def _refusal(error: Refused, index: int | None = None) -> Problem:
    return Problem(error.code, error.detail, field=error.field, fix=error.fix, index=index)


def _of_the_router(error: HTTPException) -> Problem:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = (error.headers or {}).get("Allow", "")
        return Problem(
            "method_not_allowed",
            "this address does not take that method",
            headers=error.headers,
            fix=f"use {allowed}",
        )
    return Problem(
        "not_found",
        "there is nothing at this address",
        fix="use POST /v1/events, or GET /v1/events/{id}",
    )
