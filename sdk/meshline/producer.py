"""The producer: hands triggers to a Meshline door and comes back when they are committed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar, Union

from meshline.core import Core, Limits
from meshline.driving import drive
from meshline.encoding import Default
from meshline.errors import Misconfigured
from meshline.event import Emitted, Event
from meshline.observing import Observer
from meshline.tracing import Trace
from meshline.transport import HttpTransport, Transport

if TYPE_CHECKING:
    from meshline.keeping import Keeper
    from meshline.spool import Spool

Made = TypeVar("Made", bound="Producer")


class Producer:
    """Sends triggers to one door. Share it: it is safe between threads and across a fork.

    `key` is what `meshline keys create` printed; unset, it is MESHLINE_KEY. `timeout` is for one
    attempt and `deadline` for all attempts of one send, in seconds. `default` makes JSON of values
    that are not, as `meshline.plain` does; `observe` is called with each Observation.

    `trace` is called for each event, and answers its `traceparent` or the headers of a propagator;
    left out, it is the current span of OpenTelemetry, where the application has imported that.

    `spool` is a path on a local disk: what no door takes within `patience` seconds is kept there,
    and forwarded by a thread of this process, unless `forward` is false.
    """

    def __init__(  # noqa: PLR0913 - one per setting, and all but the first by name
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
        trace: Trace | None = None,
        spool: str | os.PathLike[str] | Spool | None = None,
        patience: float = 2.0,
        forward: bool = True,
        transport: Transport | None = None,
    ) -> None:
        self._url = url
        found = checked_key(key)
        self.transport = transport or HttpTransport(url, proxy=proxy)
        core = Core(
            key=found,
            limits=Limits(timeout=timeout, attempts=attempts, deadline=deadline),
            now=self.transport.now,
            default=default,
            observer=observe,
            trace=trace,
        )
        self.steps: Union[Core, Keeper] = core  # noqa: UP007 - read when this runs, by Python 3.9
        if spool is not None:
            limits = Limits(timeout=min(timeout, patience), attempts=attempts, deadline=patience)
            self.steps = _keeper(core, spool, self.transport, limits, forwards=forward)

    @classmethod
    def from_env(cls: type[Made], **options: Any) -> Made:
        """A producer as MESHLINE_URL, MESHLINE_KEY and MESHLINE_SPOOL say.

        `options` are the constructor's. Without MESHLINE_SPOOL there is no spool. Raises
        Misconfigured where one of the others is missing.
        """
        options.setdefault("spool", os.environ.get("MESHLINE_SPOOL") or None)
        return cls(url_of_environment(), **options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._url!r})"

    def __enter__(self: Made) -> Made:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give connections back. Events in the spool are kept there for the next producer."""
        self.steps.close()
        self.transport.close()

    def emit(
        self,
        type: str,  # noqa: A002 - the door's own word for it
        data: object,
        *,
        client: str | None = None,
        idempotency_key: str | None = None,
        ordering_key: str | None = None,
        traceparent: str | None = None,
        tracestate: str | None = None,
    ) -> Emitted:
        """Hand over one trigger; `data` is JSON. When this returns it is committed, or spooled.

        Events with one `ordering_key` leave the spool in their order; without one, those of one
        client and type. `traceparent` and `tracestate` say its trace, where the producer is not to
        find it. Raises Refused where it is wrong; without a spool Misconfigured and
        Unreachable where no door took it, with a spool SpoolFailed where it could not be kept:
        then repeat it with the error's idempotency key.
        """
        event = Event.made(
            type, data, client, idempotency_key, ordering_key, traceparent, tracestate
        )
        return drive(self.steps.emit(event), self.transport)

    def emit_many(self, events: Iterable[Event]) -> list[Emitted]:
        """Hand over many triggers, in batches; the answers are in their order.

        A batch is all or nothing. An error's `emitted` holds the answers of the batches before it;
        sending the same events again doubles nothing. A value that is not JSON is refused before
        any is sent. Raises as `emit` does.
        """
        return drive(self.steps.emit_many(events), self.transport)

    def flush(self, seconds: float = 5.0) -> int:
        """Forward what is in the spool, for as long as that; how many events still wait.

        Raises SpoolFailed.
        """
        return drive(self.steps.flush(seconds), self.transport)


def _keeper(
    core: Core,
    spool: str | os.PathLike[str] | Spool,
    transport: Transport,
    limits: Limits,
    *,
    forwards: bool,
) -> Keeper:
    from meshline.keeping import Keeper  # loads sqlite3, which most producers do without
    from meshline.spool import Spool

    kept = spool if isinstance(spool, Spool) else Spool(spool)
    return Keeper(core, kept, transport, limits=limits, forwards=forwards)


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
