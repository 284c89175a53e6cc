"""Who calls: keys are checked against the store, and remembered for a few seconds."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from time import monotonic

from orchestrator.domain.errors import KeyRefused
from orchestrator.operations.manage_keys import Caller

REMEMBERED_SECONDS = 5.0
"""A revoked key may still be taken for this long, by each door."""

_MOST_REMEMBERED = 1_000


class KeyRing:
    """Keys that were good a moment ago. Those that were refused are asked for every time."""

    def __init__(
        self, check: Callable[[str], Awaitable[Caller]], *, seconds: float = REMEMBERED_SECONDS
    ) -> None:
        self._check = check
        self._seconds = seconds
        self._known: OrderedDict[bytes, tuple[float, Caller]] = OrderedDict()

    async def caller(self, authorization: str | None) -> Caller:
        """Who holds the key of an `Authorization` header. Raises KeyRefused, StoreUnavailable."""
        scheme, _, key = (authorization or "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise KeyRefused(
                "the request has no key",
                field="Authorization",
                fix="send `Authorization: Bearer KEY` with a key from `meshline keys create`",
            )
        digest = hashlib.sha256(key.encode()).digest()  # the key itself is not kept
        known = self._known.get(digest)
        if known and monotonic() < known[0]:
            return known[1]
        self._known.pop(digest, None)
        caller = await self._check(key)
        self._known[digest] = (monotonic() + self._seconds, caller)
        while len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)
        return caller
