"""The seam between the SDK and the network, and its one real side: HTTP over kept connections."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import SplitResult, urlsplit

from meshline.connections import Idle, allow, read_answer
from meshline.errors import MeshlineError, Misconfigured, Unreachable
from meshline.proxies import Proxy, proxy_for

if TYPE_CHECKING:  # both are slow to load, and many who import this never send
    import http.client
    import ssl


@dataclass(frozen=True)
class Request:
    """One POST."""

    path: str  # below the producer's url
    headers: Mapping[str, str]
    body: bytes
    timeout: float  # seconds for the whole of it


@dataclass(frozen=True)
class Response:
    """What was answered, whatever it means."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Transport(Protocol):
    """Carries requests, and owns the time that passes between them."""

    def send(self, request: Request) -> Response:
        """One attempt. Raises Unreachable where no whole answer came, Misconfigured."""

    def now(self) -> float:
        """Seconds on a clock that never goes back."""

    def pause(self, seconds: float) -> None:
        """Wait before the next attempt."""

    def close(self) -> None:
        """Give connections back."""


class HttpTransport:
    """HTTP/1.1 with the standard library. Safe to share between threads and across a fork.

    https verifies the certificate. Redirects are not followed: they could carry the key elsewhere.
    `proxy` is the address of an HTTP proxy, "" for none; left out, the environment says.
    """

    def __init__(
        self, url: str, *, tls: ssl.SSLContext | None = None, proxy: str | None = None
    ) -> None:
        # Here, and not at the first request: a process that forks while one of its threads imports
        # leaves a child that waits for that import for ever.
        import http.client  # noqa: F401

        "door".encode("idna")  # looking an address up imports this codec
        parts = _checked(url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        self._tls = (tls or _default_tls()) if parts.scheme == "https" else None
        self._proxy = proxy_for(parts, proxy)
        self._idle = Idle()

    def send(self, request: Request) -> Response:
        """One attempt; a kept connection that the other side has closed is replaced silently."""
        import http.client

        end = time.monotonic() + request.timeout
        if kept := self._idle.take():
            try:
                return self._exchange(kept, request, end)
            except (ConnectionError, http.client.BadStatusLine):
                pass  # closed while it was idle; with the same idempotency key twice is once
            except (OSError, http.client.HTTPException) as error:
                raise self._failure(error) from error
        try:
            return self._exchange(self._connect(), request, end)
        except (OSError, http.client.HTTPException) as error:
            raise self._failure(error) from error

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
        import http.client

        proxy = self._proxy
        host, port = (proxy.host, proxy.port) if proxy else (self._host, self._port)
        if self._tls is None:
            return http.client.HTTPConnection(host, port)
        connection = http.client.HTTPSConnection(host, port, context=self._tls)
        if proxy:
            connection.set_tunnel(self._host, self._port or 443, dict(proxy.headers))
        return connection

    def _exchange(
        self, connection: http.client.HTTPConnection, request: Request, end: float
    ) -> Response:
        target, headers = self._prefix + request.path, dict(request.headers)
        if self._proxy and self._tls is None:
            target = f"http://{self._authority()}{target}"  # RFC 9112, section 3.2.2
            headers.update(self._proxy.headers)
        try:
            allow(connection, end)
            connection.request("POST", target, request.body, headers)
            allow(connection, end)
            with connection.getresponse() as answer:
                body = read_answer(answer, connection, end)
        except BaseException:
            connection.close()
            raise
        if answer.will_close:
            connection.close()
        else:
            self._idle.put(connection)
        found = {name.lower(): value for name, value in answer.getheaders()}
        return Response(status=answer.status, headers=found, body=body)

    def _authority(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"{host}:{self._port}" if self._port else host

    def _failure(self, error: Exception) -> MeshlineError:
        if verdict := getattr(error, "verify_message", ""):  # of a certificate, and of nothing else
            return _wrong_url(
                f"the certificate of {self._host} is not trusted ({verdict})",
                "renew it or correct the name, or give HttpTransport a context that knows its"
                " authority",
                code="certificate_refused",
            )
        if self._proxy and (refused := _TUNNEL.match(str(error))):
            return _of_the_proxy(self._proxy, refused[1], str(error))
        where = self._authority() + (f" by the proxy {self._proxy.host}" if self._proxy else "")
        return Unreachable(f"{where} did not answer: {str(error) or type(error).__name__}")


_TUNNEL = re.compile(r"Tunnel connection failed: ([34]\d\d)")
"""How http.client says that a proxy refused to connect."""


def _of_the_proxy(proxy: Proxy, status: str, said: str) -> Misconfigured:
    fix = "give the proxy's login in its address" if status == "407" else "ask who runs the proxy"
    detail = f"{proxy.host} does not lead to the door ({said})"
    return Misconfigured(detail, status=int(status), code="proxy_refused", field="proxy", fix=fix)


def _default_tls() -> ssl.SSLContext:
    import ssl

    return ssl.create_default_context()


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


def _wrong_url(detail: str, fix: str, *, code: str = "invalid_url") -> Misconfigured:
    return Misconfigured(detail, code=code, field="url", fix=fix)
