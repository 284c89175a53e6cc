"""The producer: hands triggers to a Meshline door and comes back when they are committed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any, TypeVar

from meshline.core import Core, Limits, Pause, Steps, Work
from meshline.encoding import Default
from meshline.errors import MeshlineError, Misconfigured
from meshline.event import Emitted, Event, new_key
from meshline.observing import Observer
from meshline.transport import HttpTransport, Transport

T = TypeVar("T")
Made = TypeVar("Made", bound="Producer")


class Producer:
    """Sends triggers to one door. Share it: it is safe between threads and across a fork.

    `key` is what `meshline keys create` printed; unset, it is MESHLINE_KEY. `timeout` is for one
    attempt and `deadline` for all attempts of one send, in seconds. `default` makes JSON of values
    that are not, as `meshline.plain` does; `observe` is called with each Observation.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout: float = 5.0,
        attempts: int = 5,
        deadline: float = 5.0,
        proxy: str | None = None,
        default: Default | None = None,
        observe: Observer | None = None,
        transport: Transport | None = None,
    ) -> None:
        self._url = url
        found = checked_key(key)
        self._transport = transport or HttpTransport(url, proxy=proxy)
        self._core = Core(
            key=found,
            limits=Limits(timeout=timeout, attempts=attempts, deadline=deadline),
            now=self._transport.now,
            default=default,
            observer=observe,
        )

    @classmethod
    def from_env(cls: type[Made], **options: Any) -> Made:
        """A producer as MESHLINE_URL and MESHLINE_KEY say; `options` are the constructor's.

        Raises Misconfigured where one is missing.
        """
        return cls(url_of_environment(), **options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def __enter__(self: Made) -> Made:
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

        Raises Refused where it is wrong; Misconfigured and Unreachable where no door took it: then
        repeat it with the error's idempotency key.
        """
        key = new_key() if idempotency_key is None else idempotency_key
        event = Event(type, data, client=client, idempotency_key=key)
        return drive(self._core.emit(event), self._transport)

    def emit_many(self, events: Iterable[Event]) -> list[Emitted]:
        """Hand over many triggers, in batches; the answers are in their order.

        A batch is all or nothing. An error's `emitted` holds the answers of the batches before it;
        sending the same events again doubles nothing. A value that is not JSON is refused before
        any is sent. Raises as `emit` does.
        """
        return drive(self._core.emit_many(events), self._transport)

    def flush(self) -> int:
        """How many events wait here still: none, for `emit` returns when they are committed."""
        return 0


def drive(steps: Steps[T], transport: Transport) -> T:
    """Carry steps out, one after the other, in this thread."""
    try:
        step = next(steps)
        while True:
            try:
                answer: object = None
                if isinstance(step, Pause):
                    transport.pause(step.seconds)
                elif isinstance(step, Work):
                    answer = step.call()
                else:
                    answer = transport.send(step)
            except MeshlineError as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        done: T = end.value
        return done


def url_of_environment() -> str:
    """MESHLINE_URL. Raises Misconfigured where it is not set."""
    if url := os.environ.get("MESHLINE_URL"):
        return url
    raise Misconfigured("is missing", code="invalid_url", field="MESHLINE_URL", fix="set it")


def checked_key(key: str | None) -> str:
    """The key, or MESHLINE_KEY. Raises Misconfigured where it cannot be one."""
    found = os.environ.get("MESHLINE_KEY", "") if key is None else key
    if not found:
        raise _wrong_key("is missing", "give key=… or MESHLINE_KEY")
    if not (found.isascii() and found.isprintable()) or " " in found:
        fix = "copy it whole, as `meshline keys create` printed it"
        raise _wrong_key("holds a space or a control character", fix)
    return found


def _wrong_key(detail: str, fix: str) -> Misconfigured:
    return Misconfigured(detail, code="key_refused", field="key", fix=fix)
