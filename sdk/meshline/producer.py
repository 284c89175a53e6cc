"""The producer: hands triggers to a Meshline door and comes back when they are committed."""

from __future__ import annotations

import logging
import os
import random
from collections.abc import Iterable, Iterator
from typing import Self
from uuid import uuid4

from meshline.answers import as_emitted, as_emitted_many, as_refusal
from meshline.encoding import encode
from meshline.errors import MeshlineError, Refused, Unreachable
from meshline.event import Emitted, Event
from meshline.patience import PASSING, backoff, retry_after
from meshline.transport import HttpTransport, Request, Response, Transport

SINGLE = "application/json"
BATCH = "application/vnd.meshline.batch+json"

_PATH = "/v1/events"
_MOST_EVENTS = 500  # in one batch
_MOST_BYTES = 4 * 1024 * 1024

_log = logging.getLogger("meshline")


class Producer:
    """Sends triggers to one door. Share it: it is safe between threads and across a fork.

    `key` is what `meshline keys create` printed; unset, it is MESHLINE_KEY. `timeout` is for one
    attempt and `deadline` for all attempts of one send, in seconds.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout: float = 10.0,
        attempts: int = 5,
        deadline: float = 60.0,
        transport: Transport | None = None,
    ) -> None:
        self._url = url
        self._authorization = f"Bearer {_checked(key)}"
        self._timeout = timeout
        self._attempts = max(1, attempts)
        self._deadline = deadline
        self._transport = transport or HttpTransport(url)

    def __repr__(self) -> str:
        return f"Producer({self._url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back."""
        self._transport.close()

    def emit(
        self,
        type: str,  # noqa: A002 - the door's own word for it
        data: object,
        *,
        client: str | None = None,
        idempotency_key: str | None = None,
    ) -> Emitted:
        """Hand over one trigger; `data` is JSON. It is committed when this returns.

        Raises Refused where it is wrong, and Unreachable where nobody answered in time: then
        repeat it with the error's idempotency key.
        """
        key = str(uuid4()) if idempotency_key is None else idempotency_key
        event = Event(type, data, client=client, idempotency_key=key)
        try:
            return as_emitted(self._send(SINGLE, encode(event)))
        except Unreachable as error:
            error.idempotency_key = key
            raise

    def emit_many(self, events: Iterable[Event]) -> list[Emitted]:
        """Hand over many triggers, in batches; the answers are in their order.

        A batch is all or nothing. An error's `emitted` holds the answers of the batches before it;
        sending the same events again doubles nothing. A value that is not JSON is refused before
        any is sent. Raises as `emit` does.
        """
        bodies = [_encode_item(event, index) for index, event in enumerate(events)]
        emitted: list[Emitted] = []
        for batch in _batches(bodies):
            try:
                answer = self._send(BATCH, b"[" + b",".join(batch) + b"]")
                emitted += as_emitted_many(answer, len(batch))
            except MeshlineError as error:
                raise _after(emitted, error) from error.__cause__
        return emitted

    def _send(self, content_type: str, body: bytes) -> Response:
        """Send until the door has taken it, or refuses it, or the patience is at its end."""
        clock = self._transport
        end = clock.now() + self._deadline
        for attempt in range(1, self._attempts + 1):
            try:
                return self._attempt(content_type, body, end - clock.now())
            except Unreachable as error:
                failure = error
            wait = max(backoff(attempt, random.random()), failure.retry_after)
            if attempt == self._attempts or clock.now() + wait >= end:
                break
            _log.info("attempt %d failed, the next in %.1f s: %s", attempt, wait, failure)
            clock.pause(wait)
        raise Unreachable(
            f"gave up after {attempt} attempts: {failure}", retry_after=failure.retry_after
        ) from failure

    def _attempt(self, content_type: str, body: bytes, left: float) -> Response:
        headers = {
            "Authorization": self._authorization,
            "Content-Type": content_type,
            "Accept": "application/json, application/problem+json",
            "User-Agent": "meshline-python",
        }
        timeout = max(0.001, min(self._timeout, left))
        request = Request(path=_PATH, headers=headers, body=body, timeout=timeout)
        response = self._transport.send(request)
        if 200 <= response.status < 300:
            return response
        refusal = as_refusal(response)
        if response.status in PASSING:
            asked = retry_after(response.headers.get("retry-after"))
            raise Unreachable(str(refusal), retry_after=asked) from refusal
        raise refusal


def _checked(key: str | None) -> str:
    found = os.environ.get("MESHLINE_KEY", "") if key is None else key
    if not found:
        raise Refused(
            "is missing", code="key_refused", field="key", fix="give key=… or MESHLINE_KEY"
        )
    if not (found.isascii() and found.isprintable()) or " " in found:
        fix = "copy it whole, as `meshline keys create` printed it"
        raise Refused(
            "holds a space or a control character", code="key_refused", field="key", fix=fix
        )
    return found


def _encode_item(event: Event, index: int) -> bytes:
    try:
        return encode(event)
    except Refused as error:
        raise error.at(index) from None


def _after(emitted: list[Emitted], error: MeshlineError) -> MeshlineError:
    """The error of a batch, as one of all that were to be sent."""
    if isinstance(error, Refused) and error.index is not None:
        error = error.at(len(emitted) + error.index)
    error.emitted = tuple(emitted)
    return error


def _batches(bodies: list[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for body in bodies:
        if batch and (len(batch) == _MOST_EVENTS or size + len(body) > _MOST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += len(body) + 1
    if batch:
        yield batch
