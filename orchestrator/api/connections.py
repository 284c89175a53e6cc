"""Connections that may not stand around: uvicorn by itself waits for a request's head for ever."""

from __future__ import annotations

import asyncio

from starlette.responses import Response
from uvicorn.protocols.http.h11_impl import H11Protocol

from orchestrator.api.problems import Problem

HEAD_SECONDS = 15.0
MOST_CONNECTIONS = 4_000

_FULL = Problem("door_full", "too many connections are open", fix="send it again in a moment")
_FULL.headers["connection"] = "close"


class ImpatientProtocol(H11Protocol):
    """Closes a connection that began no request, or began one and does not finish its head.

    One connection more than `most` is told so and hung up on: each costs memory.
    """

    head_seconds = HEAD_SECONDS
    most = MOST_CONNECTIONS
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client is there."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(_whole(_FULL))
            transport.close()
            return
        self._lose_patience_later()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or of several."""
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]
            self._lose_patience_later()
        elif self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self._patience is not None:
            self._patience.cancel()
        super().connection_lost(exc)

    def _lose_patience_later(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(self.head_seconds, self.transport.close)


def _whole(response: Response) -> bytes:
    head = [f"HTTP/1.1 {response.status_code} Service Unavailable".encode()]
    head += [b": ".join(header) for header in response.raw_headers]
    return b"\r\n".join([*head, b"", bytes(response.body)])
