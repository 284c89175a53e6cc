"""The headers `traceparent` and `tracestate`: the trace that a request belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar, cast

from starlette.datastructures import Headers

from orchestrator.domain.errors import Refused
from orchestrator.domain.event import Trigger
from orchestrator.domain.trace_context import PARENT, STATE, TraceContext, read_trace

Read = TypeVar("Read", bound=Trigger | Refused)


def with_trace(triggers: Sequence[Read], headers: Headers) -> list[Read]:
    """The triggers, in the request's trace where they say none of their own.

    >>> with_trace([], Headers({"traceparent": "nothing valid"}))
    []
    """
    trace = trace_of(headers)
    if trace is None:
        return list(triggers)
    return [
        cast("Read", replace(one, trace=trace))
        if isinstance(one, Trigger) and one.trace is None
        else one
        for one in triggers
    ]


def trace_of(headers: Headers) -> TraceContext | None:
    """The trace of a request; None where it says none, or no valid one."""
    parents = headers.getlist(PARENT)
    if len(parents) != 1:  # two are no better than none (Trace Context, section 3.2)
        return None
    return read_trace(parents[0], ",".join(headers.getlist(STATE)))
