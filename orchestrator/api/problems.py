"""Every refusal as one problem document (RFC 9457), and the one table of status codes."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from orchestrator.domain.errors import InvalidFile, Refused, StoreUnavailable
from orchestrator.operations.accept_triggers import RefusedAt

log = logging.getLogger(__name__)


class UnsupportedContent(Refused):
    """Raised when a body is of a type that the door does not read."""

    code = "unsupported_content"


class PackedWrong(Refused):
    """Raised when a body is not compressed as its header says."""

    code = "invalid_encoding"


class InvalidHttp(Refused):
    """Raised when a request is not HTTP, or its end could be read in two ways."""

    code = "invalid_http"


class ExpectationFailed(Refused):
    """Raised when a request expects more than `100-continue`."""

    code = "expectation_failed"


class HeadTooLarge(Refused):
    """Raised when the headers of a request, or a line of a chunked body, are too long."""

    code = "head_too_large"


class UnknownCoding(Refused):
    """Raised when a body comes in another transfer coding than `chunked`."""

    code = "unknown_coding"


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


class SourceClosed(Refused):
    """Raised when a source has no secret here: nothing could be proven, so it takes nothing."""

    code = "source_closed"


class Limited(Refused):
    """Raised when a key or a source has sent as much as its rate or its quota allows."""

    code = "rate_limited"

    def __init__(self, detail: str, *, fix: str, headers: Mapping[str, str], seconds: int) -> None:
        super().__init__(detail, fix=fix)
        self.headers = {**headers, "retry-after": str(max(1, seconds))}


class InvalidRequest(Refused):
    """Raised when a query or a body has a field that is unknown, missing or of the wrong kind."""

    code = "invalid_request"


class TookTooLong(Refused):
    """Raised when an act takes longer than a request may; it stops between two of its steps."""

    code = "took_too_long"


STATUS = {
    "invalid_json": HTTPStatus.BAD_REQUEST,
    "invalid_encoding": HTTPStatus.BAD_REQUEST,
    "invalid_http": HTTPStatus.BAD_REQUEST,
    "key_refused": HTTPStatus.UNAUTHORIZED,
    "login_refused": HTTPStatus.UNAUTHORIZED,
    "signature_refused": HTTPStatus.UNAUTHORIZED,
    "client_not_permitted": HTTPStatus.FORBIDDEN,
    "forbidden": HTTPStatus.FORBIDDEN,
    "form_refused": HTTPStatus.FORBIDDEN,
    "not_found": HTTPStatus.NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "body_too_slow": HTTPStatus.REQUEST_TIMEOUT,
    "idempotency_conflict": HTTPStatus.CONFLICT,
    "illegal_move": HTTPStatus.CONFLICT,
    "workflow_conflict": HTTPStatus.CONFLICT,
    "changed_since_seen": HTTPStatus.PRECONDITION_FAILED,
    "payload_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "unsupported_content": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    "expectation_failed": HTTPStatus.EXPECTATION_FAILED,
    "head_too_large": HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    "unknown_coding": HTTPStatus.NOT_IMPLEMENTED,
    "invalid_trigger": HTTPStatus.UNPROCESSABLE_ENTITY,
    "unknown_trigger": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_request": HTTPStatus.UNPROCESSABLE_ENTITY,
    "invalid_file": HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing_to_change": HTTPStatus.UNPROCESSABLE_ENTITY,
    "nothing_selected": HTTPStatus.UNPROCESSABLE_ENTITY,
    "refused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "key_busy": HTTPStatus.TOO_MANY_REQUESTS,
    "rate_limited": HTTPStatus.TOO_MANY_REQUESTS,
    "internal_error": HTTPStatus.INTERNAL_SERVER_ERROR,
    "store_unavailable": HTTPStatus.SERVICE_UNAVAILABLE,
    "took_too_long": HTTPStatus.SERVICE_UNAVAILABLE,
    "door_full": HTTPStatus.SERVICE_UNAVAILABLE,
    "source_closed": HTTPStatus.SERVICE_UNAVAILABLE,
}
"""The status of each code. People script against both: a code never changes its status."""

_HEADERS: Mapping[str, Mapping[str, str]] = {
    "key_refused": {"www-authenticate": 'Bearer realm="meshline"'},
    "unsupported_content": {"accept-encoding": "gzip"},
    "signature_refused": {"www-authenticate": 'Signature realm="meshline"'},
    "store_unavailable": {"retry-after": "2"},  # seconds
    "door_full": {"retry-after": "1"},
    "key_busy": {"retry-after": "1"},
    "source_closed": {"retry-after": "60"},
}

_MOST_FAULTS = 100

_AGAIN = "send it again with the same idempotency key"


class Problem(Response):
    """A problem document. `code` is what metrics count it by."""

    media_type = "application/problem+json"

    def __init__(
        self, code: str, detail: str, headers: Mapping[str, str] | None = None, **more: object
    ) -> None:
        self.code = code
        status = STATUS[code]
        self.document = {
            "type": "about:blank",  # `code` tells one problem from another
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "code": code,
            **{name: value for name, value in more.items() if value is not None},
        }
        super().__init__(
            orjson.dumps(self.document),
            status,
            headers={**_HEADERS.get(code, {}), **(headers or {})},
        )


def problem_of(error: Exception) -> Problem:
    """The answer to an error. An unforeseen error is logged whole, and answered with an id."""
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
    faults = error.faults[:_MOST_FAULTS] if isinstance(error, InvalidFile) else None
    return Problem(
        error.code,
        error.detail,
        headers=error.headers if isinstance(error, Limited) else None,
        field=error.field,
        fix=error.fix,
        index=index,
        faults=faults,
    )


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
        fix="GET /openapi.json has every address",
    )


_LINGER_SECONDS = 2.0
_LINGER_BYTES = 64 * 1024 * 1024


class EarlyAnswer(Response):
    """A refusal that is answered before the body was read; the connection is closed after it.

    A connection that is closed over unread bytes is reset, and the answer may be lost with it. So
    the answer goes out first, and what still comes is taken and thrown away for a moment.
    """

    def __init__(self, refusal: Response) -> None:
        super().__init__(refusal.body, refusal.status_code, refusal.headers)
        self.headers["connection"] = "close"

    async def __call__(
        self,
        scope: Scope,  # noqa: ARG002 - Starlette's signature
        receive: Receive,
        send: Send,
    ) -> None:
        """Answer, linger, close."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        if self.status_code != HTTPStatus.REQUEST_TIMEOUT:  # nothing comes there
            await _swallow(receive)
        await send({"type": "http.response.body", "body": b""})


async def _swallow(receive: Receive) -> None:
    left = _LINGER_BYTES
    try:
        async with asyncio.timeout(_LINGER_SECONDS):
            while left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        pass
