"""Sending with a spool behind it: what no door takes in time is kept, and goes out in order."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from meshline.answers import as_emitted_many
from meshline.core import BATCH, Core, Limits, Pause, Steps, Work, after, batch_sizes, joined
from meshline.driving import drive
from meshline.errors import MeshlineError, Misconfigured, SpoolFull, Unreachable
from meshline.event import Emitted, Event
from meshline.patience import backoff, jitter
from meshline.spool.forwarder import Forwarder, pause_after
from meshline.spool.queue import Addition, Spool, SpooledEvent
from meshline.transport import Transport

_FORWARDING = Limits(timeout=10.0, attempts=1, deadline=10.0)
_KEPT = (Unreachable, Misconfigured)
"""What an event survives: neither is its fault."""

_LONGEST_REST = 2.0  # seconds
_LOOK_SECONDS = 0.2  # until a flush looks again whether another process forwarded
_FRESH_SECONDS = 1.0  # how old the number may be that tells the door what waits


def line_of(event: Event) -> str:
    """Within which order is kept: that of its ordering key, else that of its client and type.

    >>> line_of(Event("lead.created", {}, client="acme"))
    'acme type lead.created'
    """
    if event.ordering_key is not None:
        return f"{event.client or ''} key {event.ordering_key}"
    return f"{event.client or ''} type {event.type}"


class Keeper:
    """Sends by a core, and keeps in a spool what the door does not take."""

    def __init__(
        self, core: Core, spool: Spool, transport: Transport, *, limits: Limits, forwards: bool
    ) -> None:
        self._core = core
        self._spool = spool
        self._now = transport.now
        self._limits = limits
        self._forwards = forwards
        self._failures = 0
        self._rests_until = 0.0  # no door is asked before, for the last one did not answer
        self._read_at = -_FRESH_SECONDS

        def send(rows: Sequence[SpooledEvent]) -> object:
            # What was tried in vain counts as waiting: else the door never hears that it is old.
            self._read_state(sending=sum(row.error is None for row in rows))
            body = joined([row.body for row in rows])
            answer = drive(core.send(BATCH, body, _FORWARDING), transport)
            taken = as_emitted_many(answer, len(rows))
            self._ask_again()  # no news to the forwarder, which waits as long as the door asks
            return taken

        self._forwarder = Forwarder(spool, send, self._tell, self._now)
        if forwards and spool.state().waiting:  # of an earlier process
            self._forwarder.run()

    def close(self) -> None:
        """Stop forwarding, and give the file back."""
        self._forwarder.close(_FORWARDING.timeout)
        self._spool.close()

    def emit(self, event: Event) -> Steps[Emitted]:
        """Hand over one event, or keep it. Raises Refused, SpoolFailed."""
        body, line = self._core.encode(event), line_of(event)
        try:
            waits = yield Work(lambda: self._waits_in([line]))
            failure: MeshlineError | None = None
            if not waits and self._asks():
                try:
                    emitted = yield from self._core.hand_over(event, body, self._limits)
                except _KEPT as error:
                    failure = error
                    self._rest()
                else:
                    self._door_is_back()
                    return emitted
            yield from self._keep([event], [body], failure)
        except MeshlineError as error:
            error.idempotency_key = event.idempotency_key
            raise
        return _SPOOLED

    def emit_many(self, events: Iterable[Event]) -> Steps[list[Emitted]]:
        """Hand over many events, or keep them; the answers are in their order."""
        whole = list(events)
        bodies = self._core.encode_all(whole)
        emitted: list[Emitted] = []
        for count in batch_sizes(bodies):
            start = len(emitted)
            try:
                emitted += yield from self._batch(
                    whole[start : start + count], bodies[start : start + count]
                )
            except MeshlineError as error:
                raise after(emitted, error, whole) from error.__cause__
        return emitted

    def flush(self, seconds: float) -> Steps[int]:
        """Send what waits, for as long as that; how many events still wait."""
        end, failures = self._now() + seconds, 0
        while True:
            waiting: int = (yield Work(self._spool.state)).waiting
            if not waiting or self._now() >= end:
                return waiting
            done = yield Work(lambda: self._forwarder.forward(lambda: self._now() >= end))
            failures = 0 if done.sent or not done.failure else failures + 1
            if failures or not done.leased or not done.sent:
                wait = pause_after(failures, done.failure) if failures else _LOOK_SECONDS
                yield Pause(min(wait, max(0.001, end - self._now())))

    def _batch(self, events: Sequence[Event], bodies: Sequence[bytes]) -> Steps[list[Emitted]]:
        lines = [line_of(event) for event in events]
        waits = yield Work(lambda: self._waits_in(set(lines)))
        places = range(len(events))
        direct = [at for at in places if lines[at] not in waits] if self._asks() else []
        emitted = [_SPOOLED] * len(events)
        failure: MeshlineError | None = None
        try:
            answers = yield from self._core.hand_over_batch(
                [events[at] for at in direct], [bodies[at] for at in direct], self._limits
            )
        except _KEPT as error:
            failure, direct, answers = error, [], []
            self._rest()
        except MeshlineError as error:
            index = getattr(error, "index", None)
            raise (error if index is None else error.at(direct[index])) from error.__cause__  # type: ignore[attr-defined]
        if direct:
            self._door_is_back()
        for at, answer in zip(direct, answers):
            emitted[at] = answer
        kept = [at for at in places if emitted[at].spooled]
        if kept:
            yield from self._keep([events[at] for at in kept], [bodies[at] for at in kept], failure)
        return emitted

    def _keep(
        self, events: Sequence[Event], bodies: Sequence[bytes], failure: MeshlineError | None
    ) -> Steps[None]:
        additions = [
            Addition(line_of(event), event.client, event.type, event.idempotency_key, body)
            for event, body in zip(events, bodies)
        ]
        began = self._now()
        try:
            yield Work(lambda: self._spool.add(additions))
        except MeshlineError as error:
            what = "spool_full" if isinstance(error, SpoolFull) else "spool_failed"
            self._core.tell(what, events, began, error)
            raise error from (error.__cause__ or failure)
        self._core.tell("spooled", events, began, failure)
        if self._forwards:
            self._forwarder.wake()

    def _waits_in(self, lines: Collection[str]) -> set[str]:
        if self._forwards:
            self._forwarder.run()
        self._read_state()
        return self._spool.waits_in(lines)

    def _read_state(self, sending: int | None = None) -> None:
        """What the door hears of with the next request: how much waits, without what it carries."""
        now = self._now()
        if sending is None and now - self._read_at < _FRESH_SECONDS:
            return
        self._read_at = now
        state = self._spool.state()
        waiting = max(0, state.waiting - (sending or 0))
        oldest = state.oldest if waiting else 0.0
        self._core.spool_header = (
            f"waiting={waiting}, oldest={oldest:.0f}, refused={state.refused}, id={self._spool.id}"
        )

    def _asks(self) -> bool:
        return self._now() >= self._rests_until

    def _rest(self) -> None:
        """A web request after the other would wait for a door that is down."""
        self._failures += 1
        seconds = min(_LONGEST_REST, backoff(self._failures, jitter()))
        self._rests_until = self._now() + seconds

    def _door_is_back(self) -> None:
        self._forwarder.hurry()
        self._ask_again()

    def _ask_again(self) -> None:
        self._failures, self._rests_until = 0, 0.0

    def _tell(self, what: str, rows: Sequence[SpooledEvent], error: BaseException | None) -> None:
        events = [
            Event(row.type, None, client=row.client or None, idempotency_key=row.idempotency_key)
            for row in rows
        ]
        self._core.tell(what, events, self._now(), error)


_SPOOLED = Emitted(id="", duplicate=False, spooled=True)
