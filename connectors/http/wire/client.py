"""The one HTTP client of this process: one request out, one bounded answer back.

It is the only file that knows aiohttp, and is imported by the first call.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping

import aiohttp
from yarl import URL

from connectors.http.wire.exchange import Answer, NoAnswer, NotSent, Request
from connectors.http.wire.networks import (
    REFUSED,
    REFUSED_ALWAYS,
    public_socket,
    reachable_socket,
    refused_behind_proxy,
)
from connectors.http.wire.packing import Unpackable, unpacked
from connectors.http.wire.proxies import Proxies, Proxy, UnusableProxy, target_of

# Node, uvicorn and Apache hang up after 5 s. A worker's loop does not run between two groups and
# does not see that, so a connection that has been idle for longer is not trusted with a request.
_KEEP_IDLE_SECONDS = 4.0
_LOOK_SECONDS = 60.0  # how long it is believed where a name leads that a proxy will resolve
_LISTS = ("Link", "Content-Encoding")  # of the headers that are read here, those that are lists
_PROXY_LOGIN = 407
_WANTS_LOGIN = "the proxy wants another login"


class HttpClient:
    """Two aiohttp sessions for all HTTP connectors, opened in the loop that sends first.

    One reaches public addresses only; the other is for definitions with `private_network: true`.
    """

    def __init__(self) -> None:
        self._proxies = Proxies()
        self._sessions: dict[bool, aiohttp.ClientSession] = {}
        self._looks: dict[tuple[str, bool], tuple[float, asyncio.Future[str | None]]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def send(self, request: Request) -> Answer:
        """Send one request. Raises NotSent and NoAnswer; its caller bounds the time."""
        self._enter_loop()
        proxy = await self._proxy_of(request)
        # A proxy may be in our own network: what it connects to was looked at before.
        session = self._session_of(private_network=request.private_network or proxy is not None)
        login = {"Proxy-Authorization": proxy.login} if proxy and proxy.login else {}
        tunnel = request.url.startswith("https:")
        try:
            async with session.request(
                request.method,
                URL(request.url, encoded=True),
                data=request.body,
                headers=request.headers if tunnel else {**request.headers, **login},
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(sock_connect=request.connect_seconds),
                proxy=proxy.url if proxy else None,
                proxy_headers=login if proxy and tunnel else None,
            ) as response:
                if proxy and response.status == _PROXY_LOGIN:
                    raise NotSent(_WANTS_LOGIN)
                body = await _bounded(response, request.max_answer_bytes)
                body = _plain(response, body, request.max_answer_bytes)
                return Answer(status=response.status, headers=_headers(response), body=body)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.ClientHttpProxyError,
            aiohttp.InvalidURL,
        ) as error:
            raise NotSent(_cause(error)) from None
        except (aiohttp.ClientError, OSError) as error:
            raise NoAnswer(_cause(error)) from None

    async def _proxy_of(self, request: Request) -> Proxy | None:
        """The proxy that a request goes out by. Raises NotSent where it may not go there."""
        scheme, host, port = target_of(request.url)
        try:
            proxy = self._proxies.of(scheme, host, port)
        except UnusableProxy as error:
            raise NotSent(str(error)) from None
        if proxy is None:
            return None
        if refused := await self._refused(host, private_network=request.private_network):
            raise NotSent(refused)
        return proxy

    async def _refused(self, host: str, *, private_network: bool) -> str | None:
        """Why a target may not be asked by a proxy; looked at once a minute, by one look."""
        place = (host, private_network)
        begun, look = self._looks.get(place, (-_LOOK_SECONDS, None))
        if look is None or time.monotonic() - begun >= _LOOK_SECONDS:
            looking = refused_behind_proxy(host, private_network=private_network)
            look = asyncio.ensure_future(looking)
            self._looks[place] = time.monotonic(), look
        return await asyncio.shield(look)  # one caller's end is not the others'

    async def close(self) -> None:
        """Close every connection; a later request opens anew."""
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            await session.close()

    def _enter_loop(self) -> None:
        """Forget what belongs to another loop."""
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop, self._sessions, self._looks = loop, {}, {}

    def _session_of(self, *, private_network: bool) -> aiohttp.ClientSession:
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
        # What comes packed all the same is unpacked here, within the bound of an answer.
        auto_decompress=False,
        headers={"Accept-Encoding": "identity", "User-Agent": "meshline"},
    )


def _headers(response: aiohttp.ClientResponse) -> Mapping[str, str]:
    """The headers; a list that comes on several lines is one list, as RFC 9110 (5.3) reads it."""
    found = response.headers
    lists = {name: found.getall(name, []) for name in _LISTS}
    if all(len(lines) < 2 for lines in lists.values()):
        return found
    joined = found.copy()
    joined.update({name: ", ".join(lines) for name, lines in lists.items() if lines})
    return joined


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


def _plain(response: aiohttp.ClientResponse, body: bytes, limit: int) -> bytes:
    """The body unpacked; of an error's body that cannot be, nothing."""
    try:
        return unpacked(body, _headers(response).get("Content-Encoding", ""), limit)
    except Unpackable as error:
        if response.ok:
            raise NoAnswer(str(error)) from None
        return b""


def _cause(error: BaseException) -> str:
    """What went wrong, without the address: an address may hold a secret."""
    if isinstance(error, aiohttp.ClientConnectorError):
        for refused in (REFUSED, REFUSED_ALWAYS):
            if refused in str(error.os_error):
                return refused  # of several addresses the errors come as one text
    if isinstance(error, aiohttp.ClientHttpProxyError):
        refused = f"the proxy answered {error.status}"
        return _WANTS_LOGIN if error.status == _PROXY_LOGIN else refused
    for kind, told in _CAUSES:
        if isinstance(error, kind):
            return told
    number = error.errno if isinstance(error, OSError) else None
    return os.strerror(number) if number and number > 0 else type(error).__name__


_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (aiohttp.ClientProxyConnectionError, "the proxy cannot be reached"),
    (aiohttp.ClientConnectorDNSError, "the host name cannot be resolved"),
    (aiohttp.ClientConnectorCertificateError, "the server's certificate cannot be verified"),
    (aiohttp.ClientSSLError, "no TLS connection came about"),
    (aiohttp.ConnectionTimeoutError, "connecting took too long"),
    (aiohttp.ServerDisconnectedError, "the server hung up"),
)
