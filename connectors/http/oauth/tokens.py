"""The token of one connector in one process: fetched when it is first needed, and fetched anew."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from connectors.http.oauth.login import OAuthLogin
from connectors.http.oauth.sharing import SharedTokens
from orchestrator.domain.delivery.tokens import AccessToken, TokenKeeper
from orchestrator.domain.text.masking import spellings

if TYPE_CHECKING:
    import asyncio

    from connectors.http.oauth.minting import Send


class Tokens:
    """The token of one connector in this process.

    A login with a refresh token belongs to all processes: its token is taken from the keeper.
    """

    def __init__(self, keeper: Callable[[], TokenKeeper] | None) -> None:
        self._shared = SharedTokens(keeper)
        self._masks: frozenset[str] = frozenset()
        self._token = self._last = self._refused = ""
        self._good_until = 0.0  # of `time.monotonic`
        self._login: OAuthLogin | None = None  # whose token it is
        self._lock: asyncio.Lock | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def masks(self) -> frozenset[str]:
        """What no error may show."""
        return self._masks | self._shared.masks

    async def current(self, login: OAuthLogin, send: Send, *, private_network: bool) -> str:
        """The token, fetched if need be, by one call at a time. Raises ConnectorError."""
        async with self._one_at_a_time():
            good = self._login == login and time.monotonic() < self._good_until
            if not self._token or not good:
                self._use(login, await self._fetched(login, send, private_network=private_network))
            return self._token

    def drop(self, token: str) -> None:
        """Forget a token that was refused, unless another has taken its place."""
        if self._token == token:
            self._token, self._refused = "", token

    def _one_at_a_time(self) -> asyncio.Lock:
        import asyncio  # whoever lists connectors calls none

        loop = asyncio.get_running_loop()
        if self._lock is None or self._loop is not loop:
            self._lock, self._loop = asyncio.Lock(), loop
        return self._lock

    async def _fetched(
        self, login: OAuthLogin, send: Send, *, private_network: bool
    ) -> AccessToken:
        from connectors.http.oauth.minting import mint

        ask = partial(mint, login, send, private_network=private_network)
        kept_as = login.kept_as
        if kept_as is None:
            return (await ask(None, self.masks | login.masks)).access
        return await self._shared.current(
            kept_as,
            lambda refresh: ask(refresh, self.masks | login.masks),
            refused=self._refused,
        )

    def _use(self, login: OAuthLogin, token: AccessToken) -> None:
        # A call with the last token may still be under way.
        self._masks = spellings(token.text) | spellings(self._last)
        self._login, self._token, self._last = login, token.text, token.text
        self._good_until = time.monotonic() + token.good_seconds
