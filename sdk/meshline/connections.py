"""Connections that wait for their next request, and reading an answer in bounded time."""

from __future__ import annotations

import os
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import http.client

_LARGEST_ANSWER = 4 * 1024 * 1024  # bytes
_IDLE_SECONDS = 4.0  # less than servers commonly keep a connection
_MOST_IDLE = 8


class Idle:
    """Connections that wait for their next request, the warmest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def take(self) -> http.client.HTTPConnection | None:
        """One that is young enough to be open still; None: there is none."""
        if self._process != os.getpid():
            self._lock = threading.Lock()  # another thread may have held it at the fork
            self._forget()
        with self._lock:
            while self._waiting:
                since, connection = self._waiting.pop()
                if time.monotonic() - since < _IDLE_SECONDS:
                    return connection
                connection.close()
        return None

    def put(self, connection: http.client.HTTPConnection) -> None:
        """Keep it for the next request."""
        with self._lock:
            if len(self._waiting) < _MOST_IDLE:
                self._waiting.append((time.monotonic(), connection))
                return
        connection.close()

    def close(self) -> None:
        """Close all of them."""
        with self._lock:
            while self._waiting:
                self._waiting.pop()[1].close()

    def _forget(self) -> None:
        # After a fork the connections are the parent's: a request on one would mix into its talk.
        self._process = os.getpid()
        self._waiting: list[tuple[float, http.client.HTTPConnection]] = []


def allow(connection: http.client.HTTPConnection, end: float) -> None:
    """Let the next step take what is left of the time. Raises TimeoutError where nothing is."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    connection.timeout = left
    if connection.sock is not None:
        connection.sock.settimeout(left)


def read_answer(
    answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, end: float
) -> bytes:
    """The whole body. Raises TimeoutError, and HTTPException for one too large or cut."""
    import http.client

    body = bytearray()
    while piece := answer.read1(65_536):
        body += piece
        if len(body) > _LARGEST_ANSWER:
            raise http.client.HTTPException("the answer is too large")
        allow(connection, end)
    if answer.length:
        raise http.client.IncompleteRead(bytes(body), answer.length)
    return bytes(body)
