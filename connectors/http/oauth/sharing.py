"""The tokens that all processes share: taken from their keeper, refreshed by one at a time.

A provider may end a login whose old refresh token comes again. So what a refresh brings is kept
before it is used, and a refresh that has begun is never cut short by the end of the call that
wanted it.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import TypeVar

from orchestrator.domain.delivery.tokens import (
    AccessToken,
    Lease,
    Login,
    Minted,
    TokenKeeper,
    TokensUnusable,
)
from orchestrator.domain.errors import NotReached, StoreUnavailable
from orchestrator.domain.text.masking import spellings

_PATIENCE_SECONDS = 8.0  # while another process refreshes
_LOOK_AGAIN_SECONDS = 0.1
_COVERED = 6  # secrets: those in use, and those that calls under way may still show

Found = TypeVar("Found")
Mint = Callable[[str | None], Awaitable[Minted]]  # with the newest refresh token


class SharedTokens:
    """What one connector in this process has of the tokens that all processes share."""

    def __init__(self, keeper: Callable[[], TokenKeeper] | None) -> None:
        self._open_keeper = keeper
        self._secrets: deque[str] = deque(maxlen=_COVERED)
        self._unkept: tuple[Lease, Minted] | None = None  # the keeper did not answer

    @property
    def masks(self) -> frozenset[str]:
        """What no error may show."""
        return frozenset().union(*map(spellings, self._secrets))

    async def current(self, login: Login, mint: Mint, *, refused: str) -> AccessToken:
        """The newest token, refreshed if need be. Raises ConnectorError."""
        import asyncio

        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                found = await _to_its_end(self._turn(login, mint, refused))
            except TokensUnusable as error:
                raise NotReached(f"token: {error}") from None
            except StoreUnavailable as error:
                raise NotReached(f"token: {error.reason}") from None
            if found is not None:
                return found
            if time.monotonic() > end:
                raise NotReached("token: another process is refreshing it")
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)

    async def _turn(self, login: Login, mint: Mint, refused: str) -> AccessToken | None:
        """One look, and a refresh where it is ours to make; None: look again soon."""
        import asyncio

        keeper = await asyncio.to_thread(self._keeper)
        if self._unkept is not None:
            await self._keep(keeper, *self._unkept)
        taken = await asyncio.to_thread(keeper.take, login, refused=refused)
        if not isinstance(taken, Lease):
            return taken
        if taken.refresh:
            self._secrets.append(taken.refresh)
        try:
            minted = await mint(taken.refresh)
        except BaseException:
            with suppress(StoreUnavailable):  # else it ends by itself
                await asyncio.to_thread(keeper.give_back, taken)
            raise
        self._secrets.extend((minted.access.text, minted.refresh))
        self._unkept = taken, minted
        return await self._keep(keeper, taken, minted)

    async def _keep(self, keeper: TokenKeeper, lease: Lease, minted: Minted) -> AccessToken | None:
        import asyncio

        kept = await asyncio.to_thread(keeper.keep, lease, minted)
        self._unkept = None
        return minted.access if kept else None

    def _keeper(self) -> TokenKeeper:
        if self._open_keeper is None:
            raise TokensUnusable("this process has no place to keep refresh tokens in")
        return self._open_keeper()


async def _to_its_end(work: Coroutine[object, object, Found]) -> Found:
    """The result of `work`, which goes on to its end also where who waits for it is cancelled."""
    import asyncio

    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # nobody is left to raise it to
        raise
