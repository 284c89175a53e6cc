"""What goes in and what comes back."""

from __future__ import annotations

import os
from dataclasses import dataclass, field


def new_key() -> str:
    """A random idempotency key, in the form of a UUID of version 4."""
    drawn = bytearray(os.urandom(16))  # the module uuid costs more to load than all of this file
    drawn[6] = drawn[6] & 0x0F | 0x40
    drawn[8] = drawn[8] & 0x3F | 0x80
    text = drawn.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True)
class Event:
    """One trigger. It keeps its idempotency key, so that sending it again doubles nothing."""

    type: str
    data: object  # JSON: dict, list, str, int, float, bool or None
    client: str | None = None  # None: the one that the key is for
    idempotency_key: str = field(default_factory=new_key)
    ordering_key: str | None = None  # a spool keeps the order of those with the same one
    # The trace that it belongs to, as the W3C writes it, empty for none: the same event may be sent
    # in another.
    traceparent: str | None = field(default=None, compare=False)
    tracestate: str | None = field(default=None, compare=False)

    @classmethod
    def made(
        cls,
        type: str,  # noqa: A002 - the door's own word for it
        data: object,
        client: str | None,
        idempotency_key: str | None,
        ordering_key: str | None,
        traceparent: str | None,
        tracestate: str | None,
    ) -> Event:
        """The event of a call of `emit`, which gives None for what it was not given."""
        key = new_key() if idempotency_key is None else idempotency_key
        return cls(type, data, client, key, ordering_key, traceparent, tracestate)


@dataclass(frozen=True)
class Emitted:
    """What became of an event: Meshline committed it, or the spool here keeps it."""

    id: str  # empty while it is in the spool
    duplicate: bool  # it was there already, from an earlier attempt
    spooled: bool = False  # kept on this machine's disk, to be forwarded

    @property
    def accepted(self) -> bool:
        """Whether Meshline committed it."""
        return not self.spooled
