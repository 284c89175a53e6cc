"""One HTTP request and its answer, as values; nothing here sends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


class NotSent(Exception):
    """Raised when no connection came about: the request did not go out."""


class NoAnswer(Exception):
    """Raised when a request went out and its answer did not come, or not within its bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, every part already encoded."""

    purpose: str  # as errors call it: create, look-up, read, undo, token
    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    connect_seconds: float
    max_answer_bytes: int
    private_network: bool = False  # whether it may go to an address that is not public


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One HTTP answer, read in full."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the destination did what it was asked."""
        return 200 <= self.status < 300


class Client(Protocol):
    """What sends requests."""

    async def send(self, request: Request) -> Answer:
        """Send one request. Raises NotSent and NoAnswer; its caller bounds the time."""

    async def close(self) -> None:
        """Close every connection; a later request opens anew."""
