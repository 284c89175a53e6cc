"""Which events of a workflow a canary takes: by a hash, so that everybody finds the same."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache

import orjson

from orchestrator.domain.changes.rollout import WHOLE

_SPACE = 2**64


@dataclass(frozen=True, kw_only=True, slots=True)
class Canary:
    """The candidate beside a live version, as the live version's row names it."""

    version: int  # the id of the candidate's row
    change: int  # the number of the change that it is of
    share: int  # of all events, in ten-thousandths; 0: it takes no new ones

    def text(self) -> str:
        """As the row keeps it."""
        return orjson.dumps([self.version, self.change, self.share]).decode()

    def takes(self, key: str) -> bool:
        """Whether the candidate decides about an event, by its line or else by its id.

        Who is in a share is in each larger share of the same change, and events with the same
        ordering key are on the same side.
        """
        digest = hashlib.sha256(f"{self.change} {key}".encode()).digest()
        return int.from_bytes(digest[:8]) * WHOLE < self.share * _SPACE


@lru_cache(maxsize=256)
def canary_from(text: str) -> Canary:
    """What `Canary.text` wrote."""
    version, change, share = orjson.loads(text)
    return Canary(version=version, change=change, share=share)
