"""What a process remembers of spools, within bounds."""

from __future__ import annotations

from collections import OrderedDict
from typing import Generic, TypeVar

T = TypeVar("T")

FORGOTTEN_SECONDS = 3600.0  # a producer that is silent for so long says nothing of now
_MOST_SPOOLS = 1_000  # of all keys; beyond that the key with the most of them loses its oldest


class BySpool(Generic[T]):
    """What is known of spools, the longest silent first; one key's flood drives out no other's."""

    def __init__(self) -> None:
        self._by_key: dict[str, OrderedDict[str, T]] = {}
        self._size = 0

    def get(self, key: str, spool: str) -> T | None:
        """What is known of one spool of a key; None: nothing."""
        spools = self._by_key.get(key)
        return None if spools is None else spools.get(spool)

    def put(self, key: str, spool: str, known: T) -> None:
        """Keep it as the newest of its key."""
        spools = self._by_key.setdefault(key, OrderedDict())
        self._size += spool not in spools
        spools[spool] = known
        spools.move_to_end(spool)
        while self._size > _MOST_SPOOLS:
            max(self._by_key.values(), key=len).popitem(last=False)
            self._size -= 1

    def every(self) -> list[T]:
        """What is known of each spool, key by key."""
        return [one for spools in self._by_key.values() for one in spools.values()]
