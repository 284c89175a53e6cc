"""The gate before every page: a request waits until the store has said who sends it.

Tornado chooses a page before that, on its loop, where nobody may wait for a database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine


class Gate(HTTPMessageDelegate):
    """Keeps what arrives of a request, and hands it to the page that `admit` answers."""

    def __init__(self, admit: Callable[[], Awaitable[HTTPMessageDelegate]]) -> None:
        self._admit = admit
        self._chunks: list[bytes] = []
        self._is_gone = False
        self._passing: asyncio.Task[None] | None = None  # held, or it could be collected

    def headers_received(
        self, _line: RequestStartLine | ResponseStartLine, _headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """The request has them."""
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Keep it."""
        self._chunks.append(chunk)
        return None

    def finish(self) -> None:
        """The request is whole."""
        self._passing = asyncio.get_running_loop().create_task(self._pass())

    def on_connection_close(self) -> None:
        """Nobody waits for the answer any more."""
        self._is_gone = True
        self._chunks.clear()

    async def _pass(self) -> None:
        page = await self._admit()
        if self._is_gone:
            return
        for chunk in self._chunks:
            page.data_received(chunk)
        page.finish()
