"""The one HTTP client of this process: one request out, one bounded answer back.

It is the only file that knows aiohttp, and is imported by the first call.
"""

from __future__ import annotations

import asyncio
import os

import aiohttp
from yarl import URL

from connectors.http.exchange import Answer, NoAnswer, NotSent, Request
from connectors.http.networks import REFUSED, REFUSED_ALWAYS, public_socket, reachable_socket

# Node, uvicorn and Apache hang up after 5 s. A worker's loop stands still between two groups and
# does not see that, so a connection that has been idle for longer is not trusted with a request.
_KEEP_IDLE_SECONDS = 4.0


class HttpClient:
    """Two aiohttp sessions for all HTTP connectors, opened in the loop that sends first.

    One reaches public addresses only; the other is for definitions with `private_network: true`.
    """

    def __init__(self) -> None:
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, request: Request) -> Answer:
        """Send one request. Raises NotSent and NoAnswer; its caller bounds the time."""
        try:
            async with self._open(private_network=request.private_network).request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=request.connect_seconds),
            ) as response:
                body = await _bounded(response, request.max_answer_bytes)
                return Answer(status=response.status, headers=response.headers, body=body)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        ) as error:
            raise NotSent(_cause(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(_cause(error)) from None

    async def close(self) -> None:
        """Close every connection; a later request opens anew."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _open(self, *, private_network: bool) -> aiohttp.ClientSession:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._sessions = loop, {}
        session = self._sessions.get(private_network)
        if session is None:
            session = self._sessions[private_network] = _session(private_network=private_network)
        return session


def _session(*, private_network: bool) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=_KEEP_IDLE_SECONDS,
            socket_factory=reachable_socket if private_network else public_socket,
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        # An answer is bounded by its bytes, so none may unfold into more.
        auto_decompress=False,
        headers={"Accept-Encoding": "identity", "User-Agent": "meshline"},
    )


async def _bounded(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """The body within its bound; of an error's body the beginning is enough."""
    chunks, size = [], 0
    while chunk := await response.content.readany():
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            response.close()
            if response.ok:
                raise NoAnswer(f"answered with more than {limit} bytes")
            break
    return b"".join(chunks)[:limit]


def _cause(error: BaseException) -> str:
    """What went wrong, without the address: an address may hold a secret."""
    if isinstance(error, aiohttp.ClientConnectorError):
        for refused in (REFUSED, REFUSED_ALWAYS):
            if refused in str(error.os_error):
                return refused  # of several addresses the errors come as one text
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "the host name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return "the server's certificate cannot be verified"
    if isinstance(error, aiohttp.ClientSSLError):
        return "no TLS connection came about"
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "connecting took too long"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server hung up"
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number and number > 0 else type(error).__name__
