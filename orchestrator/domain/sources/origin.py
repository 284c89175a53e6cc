"""Where an event of a source comes from: kept with it, and what it needs where nobody takes it."""

from __future__ import annotations

from dataclasses import dataclass, field

import orjson

from orchestrator.domain.sources.request import HookRequest
from orchestrator.domain.sources.schemes import Verified
from orchestrator.domain.sources.source import NEVER_KEPT, Source


@dataclass(frozen=True, kw_only=True)
class HookOrigin:
    """The request that an event came in, as far as it is kept with the event."""

    source: Source
    type: str | None  # None: the request does not say one
    verified_by: str  # what proved the request at the door, such as `hmac-sha256, secret 1`
    headers: str = field(repr=False)  # a JSON object of texts: those that the source names
    body: bytes | None = field(repr=False)  # as it came; None where it holds several events


def origin_of(
    source: Source,
    request: HookRequest,
    proof: Verified,
    *,
    type: str | None,  # noqa: A002 - the word for it
    alone: bool,
) -> HookOrigin:
    """What is kept of a request for one of its events, which is the only one or not."""
    kept = {
        name: request.headers[name]
        for name in source.keep_headers
        if name in request.headers and name not in NEVER_KEPT
    }
    return HookOrigin(
        source=source,
        type=type,
        verified_by=f"{proof.by}, secret {proof.secret}",
        headers=orjson.dumps(kept).decode(),
        body=request.body if alone else None,
    )
