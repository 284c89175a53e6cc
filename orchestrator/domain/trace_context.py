"""Trace context as the W3C has it: who asked for an event, and what is done for it, in one trace.

An invalid header is passed over, as the standard says: it must not cost an event.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

PARENT, STATE = "traceparent", "tracestate"
"""The headers' names, which are those of CloudEvents' extension for distributed tracing too."""

_PARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NOBODY = "0"
_MEMBER = re.compile(
    r"[a-z0-9][a-z0-9_\-*/@]{0,255}="
    r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)
_MOST_MEMBERS = 32
_LONGEST_STATE = 512  # characters; a longer one loses members
_LONG_MEMBER = 128  # these go first


@dataclass(frozen=True, kw_only=True, slots=True)
class TraceContext:
    """The place of an event in a trace that somebody else began."""

    trace_id: str  # 32 hex digits
    parent_id: str  # of the operation that sent it, 16 hex digits
    flags: str  # 2 hex digits
    state: str | None = None  # what tracing systems add for each other; None: nothing

    @property
    def parent(self) -> str:
        """As the header `traceparent` has it, in version 00."""
        return f"00-{self.trace_id}-{self.parent_id}-{self.flags}"

    @property
    def sampled(self) -> bool:
        """Whether who sent it may have recorded it."""
        return bool(int(self.flags, 16) & 1)

    def headers_of(self, key: str) -> Mapping[str, str]:
        """The headers of the requests of one delivery, by its idempotency key.

        The trace stays, and the delivery is the parent: each attempt says the same.
        """
        parent = f"00-{self.trace_id}-{span_of(key)}-{self.flags}"
        return {PARENT: parent, **({STATE: self.state} if self.state else {})}


def span_of(key: str) -> str:
    """The id of a delivery in its trace: 16 hex digits, from its idempotency key.

    >>> span_of("0198c0de.crm")
    '3d61a5f5a99da809'
    """
    return hashlib.sha256(key.encode()).hexdigest()[:16]


def read_trace(parent: object, state: object = None) -> TraceContext | None:
    """The context that the values of both headers give; None where there is none, or no valid one.

    A version that is not known is read as far as version 00 goes (Trace Context, section 4.3).
    """
    found = _PARENT.fullmatch(parent.strip()) if isinstance(parent, str) else None
    if found is None:
        return None
    version, trace_id, parent_id, flags, more = found.groups()
    if version == "ff" or (more and version == "00"):
        return None
    if not (trace_id.strip(_NOBODY) and parent_id.strip(_NOBODY)):
        return None
    return TraceContext(
        trace_id=trace_id,
        parent_id=parent_id,
        # Of other versions only the first bit is known, and a new one is sent as version 00.
        flags=flags if version == "00" else f"{int(flags, 16) & 1:02x}",
        state=_state(state),
    )


def _state(text: object) -> str | None:
    """The list as it may be passed on; None where it is not one."""
    if not isinstance(text, str):
        return None
    members = [one for part in text.split(",") if (one := part.strip(" \t"))]
    if len(members) > _MOST_MEMBERS or not all(_MEMBER.fullmatch(one) for one in members):
        return None
    if len({one.partition("=")[0] for one in members}) < len(members):
        return None
    if _length(members) > _LONGEST_STATE:
        members = [one for one in members if len(one) <= _LONG_MEMBER]
    while _length(members) > _LONGEST_STATE:
        members.pop()
    return ",".join(members) or None


def _length(members: list[str]) -> int:
    return sum(len(one) + 1 for one in members) - 1
