"""What sending is, without doing any of it: steps that a driver carries out.

A step is a request to send, a pause to make, or work that may block. `Producer` makes them one
after the other, `AsyncProducer` in threads and on the event loop. Only this decides what is next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, Union

from meshline.answers import as_emitted, as_emitted_many, as_failure
from meshline.encoding import Default, encode
from meshline.errors import Explained, MeshlineError, Misconfigured, Refused, Unreachable
from meshline.event import Emitted, Event
from meshline.observing import Observation, Observer, observe
from meshline.patience import backoff, jitter
from meshline.tracing import Trace, trace_of
from meshline.transport import Request, Response
from meshline.version import __version__

SINGLE = "application/json"
BATCH = "application/vnd.meshline.batch+json"

_PATH = "/v1/events"
_MOST_EVENTS = 500  # in one batch
_MOST_BYTES = 4 * 1024 * 1024

_log = logging.getLogger("meshline")

T = TypeVar("T")


@dataclass(frozen=True)
class Pause:
    """Wait before the next step."""

    seconds: float


@dataclass(frozen=True)
class Work:
    """Call this, where blocking does no harm; its answer or its error is the step's."""

    call: Callable[[], Any]


Step = Union[Request, Pause, Work]
Steps = Generator[Step, Any, T]


@dataclass(frozen=True)
class Limits:
    """How long a send is tried."""

    timeout: float  # seconds of one attempt
    attempts: int
    deadline: float  # seconds of all attempts, pauses included


class Core:
    """Sends triggers to one door, in steps."""

    def __init__(
        self,
        *,
        key: str,
        limits: Limits,
        now: Callable[[], float],
        default: Default | None = None,
        observer: Observer | None = None,
        trace: Trace | None = None,
    ) -> None:
        self._authorization = f"Bearer {key}"
        self._limits = limits
        self._now = now
        self._default = default
        self._observer = observer
        self._trace = trace
        self.spool_header: str | None = None  # what waits here, for the door to know

    def close(self) -> None:
        """Nothing is kept."""

    def emit(self, event: Event) -> Steps[Emitted]:
        """Hand over one event. Raises Refused, Misconfigured, Unreachable."""
        return (yield from self.hand_over(event, self.encode(event), self._limits))

    def emit_many(self, events: Iterable[Event]) -> Steps[list[Emitted]]:
        """Hand over many events, in batches; every one is encoded before any is sent."""
        whole = list(events)
        bodies = self.encode_all(whole)
        emitted: list[Emitted] = []
        for count in batch_sizes(bodies):
            here = slice(len(emitted), len(emitted) + count)
            try:
                emitted += yield from self.hand_over_batch(whole[here], bodies[here], self._limits)
            except MeshlineError as error:
                raise after(emitted, error, whole) from error.__cause__
        return emitted

    def flush(self, seconds: float) -> Steps[int]:  # noqa: ARG002 - as with a spool
        """How many events wait: none."""
        yield from ()
        return 0

    def hand_over(self, event: Event, body: bytes, limits: Limits) -> Steps[Emitted]:
        """Hand over one event that is encoded."""
        began = self._now()
        try:
            emitted = as_emitted((yield from self.send(SINGLE, body, limits, event)))
        except MeshlineError as error:
            error.idempotency_key = event.idempotency_key
            self.tell(_word_for(error), [event], began, error)
            raise
        self.tell("accepted", [event], began)
        return emitted

    def hand_over_batch(
        self, events: Sequence[Event], bodies: Sequence[bytes], limits: Limits
    ) -> Steps[list[Emitted]]:
        """Hand over what fits into one request; an error's index is a place in `events`."""
        if not events:
            return []
        began = self._now()
        try:
            answer = yield from self.send(BATCH, joined(bodies), limits, events[0])
            emitted = as_emitted_many(answer, len(events))
        except MeshlineError as error:
            self.tell(_word_for(error), events, began, error)
            raise
        self.tell("accepted", events, began)
        return emitted

    def encode(self, event: Event) -> bytes:
        """The event as the door reads it. Raises Refused."""
        try:
            return encode(event, self._default, trace_of(event, self._trace))
        except Refused as error:
            self.tell("refused", [event], self._now(), error)
            raise

    def encode_all(self, events: Sequence[Event]) -> list[bytes]:
        """The events as the door reads them. Raises Refused, which names the one that is wrong."""
        bodies: list[bytes] = []
        for event in events:
            try:
                bodies.append(self.encode(event))
            except Refused as error:
                raise error.at(len(bodies)) from None
        return bodies

    def send(
        self, content_type: str, body: bytes, limits: Limits, event: Event | None = None
    ) -> Steps[Response]:
        """Send until the door has taken it or refuses it, or the limits are reached."""
        began = self._now()
        end = began + limits.deadline
        for attempt in range(1, max(1, limits.attempts) + 1):
            try:
                return (yield from self._attempt(content_type, body, limits, end - self._now()))
            except Unreachable as error:
                failure = error
            wait = max(backoff(attempt, jitter()), failure.retry_after)
            if attempt >= limits.attempts or self._now() + wait >= end:
                break
            _log.info("attempt %d failed, the next in %.1f s: %s", attempt, wait, failure)
            self.tell("retried", [event] if event else [], began, failure, attempt=attempt)
            yield Pause(wait)
        raise Unreachable(
            f"gave up after {attempt} attempts: {failure}", retry_after=failure.retry_after
        ) from failure

    def _attempt(
        self, content_type: str, body: bytes, limits: Limits, left: float
    ) -> Steps[Response]:
        headers = {
            "Authorization": self._authorization,
            "Content-Type": content_type,
            "Accept": "application/json, application/problem+json",
            "User-Agent": f"meshline-python/{__version__}",
        }
        if self.spool_header is not None:
            headers["Meshline-Spool"] = self.spool_header
        timeout = max(0.001, min(limits.timeout, left))
        response: Response = yield Request(_PATH, headers, body, timeout)
        if 200 <= response.status < 300:
            return response
        failure = as_failure(response)
        raise failure from failure.__cause__

    def tell(
        self,
        what: str,
        events: Sequence[Event],
        began: float,
        error: BaseException | None = None,
        *,
        attempt: int = 0,
    ) -> None:
        """Let the observer know."""
        observe(
            self._observer,
            Observation(
                what=what,
                events=len(events),
                type=events[0].type if events else None,
                seconds=self._now() - began,
                attempt=attempt,
                error=error,
            ),
        )


def joined(bodies: Sequence[bytes]) -> bytes:
    """The body of a batch."""
    return b"[" + b",".join(bodies) + b"]"


def batch_sizes(bodies: Sequence[bytes]) -> Iterator[int]:
    """How many go together, batch for batch: as many as one request carries."""
    count = size = 0
    for body in bodies:
        if count and (count == _MOST_EVENTS or size + len(body) > _MOST_BYTES):
            yield count
            count = size = 0
        count += 1
        size += len(body) + 1
    if count:
        yield count


def _word_for(error: MeshlineError) -> str:
    if isinstance(error, Refused):
        return "refused"
    return "misconfigured" if isinstance(error, Misconfigured) else "unreachable"


def after(emitted: list[Emitted], error: MeshlineError, events: Sequence[Event]) -> MeshlineError:
    """The error of a batch, as one of all the events that were to be sent."""
    if isinstance(error, Explained) and error.index is not None:
        error = error.at(len(emitted) + error.index)
        if error.index is not None and error.index < len(events):
            error.idempotency_key = events[error.index].idempotency_key
    error.emitted = tuple(emitted)
    return error
