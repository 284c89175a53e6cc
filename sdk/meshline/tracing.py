"""The trace that an event belongs to, in the W3C's words: given, asked for, or OpenTelemetry's.

A trace must never cost an event: what is not valid, and what fails, is left out.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Mapping
from typing import Union

from meshline.event import Event

PARENT, STATE = "traceparent", "tracestate"

Traced = Union[str, Mapping[str, str], None]
"""A `traceparent`, or the headers that a propagator fills in: `traceparent` and `tracestate`."""

Trace = Callable[[], Traced]
"""Says in which trace an event is sent; None: in none."""

_PARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_LONGEST_STATE = 2048  # characters; the door keeps 512 of them

_log = logging.getLogger("meshline")


def trace_of(event: Event, hook: Trace | None) -> dict[str, str]:
    """The event's fields that say its trace; none where it is in none.

    Its own go first, and an empty one says that it is in none; then the hook's; without a hook
    those of the current span of OpenTelemetry, where the application has imported that.
    """
    if event.traceparent is not None:
        return _fields(event.traceparent, event.tracestate)
    try:
        said = hook() if hook is not None else _of_current_span()
        if isinstance(said, Mapping):
            return _fields(said.get(PARENT), said.get(STATE))
        return _fields(said, None)
    except Exception:  # noqa: BLE001 - it is the caller's, or another library's
        _log.warning("the trace of an event was left out", exc_info=True)
        return {}


def _fields(parent: object, state: object) -> dict[str, str]:
    if not isinstance(parent, str) or not _PARENT.fullmatch(parent):
        if parent:
            _log.debug("not a traceparent, and left out: %.60r", parent)
        return {}
    if isinstance(state, str) and state and len(state) <= _LONGEST_STATE and _is_line(state):
        return {PARENT: parent, STATE: state}
    return {PARENT: parent}


def _is_line(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _of_current_span() -> Traced:
    """What OpenTelemetry says, if it is loaded: it is never loaded for this."""
    opentelemetry = sys.modules.get("opentelemetry.trace")
    if opentelemetry is None:
        return None
    span = opentelemetry.get_current_span().get_span_context()
    if not span.is_valid:
        return None
    parent = f"00-{span.trace_id:032x}-{span.span_id:016x}-{int(span.trace_flags) & 0xFF:02x}"
    return {PARENT: parent, STATE: span.trace_state.to_header()}
