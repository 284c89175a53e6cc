"""Connections may not idle: uvicorn by itself waits for a request's head for ever."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter
from contextlib import suppress
from typing import Any

import h11
from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from orchestrator.api.headers.framing import LARGEST_HEAD, StrictConnection, problem_with
from orchestrator.api.problems import Problem
from orchestrator.api.seldom import seldom
from orchestrator.starting import connections_that_fit
from orchestrator.telemetry import RequestRefused, emit

HEAD_SECONDS = 15.0
MOST_CONNECTIONS = 4_000
ACCEPTED_AT_ONCE = 32
"""Connections that are accepted before the event loop looks at anything else."""

_UNTAKEN_SECONDS = 30.0  # until an answer that the client does not take is given up
_CLOSING_SECONDS = 5.0  # until a connection that is closed over unsent bytes is cut

_FULL = Problem("door_full", "too many connections are open", fix="send it again in a moment")
_FULL.headers["connection"] = "close"
_NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

log = seldom(__name__)


def most_connections() -> int:
    """How many connections this door takes."""
    return connections_that_fit(MOST_CONNECTIONS, accepted_at_once=ACCEPTED_AT_ONCE)


class Crowd:
    """The connections of one door: at most `most`, and half of them from one address.

    Room for one more is made by closing the one that has waited longest without a whole request;
    so connections that only stay open keep nobody out.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.share = max(1, most // 2)
        self._from: dict[ImpatientProtocol, str] = {}
        self._count: Counter[str] = Counter()  # by address
        self._idle: dict[ImpatientProtocol, None] = {}  # who is longest idle comes first

    def enter(self, protocol: ImpatientProtocol, address: str) -> bool:
        """Let a connection in; False where there is no room."""
        if self._count[address] >= self.share:
            room = self._close_one(address)
        else:
            room = len(self._from) < self.most or self._close_one(None)
        if room:
            self._from[protocol] = address
            self._count[address] += 1
            self._idle[protocol] = None
        return room

    def is_busy(self, protocol: ImpatientProtocol) -> None:
        """A request of it is being answered."""
        self._idle.pop(protocol, None)

    def is_idle(self, protocol: ImpatientProtocol) -> None:
        """Its request is answered."""
        if protocol in self._from:
            self._idle[protocol] = None

    def leave(self, protocol: ImpatientProtocol) -> None:
        """It is gone."""
        self._idle.pop(protocol, None)
        address = self._from.pop(protocol, None)
        if address is not None:
            self._count[address] -= 1
            if not self._count[address]:
                del self._count[address]

    def _close_one(self, address: str | None) -> bool:
        for protocol in self._idle:
            if address is None or self._from[protocol] == address:
                self.leave(protocol)
                protocol.transport.abort()
                return True
        return False


class ImpatientProtocol(H11Protocol):
    """Closes a connection that began no request, or does not finish one's head, or takes no answer.

    One connection more than the crowd has room for gets an answer that says so, and is cut off.
    """

    crowd = Crowd(MOST_CONNECTIONS)
    head_seconds = HEAD_SECONDS
    _patience: asyncio.TimerHandle | None = None
    _untaken: asyncio.TimerHandle | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.conn: StrictConnection = StrictConnection(LARGEST_HEAD)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        if self.crowd.enter(self, self.client[0] if self.client else ""):
            self._lose_patience_later()
            return
        log.warning("connections were turned away: %d are open", self.crowd.most)
        transport.write(_whole(_FULL))
        self._hang_up()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or of several."""
        super().data_received(data)
        if self._is_idle():
            self._lose_patience_later()
        else:
            self.crowd.is_busy(self)
            _cancel(self._patience)
            self._patience = None

    def on_response_complete(self) -> None:
        """A request is answered; the next one may be there already."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._hang_up()
        elif self._is_idle():
            self.crowd.is_idle(self)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's signature
        """Answer what is not HTTP, where nothing was answered yet, and close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            problem = problem_with(self.conn.fault)
            emit(RequestRefused(code=problem.code))
            response = h11.Response(status_code=problem.status_code, headers=problem.raw_headers)
            # An answer to HEAD has no body, and h11 takes none.
            with suppress(h11.LocalProtocolError):
                for event in (response, h11.Data(data=bytes(problem.body)), h11.EndOfMessage()):
                    self.transport.write(self.conn.send(event) or b"")
        self._hang_up()

    def pause_writing(self) -> None:
        """The client takes less than it is sent."""
        super().pause_writing()
        self._untaken = self.loop.call_later(_UNTAKEN_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has taken it."""
        super().resume_writing()
        _cancel(self._untaken)

    def timeout_keep_alive_handler(self) -> None:
        """No other request has come."""
        super().timeout_keep_alive_handler()
        self._hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        _cancel(self._patience)
        _cancel(self._untaken)
        self.crowd.leave(self)
        super().connection_lost(exc)

    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr]

    def _lose_patience_later(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(self.head_seconds, self._hang_up)

    def _hang_up(self) -> None:
        self.transport.close()
        if self.transport.get_write_buffer_size():  # a client that reads nothing keeps it open
            self.loop.call_later(_CLOSING_SECONDS, self.transport.abort)


def without_traceback(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """The event loop's handler of errors: one line where files or memory are used up."""
    error = context.get("exception")
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        log.warning("no connection can be taken: %s; see `ulimit -n`", error.strerror)
    else:
        loop.default_exception_handler(context)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()


def _whole(response: Response) -> bytes:
    head = [f"HTTP/1.1 {response.status_code} Service Unavailable".encode()]
    head += [b": ".join(header) for header in response.raw_headers]
    return b"\r\n".join([*head, b"", bytes(response.body)])
