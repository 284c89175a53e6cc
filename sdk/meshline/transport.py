"""The seam between the SDK and the network, and its one real side: HTTP over kept connections."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

from meshline.errors import Refused, Unreachable

_LARGEST_ANSWER = 4 * 1024 * 1024  # bytes
_IDLE_SECONDS = 4.0  # less than servers commonly keep a connection
_MOST_IDLE = 8


@dataclass(frozen=True, kw_only=True)
class Request:
    """One POST."""

    path: str  # below the producer's url
    headers: Mapping[str, str]
    body: bytes
    timeout: float  # seconds for the whole of it


@dataclass(frozen=True, kw_only=True)
class Response:
    """What was answered, whatever it means."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Transport(Protocol):
    """Carries requests, and owns the time that passes between them."""

    def send(self, request: Request) -> Response:
        """One attempt. Raises Unreachable where no whole answer came."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def pause(self, seconds: float) -> None:
        """Wait before the next attempt."""

    def close(self) -> None:
        """Give connections back."""


class HttpTransport:
    """HTTP/1.1 with the standard library. Safe to share between threads and across a fork.

    https verifies the certificate. Redirects are not followed: they could carry the key elsewhere.
    """

    def __init__(self, url: str, *, tls: ssl.SSLContext | None = None) -> None:
        parts = _checked(url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        self._tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._idle = _Idle()

    def send(self, request: Request) -> Response:
        """One attempt; a kept connection that the other side has closed is replaced silently."""
        end = time.monotonic() + request.timeout
        if kept := self._idle.take():
            try:
                return self._exchange(kept, request, end)
            except (ConnectionError, http.client.BadStatusLine):
                pass  # closed while it was idle; with the same idempotency key twice is once
            except (OSError, http.client.HTTPException) as error:
                raise self._unreachable(error) from error
        try:
            return self._exchange(self._connect(), request, end)
        except ssl.SSLCertVerificationError as error:
            raise _wrong_url(
                f"the certificate of {self._host} is not trusted ({error.verify_message})",
                "correct the name, or give HttpTransport a context that knows its authority",
            ) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def now(self) -> float:
        """The system's monotonic clock."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)

    def close(self) -> None:
        """Close the kept connections."""
        self._idle.close()

    def _connect(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port)
        return http.client.HTTPSConnection(self._host, self._port, context=self._tls)

    def _exchange(
        self, connection: http.client.HTTPConnection, request: Request, end: float
    ) -> Response:
        try:
            _allow(connection, end)
            connection.request(
                "POST", self._prefix + request.path, request.body, dict(request.headers)
            )
            _allow(connection, end)
            with connection.getresponse() as answer:
                body = _read(answer, connection, end)
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.put(connection)
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Response(status=answer.status, headers=headers, body=body)

    def _unreachable(self, error: Exception) -> Unreachable:
        where = f"{self._host}:{self._port}" if self._port else self._host
        return Unreachable(f"{where} did not answer: {str(error) or type(error).__name__}")


class _Idle:
    """Connections that wait for their next request, the warmest first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forget()

    def take(self) -> http.client.HTTPConnection | None:
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
        with self._lock:
            if len(self._waiting) < _MOST_IDLE:
                self._waiting.append((time.monotonic(), connection))
                return
        connection.close()

    def close(self) -> None:
        with self._lock:
            while self._waiting:
                self._waiting.pop()[1].close()

    def _forget(self) -> None:
        # After a fork the connections are the parent's: a request on one would mix into its talk.
        self._process = os.getpid()
        self._waiting: list[tuple[float, http.client.HTTPConnection]] = []


def _allow(connection: http.client.HTTPConnection, end: float) -> None:
    """Let the next step take what is left of the time."""
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    connection.timeout = left
    if isinstance(connection.sock, socket.socket):
        connection.sock.settimeout(left)


def _read(
    answer: http.client.HTTPResponse, connection: http.client.HTTPConnection, end: float
) -> bytes:
    body = bytearray()
    while piece := answer.read1(65_536):
        body += piece
        if len(body) > _LARGEST_ANSWER:
            raise http.client.HTTPException("the answer is too large")
        _allow(connection, end)
    if answer.length:
        raise http.client.IncompleteRead(bytes(body), answer.length)
    return bytes(body)


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        usable = None
    if not usable:
        raise _wrong_url(
            f"{url!r} is not an address of a door", "write https://HOST or http://HOST:PORT"
        )
    if parts.username or parts.password:
        raise _wrong_url("holds a login", "give the key as key=… or MESHLINE_KEY")
    if parts.query or parts.fragment:
        raise _wrong_url("has a query or a fragment", "end it after the path")
    return parts


def _wrong_url(detail: str, fix: str) -> Refused:
    return Refused(detail, code="invalid_url", field="url", fix=fix)
